"""`ulab bench`: whose memory is whose, the figures, and what is refused."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ulab_core.settings import Settings
from ulab_deploy.bench import base, report, start
from ulab_deploy.bench.drive import StudentFailed, Visit
from ulab_deploy.bench.hub_process import (
    HubDidNotStart,
    launch,
    wait_until_serving,
    without_own_variables,
)
from ulab_deploy.bench.kernel_client import CellFailed, execute_request, over
from ulab_deploy.bench.memory import MEBIBYTE, Memory, Process, attribute, weigh
from ulab_deploy.bench.report import Side, capacity, ratio, spread
from ulab_deploy.bench.start import BadRequest, require_sensible
from ulab_deploy.cli import build

HUB, ZYGOTE = 10, 20
HOST, SANDBOX_A, SANDBOX_B = "pid:[1]", "pid:[2]", "pid:[3]"
BASE_GROUP, GROUP_A, GROUP_B = "0::/base", "0::/ulab/a", "0::/ulab/b"


def process(
    pid: int, parent: int, namespace: str = HOST, cgroup: str = BASE_GROUP, mb: int | None = 1
) -> Process:
    size = None if mb is None else mb * MEBIBYTE
    return Process(pid, parent, namespace, cgroup, size, size)


SHARED = [process(HUB, 1), process(11, HUB), process(ZYGOTE, HUB)]
TREES = [
    process(100, HUB),
    process(101, 100, SANDBOX_A),
    process(102, 101, SANDBOX_A),
    process(200, HUB),
    process(201, 200, SANDBOX_B),
]
ROOTS = {"ann": 100, "bob": 200}


@pytest.mark.parametrize(
    ("more", "ann", "bob"),
    [
        ([], {100, 101, 102}, {200, 201}),
        # Forked by the common server into a sandbox, which its parent does not say.
        ([process(300, ZYGOTE, SANDBOX_A)], {100, 101, 102, 300}, {200, 201}),
        # What such a process starts is below it, in a namespace of its own or not.
        (
            [process(300, ZYGOTE, SANDBOX_B), process(301, 300, "pid:[9]")],
            {100, 101, 102},
            {200, 201, 300, 301},
        ),
        # The server's other children are nobody's.
        ([process(300, ZYGOTE)], {100, 101, 102}, {200, 201}),
        # A namespace that can't be read says nothing.
        ([process(300, ZYGOTE, "")], {100, 101, 102}, {200, 201}),
    ],
)
def test_processes_are_attributed_by_tree_and_by_sandbox(
    more: list[Process], ann: set[int], bob: set[int]
) -> None:
    assert attribute([*SHARED, *TREES, *more], ROOTS, HUB) == {"ann": ann, "bob": bob}


def test_processes_are_attributed_by_cgroup_where_namespaces_do_not_tell() -> None:
    processes = [
        *SHARED,
        process(100, HUB, HOST, GROUP_A),
        process(200, HUB, HOST, GROUP_B),
        process(300, ZYGOTE, HOST, GROUP_A),
        process(301, 300, HOST, GROUP_A),
        process(400, ZYGOTE, HOST, BASE_GROUP),
    ]
    assert attribute(processes, ROOTS, HUB) == {"ann": {100, 300, 301}, "bob": {200}}


def test_a_room_that_two_students_are_in_is_nobodys() -> None:
    """Without sandboxes, all are in the hub's namespace or in another common one."""
    processes = [
        *SHARED,
        process(100, HUB, SANDBOX_A),
        process(200, HUB, SANDBOX_A),
        process(300, ZYGOTE, SANDBOX_A),
    ]
    assert attribute(processes, ROOTS, HUB) == {"ann": {100}, "bob": {200}}


def test_a_student_whose_server_is_gone_has_nothing() -> None:
    assert attribute(SHARED, {"ann": 100}, HUB) == {"ann": set()}


