"""A forked kernel does what a stock one does: the same is asked of both, in a real sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from integration.kernel_questions import CELLS, IMPORTS, SAME
from integration.sandbox_support import Student
from integration.warm_support import Inside, KernelServer, inside

STOCK, WARM = "stock", "warm"
BOTH = pytest.mark.parametrize("way", [WARM, STOCK])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelServer]:
    folder = tmp_path_factory.mktemp("fork")
    server = KernelServer(folder / "run", folder / "scratch")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def act(server: KernelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """What does in a sandbox what tests say."""
    student = Student(tmp_path_factory.mktemp("homes"), "ann", 0, by_root=os.geteuid() == 0)
    (student.home / "beside.py").write_text("def double(number):\n    return 2 * number\n")
    with inside(student, server, "kernel_acts.py") as act:
        yield act


@pytest.fixture(autouse=True)
def _warm(server: KernelServer) -> None:
    """Have a fork server again after one was killed, or ended because our code was changed."""
    if server.process.poll() is not None:
        server.start()


# --- What Python says of itself ------------------------------------------------------------------


@pytest.fixture(scope="module")
def states(act: Inside) -> dict[str, dict[str, Any]]:
    """What a kernel of each way says of itself before it did anything."""
    for way in (WARM, STOCK):
        assert "error" not in act("run", way, IMPORTS)
    return {
        way: {name: act("value", way, expression) for name, expression in SAME.items()}
        for way in (WARM, STOCK)
    }


@pytest.mark.parametrize("name", SAME)
def test_python_is_as_in_a_stock_kernel(states: dict[str, dict[str, Any]], name: str) -> None:
    assert states[WARM][name] == states[STOCK][name]


def test_of_the_environment_only_what_debugpy_adds_when_imported_differs(act: Inside) -> None:
    warm, stock = (act("value", way, "dict(os.environ)") for way in (WARM, STOCK))
    assert stock.pop("PYDEVD_USE_FRAME_EVAL") == "NO"
    assert warm == stock


def test_warnings_are_those_of_a_stock_kernel_that_imported_the_same(act: Inside) -> None:
    filters = "[[f[0], str(f[1]), str(f[2]), str(f[3]), f[4]] for f in warnings.filters]"
    for way in (WARM, STOCK):
        act("run", way, "import torch, pandas, matplotlib.pyplot")
    warm, stock = (act("value", way, filters) for way in (WARM, STOCK))
    assert sorted(map(str, warm)) == sorted(map(str, stock))


def test_what_may_differ(act: Inside) -> None:
    """Beside modules that are imported already, and their loggers."""
    assert act("value", WARM, "os.getppid()") == 0
    assert act("value", STOCK, "os.getppid()") > 0
    assert act("value", WARM, "os.readlink('/proc/self/fd/0')") == "/dev/null"
    assert act("value", WARM, "'torch' in sys.modules")
    missing = "sorted({name.partition('.')[0] for name in sys.modules})"
    assert set(act("value", STOCK, missing)) - set(act("value", WARM, missing)) <= {"sitecustomize"}


def test_nothing_of_the_fork_servers_is_left(act: Inside, server: KernelServer) -> None:
    place = json.dumps(str(server.scratch))
    kept = (
        "sorted({f'{n}.{k}' for n, m in list(sys.modules.items()) if n != '__main__'"
        " for k, v in list(getattr(m, '__dict__', {}).items())"
        f" if isinstance(v, (str, os.PathLike, list, tuple)) and {place} in str(v)}})"
    )
    # Where fonts were looked for on other systems, and in the home.
    fonts = ["MSUserFontDirectories", "OSXFontDirectories", "X11FontDirectories", "_HOME"]
    assert act("value", WARM, kept) == [f"matplotlib.font_manager.{name}" for name in fonts]
    told = "open('/proc/self/cmdline').read() + open('/proc/self/environ').read()"
    assert str(server.folder) not in act("value", WARM, told)


# --- Cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_does_what_it_does_in_a_stock_kernel(act: Inside, name: str) -> None:
    code, expected = CELLS[name]
    warm = act("run", WARM, code)
    assert warm == act("run", STOCK, code)
    assert expected.items() <= warm.items()


PLOT = "import matplotlib.pyplot as plt; plt.plot([1, 2]); None"


@pytest.mark.parametrize("before", ["pass", "%matplotlib inline"])
@BOTH
def test_a_plot_is_seen_below_its_cell(act: Inside, way: str, before: str) -> None:
    act("run", way, before)
    (figure,) = act("run", way, PLOT)["data"]
    assert figure["image/png"].startswith("iVBOR")


def test_completion(act: Inside) -> None:
    warm = act("completion", WARM, "import beside; beside.dou")
    assert warm == act("completion", STOCK, "import beside; beside.dou") == ["double"]


def test_the_debugger_is_there(act: Inside) -> None:
    assert act("debug_info", WARM) == act("debug_info", STOCK)


@BOTH
def test_a_question_is_asked_and_answered(act: Inside, way: str) -> None:
    found = act("answer_a_question", way)
    assert found["prompt"] == "How many? "
    assert found["text"] == {"stdout": "2121\n"}


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "import asyncio\nwhile True: await asyncio.sleep(0.01)",
    ],
)
@BOTH
def test_a_cell_can_be_interrupted(act: Inside, way: str, code: str) -> None:
    error, goes_on = act("interrupt", way, code)
    assert error in ("KeyboardInterrupt", "CancelledError")
    assert goes_on == 2


def test_greed_gets_a_sentence_and_the_kernel_lives(act: Inside) -> None:
    said = act("run", WARM, "import numpy; numpy.ones(2**30)")["error"]
    assert "MemoryError" in said[0]
    assert act("value", WARM, "1 + 1") == 2


# --- Lives ---------------------------------------------------------------------------------------


def test_a_restarted_kernel_is_another_and_empty(act: Inside) -> None:
    warm = act("restart", WARM)
    assert warm == act("restart", STOCK)
    assert warm == {
        "error": ["NameError", "name 'kept' is not defined"],
        "same process": False,
        "same kind": True,
        "same file": True,
        "old one lives": False,
    }


@pytest.mark.parametrize("now", [True, False])
def test_shutting_down(act: Inside, now: bool) -> None:
    warm = act("shut_down", WARM, now)
    assert warm == act("shut_down", STOCK, now) == [False, False, not now]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import threading; threading.Timer(0.1, __import__('os').abort).start()", -6),
        ("exit()", 0),
    ],
)
def test_the_exit_status_is_known(act: Inside, code: str, status: int) -> None:
    assert act("end", WARM, code) == act("end", STOCK, code) == status


def test_a_cell_that_asks_to_exit_does_not_end_the_kernel(act: Inside) -> None:
    found = [act("run", way, "import sys; sys.exit(5)") for way in (WARM, STOCK)]
    assert found[0]["error"] == found[1]["error"] == ["SystemExit", "5"]
    assert act("value", WARM, "1 + 1") == 2


def test_a_kernel_that_died_is_replaced(act: Inside) -> None:
    assert act("be_restarted") == [-9, None, "ForkedProcess"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.kill(os.getpid(), 9)", "your server ran out of memory (4 GiB"),
        ("import os; os._exit(3)", "ended unexpectedly (status 3)"),
    ],
)
def test_a_death_is_explained_below_its_cell(act: Inside, code: str, said: str) -> None:
    warm = act("explain_a_death", WARM, code)
    assert warm == act("explain_a_death", STOCK, code)
    assert said in warm[0]
    assert warm[1] == "restarting"


def test_folder_and_environment_are_the_callers(act: Inside) -> None:
    warm = act("be_told_of_caller", WARM)
    assert warm == act("be_told_of_caller", STOCK)
    assert warm[:2] == ["/home/ann/elsewhere", "by the caller"]


def test_two_kernels_have_numbers_of_their_own(act: Inside) -> None:
    one, other = act("numbers")
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_what_is_shared_with_the_fork_server_is_not_the_students(act: Inside) -> None:
    shared, own = act("own_memory")
    assert shared > 150
    assert own < 100


@pytest.mark.parametrize("by", ["nbclient", "nbgrader"])
def test_whoever_runs_notebooks_gets_a_forked_kernel(act: Inside, by: str) -> None:
    assert act("execute_notebook", by) == "True\n"


def test_a_kernel_ends_with_whoever_started_it(act: Inside) -> None:
    assert not act("leave_an_orphan", WARM)


def test_a_kernel_outlives_the_fork_server_and_its_end_is_noticed(
    act: Inside, server: KernelServer
) -> None:
    act("value", WARM, "1 + 1")
    server.kill()
    assert act("outlive_the_fork_server") == [42, None, 255]
    assert act("fall_back") == "Popen"