def test_what_is_not_private_is_shared_and_counted_once() -> None:
    processes = [
        Process(HUB, 1, HOST, "", 50 * MEBIBYTE, 60 * MEBIBYTE),
        Process(100, HUB, HOST, "", 30 * MEBIBYTE, 45 * MEBIBYTE),
        Process(200, HUB, HOST, "", 50 * MEBIBYTE, 65 * MEBIBYTE),
        process(201, 200, mb=None),
    ]
    memory = weigh(processes, ROOTS, HUB, ROOTS)
    assert memory.private == {"ann": 30, "bob": 50}
    assert memory.private_mean == 40
    assert memory.shared == 60 + 45 + 65 - 30 - 50
    assert memory.unreadable == 1


def test_who_did_not_arrive_is_no_student_and_no_part_of_the_base() -> None:
    memory = weigh([*SHARED, *TREES], ROOTS, HUB, {"ann"})
    assert memory.private == {"ann": 3}
    assert memory.shared == len(SHARED)


@pytest.mark.parametrize(
    ("seconds", "p50", "longest"),
    [
        ([], None, None),
        ([2.0], 2.0, 2.0),
        ([4.0, 1.0], 2.5, 4.0),
        ([9.0, 1.0, 2.004], 2.0, 9.0),
    ],
)
def test_the_middle_and_the_longest(
    seconds: list[float], p50: float | None, longest: float | None
) -> None:
    assert spread(seconds) == {"p50": p50, "max": longest}


@pytest.mark.parametrize(
    ("stock", "ours", "expected"),
    [(10.0, 2.0, 5.0), (1.0, 3.0, 0.33), (None, 2.0, None), (2.0, None, None), (2.0, 0.0, None)],
)
def test_ratios(stock: float | None, ours: float | None, expected: float | None) -> None:
    assert ratio(stock, ours) == expected


def side(seconds: float, uss_mb: float) -> Side:
    memory = Memory({"ann": uss_mb, "bob": uss_mb}, 500.0, 0)
    visits = [Visit("ann", seconds, 2 * seconds), Visit("bob", 3 * seconds, 4 * seconds)]
    return Side(visits, memory, 8000.0)


def test_the_json_has_the_promised_shape() -> None:
    assert report.plain(2, side(2, 600), side(1, 150)) == {
        "students": 2,
        "stock": {
            "server_s": {"p50": 4, "max": 6},
            "torch_cell_s": {"p50": 6, "max": 8},
            "uss_mb_per_student": 600,
        },
        "ulab": {
            "server_s": {"p50": 2, "max": 3},
            "torch_cell_s": {"p50": 3, "max": 4},
            "uss_mb_per_student": 150,
        },
        "ratio": {"torch_cell_p50": 2, "torch_cell_max": 2, "uss": 4},
    }


def test_what_was_not_measured_is_null() -> None:
    found = report.plain(2, None, side(1, 150))
    assert found["stock"] is None
    assert found["ratio"] == {"torch_cell_p50": None, "torch_cell_max": None, "uss": None}
    assert [cells[1] for cells in report.rows(found)][1:] == ["-"] * 5


def test_a_failed_student_is_a_sentence_and_no_figure() -> None:
    failed = Visit("bob", None, None, StudentFailed("The server of {student} …", student="bob"))
    measured = Side([Visit("ann", 1.0, 2.0), failed], Memory({"ann": 9.0}, 1.0, 0), 8000.0)
    assert measured.server_s == {"p50": 1.0, "max": 1.0}
    assert list(report.failures({"ulab": measured})) == ["ulab: The server of bob …"]


def test_nobody_arrived() -> None:
    nobody = Side([Visit("ann", failure=StudentFailed("no"))], None, 8000.0)
    assert nobody.plain() == {
        "server_s": {"p50": None, "max": None},
        "torch_cell_s": {"p50": None, "max": None},
        "uss_mb_per_student": None,
    }
    assert list(report.advice(1, nobody, 2)) == []


@pytest.mark.parametrize(
    ("students", "holds", "fits"), [(10, 67, True), (67, 67, True), (68, 67, False)]
)
def test_capacity_is_what_fits_into_nine_tenths_beside_the_base(
    students: int, holds: int, fits: bool
) -> None:
    found = capacity(students, each_mb=100, shared_mb=500, available_mb=8000)
    assert (found.holds, found.fits) == (holds, fits)
    assert found.needed_mb == 500 + 100 * students


def test_a_machine_too_small_for_the_base_holds_nobody() -> None:
    assert capacity(1, each_mb=100, shared_mb=900, available_mb=800).holds == 0


def test_the_planner_speaks_in_sentences() -> None:
    said = list(report.advice(2, side(1, 150), 4))
    assert said == [
        "This machine has 4 cores and had 8000 MB of memory free: room for 44 students at once, "
        "at 150 MB each and 500 MB for the base, with a tenth kept free.",
        "2 at once: that fits.",
    ]
    assert "does not fit" in list(report.advice(45, side(1, 150), 4))[1]
    assert "must not start at once" in list(report.advice(2, side(100, 150), 4))[-1]


@pytest.mark.parametrize(
    ("students", "only", "available", "said"),
    [
        (0, None, 9e9, "from 1 to 500"),
        (501, "ulab", 9e9, "from 1 to 500"),
        (2, "docker", 9e9, "write stock or ulab"),
        (50, None, 16_000, "--only ulab"),
        (50, "stock", 16_000, "--only ulab"),
    ],
)
def test_what_can_not_be_measured_is_refused(
    students: int, only: str | None, available: float, said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        require_sensible(students, only, available)


@pytest.mark.parametrize(
    ("students", "only", "available"), [(1, None, 2000), (500, "ulab", 2000), (20, "stock", 12_000)]
)
def test_the_rest_is_not_refused(students: int, only: str | None, available: float) -> None:
    require_sensible(students, only, available)


def test_a_hub_that_ends_at_once_is_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such port'); raise SystemExit(1)"]
    hub = launch(command, os.environ, tmp_path, tmp_path / "hub.log", "http://127.0.0.1:1", "")
    with pytest.raises(HubDidNotStart, match="no such port"):
        wait_until_serving(hub, lambda: False)


async def test_it_gives_up_before_the_memory_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        async def visit(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(start, "available_mb", lambda: 100.0)
    with pytest.raises(start.MemoryRanOut, match="nearly used up"):
        await start._drive(Endless(), 8000.0)  # type: ignore[arg-type]


def test_refusals_reach_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ULAB_CONFIG", raising=False)
    done = CliRunner().invoke(build(), ["bench", "start", "--students", "0"])
    assert done.exit_code == 2
    assert "0 students can't be measured" in done.output


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("status", {"execution_state": "busy"}, False),
        ("execute_input", {}, False),
        ("execute_reply", {"status": "ok"}, True),
    ],
)
def test_a_cell_is_over_with_its_reply(kind: str, content: dict[str, str], expected: bool) -> None:
    request = execute_request()["header"]["msg_id"]
    message = {"msg_type": kind, "content": content, "parent_header": {"msg_id": request}}
    assert over("ann", message, request) is expected
    assert not over("ann", message, "another")


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("execute_reply", {"status": "error", "ename": "ImportError", "evalue": "torch"}, "Import"),
        ("status", {"execution_state": "dead"}, "died"),
        ("status", {"execution_state": "restarting"}, "died"),
    ],
)
def test_a_cell_that_fails_says_so(kind: str, content: dict[str, str], said: str) -> None:
    message = {"msg_type": kind, "content": content, "parent_header": {"msg_id": "1"}}
    with pytest.raises(CellFailed, match=said):
        over("ann", message, "1")


def test_the_temporary_base_keeps_the_settings_but_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Settings(
        server={"host": "0.0.0.0", "public_url": "https://lab.example.edu"},
        database={"url": "postgresql://real/db"},
        mlflow={"database_url": "postgresql://real/mlflow"},
        limits={"cpus": 1.5},
        accounts={"open_signup": True},
    )
    chosen = base.temporary(real, tmp_path, 9000)
    assert chosen.server.local_url == chosen.server.browser_url == "http://127.0.0.1:9000"
    assert chosen.database.url == chosen.mlflow.database_url == ""
    assert chosen.limits == real.limits
    for name, value in base.as_variables(chosen).items():
        monkeypatch.setenv(name, value)
    assert Settings() == chosen


def test_a_measured_hub_inherits_nothing_that_changes_it() -> None:
    environ = {"PATH": "/bin", "ULAB_CONFIG": "real.toml", "JUPYTER_PATH": "/x", "LANG": "C"}
    assert without_own_variables(environ) == {"PATH": "/bin", "LANG": "C"}
