"""What `ulab.track` decides: where a run goes, what a request holds, when to give up."""

from __future__ import annotations

import inspect
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from ulab.tracking import errand, later, room, sender, values
from ulab.tracking.batches import BYTES, Batch, End, Input, Upload, lines, requests
from ulab.tracking.block import arguments, status
from ulab.tracking.delivery import ends
from ulab.tracking.gpu import gpus
from ulab.tracking.inputs import dataset_input
from ulab.tracking.place import Aim, Chosen, aim
from ulab.tracking.provenance import notebook_hash
from ulab.tracking.server import refusal
from ulab.tracking.spool import Spool, base_for
from ulab.tracking.trouble import Trouble
from ulab.tracking.writer import Writer
from ulab_mlflow.marker import Marker, Place, find_marker

LAB = Place("vision-2026", "garments")
NOTHING = Chosen()


@pytest.mark.parametrize(
    ("workspace", "experiment", "place", "chosen", "expected"),
    [
        (None, None, LAB, NOTHING, Aim("vision-2026", assignment="garments")),
        (None, None, None, NOTHING, Aim(None)),
        (None, "garments", LAB, NOTHING, Aim("vision-2026", assignment="garments")),
        (None, "letters", LAB, NOTHING, Aim("vision-2026", name="letters")),
        ("vision-2026", None, LAB, NOTHING, Aim("vision-2026", assignment="garments")),
        ("windfarm", None, LAB, NOTHING, Aim("windfarm", name="notebook")),
        ("windfarm", "day-ahead", LAB, NOTHING, Aim("windfarm", name="day-ahead")),
        ("windfarm", "day-ahead", None, NOTHING, Aim("windfarm", name="day-ahead")),
        (None, "day-ahead", None, NOTHING, Aim(None, name="day-ahead")),
        (None, None, LAB, Chosen("windfarm"), Aim("windfarm", name="notebook")),
        (None, None, None, Chosen("windfarm", "e"), Aim("windfarm", name="e")),
        (None, None, None, Chosen("windfarm", None, "7"), Aim("windfarm", experiment_id="7")),
        (None, None, LAB, Chosen(None, None, "7"), Aim("vision-2026", experiment_id="7")),
        ("windfarm", None, LAB, Chosen(None, None, "7"), Aim("windfarm", name="notebook")),
        ("windfarm", None, LAB, Chosen("windfarm", "e"), Aim("windfarm", name="e")),
        (None, "day-ahead", LAB, Chosen("windfarm", "e"), Aim("windfarm", name="day-ahead")),
        ("energy-2026", "load", LAB, NOTHING, Aim("energy-2026", name="load")),
    ],
)
def test_where_a_run_goes(
    workspace: str | None,
    experiment: str | None,
    place: Place | None,
    chosen: Chosen,
    expected: Aim,
) -> None:
    assert aim(workspace, experiment, place, chosen, "notebook") == expected


def as_lines(*records: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def planned(data: bytes) -> list[Any]:
    return list(requests(lines(data)))


def test_lines_become_requests_in_their_order() -> None:
    data = as_lines(
        ["p", {"lr": "0.1"}],
        ["m", 0, 5, {"loss": math.nan, "a": math.inf, "b": -math.inf, "c": 1}],
        ["d", {"dataset": 1}],
        ["t", {"by": "hand"}],
        ["f", "files/1-1/x", "x.txt"],
        ["e", "FINISHED", 9],
    )
    first, used, second, kept, end = planned(data)
    assert first.body() == {
        "params": [{"key": "lr", "value": "0.1"}],
        "metrics": [
            {"key": key, "value": value, "timestamp": 5, "step": 0}
            for key, value in {"loss": "NaN", "a": "Infinity", "b": "-Infinity", "c": 1.0}.items()
        ],
    }
    assert isinstance(used, Input)
    assert second.body() == {"tags": [{"key": "by", "value": "hand"}]}
    assert isinstance(kept, Upload)
    assert isinstance(end, End)
    assert (end.status, end.at, end.end) == ("FINISHED", 9, len(data))
    ends_at = [request.end for request in (first, used, second, kept, end)]
    assert ends_at == sorted(ends_at)


@pytest.mark.parametrize(
    ("records", "sizes"),
    [
        ([["m", n, 0, {"loss": 0.5}] for n in range(2500)], [1000, 1000, 500]),
        ([["m", 0, 0, {f"m{n}": 0.5 for n in range(1500)}]], [1000, 500]),
        ([["p", {f"p{n}": "x" for n in range(250)}]], [100, 100, 50]),
        ([["t", {f"t{n}": "x" for n in range(101)}]], [100, 1]),
        ([["m", n, 0, {"loss": 1.0}] for n in range(3)], [3]),
        ([], []),
    ],
)
def test_no_request_is_larger_than_mlflow_takes(records: list[Any], sizes: list[int]) -> None:
    assert [len(batch.entries) for batch in planned(as_lines(*records))] == sizes


def test_no_request_is_longer_than_mlflow_takes() -> None:
    records = [["p", {f"{n}" * 80: "词" * 6000}] for n in range(60)]
    batches = planned(as_lines(*records))
    assert len(batches) > 1
    assert sum(len(batch.entries) for batch in batches) == 60
    assert all(len(json.dumps(batch.body())) <= BYTES for batch in batches)


def test_a_line_that_is_split_is_sent_again_from_its_beginning() -> None:
    short = as_lines(["m", 0, 0, {"loss": 1.0}])
    wide = as_lines(["m", 1, 0, {f"m{n}": 0.5 for n in range(1500)}])
    first, second = planned(short + wide)
    assert (first.end, second.end) == (len(short), len(short + wide))
    [alone, _] = requests(lines(wide, 100), 100)
    assert alone.end == 100


@pytest.mark.parametrize(
    "damage",
    [b"[", b"\n", b'{"m": 1}\n', b'["m"]\n', b'["m", 0, 0, 5]\n', b'["x", 1]\n', b"\xff\xfe\n",
     b'["m", 0, 0, {"a": "word"}]\n', b'["f"]\n', b"[]\n", b"[[]]\n"],
)  # fmt: skip
def test_damage_costs_the_damaged_line_alone(damage: bytes) -> None:
    good = as_lines(["m", 1, 0, {"loss": 1.0}])
    whole = damage if damage.endswith(b"\n") else damage + b"\n"
    [batch] = planned(whole + good + b'["m", 2, 0, {"lo')
    assert batch.end == len(whole + good)
    assert [entry["step"] for _, entry in batch.entries] == [1]


def test_the_refused_entry_is_found_by_halving() -> None:
    batch = Batch(9, [("metrics", {"key": str(n)}) for n in range(5)])
    first, second = batch.halves()
    assert len(first.entries) == 2
    assert first.entries + second.entries == batch.entries
    assert (first.end, second.end) == (9, 9)


@pytest.mark.parametrize(
    ("code", "body", "kind", "sentence"),
    [
        (400, {"error_code": "X", "message": "INVALID_STATE: No."}, Trouble.REFUSED, "No."),
        (401, {"error_code": "UNAUTHENTICATED", "message": "Log in."}, Trouble.LOGIN, "Log in."),
        (403, {"error_code": "PERMISSION_DENIED", "message": "No."}, Trouble.FORBIDDEN, "No."),
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, Trouble.MISSING, "HTTP 404"),
        (404, {"detail": "Not Found"}, Trouble.MISSING, "Not Found"),
        (413, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Big."}, Trouble.REFUSED, "Big."),
        (429, {"error_code": "X", "message": "Later."}, Trouble.AWAY, "Later."),
        (500, {"error_code": "INTERNAL_ERROR", "message": "?"}, Trouble.AWAY, "?"),
        (503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "?"}, Trouble.AWAY, "?"),
        # The hub and the proxy, while the gateway is being restarted.
        (404, "<html>404</html>", Trouble.AWAY, "HTTP 404"),
        (403, "<html>403</html>", Trouble.AWAY, "HTTP 403"),
        (302, "", Trouble.AWAY, "HTTP 302"),
        (503, "Service Unavailable", Trouble.AWAY, "HTTP 503"),
        (401, "", Trouble.LOGIN, "HTTP 401"),
        (404, [], Trouble.AWAY, "HTTP 404"),
    ],
)
def test_what_a_refusal_means(code: int, body: object, kind: Trouble, sentence: str) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    found = refusal(code, data)
    assert (found.trouble, found.sentence) == (kind, sentence)


@pytest.mark.parametrize(
    ("trouble", "made", "final"),
    [
        (Trouble.AWAY, False, False),
        (Trouble.LOGIN, False, False),
        (Trouble.LOGIN, True, False),
        (Trouble.FORBIDDEN, False, True),
        (Trouble.FORBIDDEN, True, False),
        (Trouble.MISSING, False, True),
        (Trouble.MISSING, True, True),
        (Trouble.REFUSED, False, True),
    ],
)
def test_what_ends_a_run(trouble: Trouble, made: bool, final: bool) -> None:
    assert ends(trouble, made) is final


@pytest.mark.parametrize(
    ("elapsed", "without", "trouble", "stops"),
    [
        (0.5, 0.5, "", False),
        (7.9, 7.9, "", False),
        (8.0, 8.0, "", True),
        (29.0, 1.0, "", False),
        (30.0, 0.1, "", True),
        (0.5, 0.5, "away", False),
        (1.0, 1.0, "away", True),
        (1.0, 1.0, "login", True),
    ],
)
def test_how_long_a_block_waits_for_the_rest(
    elapsed: float, without: float, trouble: str, stops: bool
) -> None:
    assert errand.gives_up(elapsed, without, trouble) is stops


@pytest.mark.parametrize(
    ("waiting", "since", "owned", "due"),
    [
        (10, 0.5, True, False),
        (10, 2.5, True, True),
        (0, 99.0, True, False),
        (sender.BYTES_AT_ONCE, 0.0, True, True),
        (0, 0.0, False, True),
    ],
)
def test_when_to_send(waiting: int, since: float, owned: bool, due: bool) -> None:
    assert sender.is_due(waiting, since, owned) is due


def test_pauses_grow_to_a_limit() -> None:
    pauses = [sender.pause(failures) for failures in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == sender.LONGEST_PAUSE


@pytest.mark.parametrize(
    ("total", "gone"), [(100, []), (101, ["a"]), (120, ["a"]), (121, ["a", "b"]), (999, ["a", "b"])]
)
def test_the_oldest_is_given_up_first(total: int, gone: list[str]) -> None:
    kept = [room.Kept("a", 20), room.Kept("b", 30)]
    assert room.given_up(total, 100, kept) == gone


@pytest.mark.parametrize(
    ("given", "number"),
    [(1, 1.0), (True, 1.0), (10**400, math.inf), (-(10**400), -math.inf), (0.5, 0.5)],
)
def test_what_is_a_number(given: Any, number: float) -> None:
    assert values.number(given) == number


@pytest.mark.parametrize("given", ["0.5", b"1", None, [1], {}, object(), 1j])
def test_what_is_no_number(given: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        values.number(given)


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("an object of a student's")


@pytest.mark.parametrize(
    ("given", "said"), [(None, "None"), ("x" * 10, "xxxx…"), (Broken(), "<Bro…"), (12345, "12345")]
)
def test_any_value_is_text(given: Any, said: str) -> None:
    assert values.text(given, 5) == said


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (None, "FINISHED"),
        (ValueError, "FAILED"),
        (SystemExit, "FAILED"),
        (KeyboardInterrupt, "KILLED"),
    ],
)
def test_how_a_run_ends(kind: type[BaseException] | None, word: str) -> None:
    assert status(kind) == word


def test_a_functions_simple_arguments_are_parameters() -> None:
    def train(data: Any, run: Any = None, lr: float = 0.1, *, name: str = "a", **more: Any) -> None:
        raise NotImplementedError

    signature = inspect.signature(train)
    found = arguments(signature, ([1, 2],), {"lr": 0.5, "epochs": 3, "net": object()})
    assert found == {"lr": 0.5, "name": "a", "epochs": 3}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"curriculum": "vision", "version": "2"}, Marker(LAB, "vision", "2")),
        # As older bases wrote it.
        ({}, Marker(LAB)),
        ({"curriculum": 5, "version": ""}, Marker(LAB)),
    ],
)
def test_a_marker_may_be_old(tmp_path: Path, content: dict[str, Any], expected: Marker) -> None:
    marker = {"course": "vision-2026", "assignment": "garments", **content}
    (tmp_path / ".ulab.json").write_text(json.dumps(marker))
    assert find_marker(tmp_path / "below") == expected


def test_a_notebooks_hash_is_of_its_code_alone(tmp_path: Path) -> None:
    def written(*cells: tuple[str, object, object]) -> str | None:
        listed = [{"cell_type": kind, "source": s, "outputs": o} for kind, s, o in cells]
        path = tmp_path / "n.ipynb"
        path.write_text(json.dumps({"cells": listed}))
        return notebook_hash(path)

    before = written(("code", ["a = 1\n", "a"], []), ("markdown", "x", None))
    assert before is not None
    assert before == written(("code", "a = 1\na", ["output"]), ("markdown", "y", None))
    assert before != written(("code", "a = 2\na", []))
    (tmp_path / "n.ipynb").write_text("no notebook")
    assert notebook_hash(tmp_path / "n.ipynb") is None
    assert notebook_hash(tmp_path / "nowhere") is None


def test_a_data_sets_card_becomes_an_input() -> None:
    md5 = "160d264acb36fa7f42cb2da711d707d1.dir"
    columns = {"day": {"kind": "integer"}, "mm": {"kind": "number"}, "odd": {}}
    found = dataset_input("rain", {"md5": md5, "shape": {"rows": 2, "columns": columns}})
    assert found is not None
    dataset = found["dataset"]
    assert (dataset["name"], dataset["digest"], dataset["source_type"]) == ("rain", md5, "ulab_dvc")
    assert json.loads(dataset["source"]) == {
        "repository": "ulab",
        "revision": md5,
        "path": "rain",
    }
    types = [column["type"] for column in json.loads(dataset["schema"])["mlflow_colspec"]]
    assert types == ["long", "double", "string"]
    assert json.loads(dataset["profile"]) == {"num_rows": 2}
    assert found["tags"] == [{"key": "mlflow.data.context", "value": "train"}]


@pytest.mark.parametrize("card", [{}, {"md5": ""}, {"md5": 5}, {"md5": "x" * 37}])
def test_a_card_without_a_revision_is_no_input(card: dict[str, Any]) -> None:
    assert dataset_input("rain", card) is None


def test_runs_of_one_server_and_person_are_never_sent_as_anothers() -> None:
    one = base_for("http://a/services/mlflow", "lin")
    assert one == base_for("http://a/services/mlflow/", "lin")
    assert one != base_for("http://a/services/mlflow", "wang")
    assert one != base_for("http://b/services/mlflow", "lin")


# Written and read --------------------------------------------------------------------------------


def read_back(folder: Path) -> list[list[Any]]:
    pieces = Spool(folder).pieces()
    return [record for piece in pieces for _, record in lines(piece.read_bytes())]


def test_what_is_noted_is_read_back(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    for step in range(30_000):
        writer.note(["m", step, 5_000_000, {"loss": step / 3, "val/acc@1": 0.5}])
    writer.note(["e", "FINISHED", 9])
    assert writer.close()
    *points, end = read_back(tmp_path)
    expected = {"loss": 29_999 / 3, "val/acc_1": 0.5}
    assert points[-1] == ["m", 29_999, 5, expected]
    assert [point[1] for point in points] == list(range(30_000))
    assert end == ["e", "FINISHED", 9]
    assert len(Spool(tmp_path).pieces()) > 1


def test_a_forked_process_has_files_of_its_own(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.start()
    writer.note(["t", {"by": "parent"}])
    child = os.fork()
    if child == 0:
        writer.note(["t", {"by": "child"}])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert writer.close()
    assert sorted(tags["by"] for _, tags in read_back(tmp_path)) == ["child", "parent"]
    assert len({piece.stem.split("x")[0] for piece in Spool(tmp_path).pieces()}) == 2


@pytest.mark.parametrize("room_for", [0, 1, 30, 71])
def test_a_disk_that_is_full_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room_for: int
) -> None:
    whole = os.write
    left = [room_for]

    def write(file: int, data: bytes) -> int:
        if left[0] <= 0:
            raise OSError(28, "No space left on device")
        count = whole(file, bytes(data)[: left[0]])
        left[0] -= count
        return count

    monkeypatch.setattr("ulab.tracking.writer.SECONDS_BETWEEN_TRIES", 0.0)
    monkeypatch.setattr("ulab.tracking.writer.os.write", write)
    writer = Writer(tmp_path)
    for step in range(5):
        writer.write(["m", step, 0, {"loss": 1.0}])
    assert writer.stuck
    left[0] = 10_000
    assert writer.close()
    assert [record[1] for record in read_back(tmp_path)] == [0, 1, 2, 3, 4]


def test_a_disk_that_stays_full_costs_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.write
    monkeypatch.setattr("ulab.tracking.writer.SECONDS_BETWEEN_TRIES", 0.0)
    monkeypatch.setattr("ulab.tracking.writer.MOST_WAITING", 100)
    # The first is cut short, then nothing goes.
    counts = iter([10])

    def write(file: int, data: bytes) -> int:
        count = next(counts, None)
        if count is None:
            raise OSError(28, "No space left on device")
        return whole(file, data[:count])

    monkeypatch.setattr("ulab.tracking.writer.os.write", write)
    writer = Writer(tmp_path)
    for step in range(20):
        writer.write(["m", step, 0, {"loss": 1.0}])
    monkeypatch.setattr("ulab.tracking.writer.os.write", whole)
    assert writer.close()
    assert [record[1] for record in read_back(tmp_path)] == [17, 18, 19]


def test_a_number_on_a_gpu_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Copy:
        """Stands for a GPU's, which this machine has none of."""

        def __init__(self) -> None:
            self.here = False

        def ready(self) -> bool:
            return self.here

        def item(self) -> float:
            return 0.25

    monkeypatch.setattr(later, "Copy", Copy)
    writer = Writer(tmp_path)
    copy = Copy()
    writer.note(["m", 0, 0, {"loss": copy, "accuracy": 0.5}])
    writer.note(["m", 1, 0, {"loss": 1.0}])
    writer.save()
    assert read_back(tmp_path) == []
    copy.here = True
    writer.save()
    assert [record[3] for record in read_back(tmp_path)] == [
        {"loss": 0.25, "accuracy": 0.5},
        {"loss": 1.0},
    ]
    copy.here = False
    writer.note(["m", 2, 0, {"loss": copy}])
    assert writer.close(), "at its end it is waited for"
    assert read_back(tmp_path)[-1][3] == {"loss": 0.25}


def test_a_run_that_is_being_made_is_not_seen(tmp_path: Path) -> None:
    spool, lock = Spool.create(tmp_path, {"name": "x"})
    (tmp_path / ".half-made").mkdir()
    assert [found.key for found in Spool.all(tmp_path)] == [spool.key]
    assert spool.about()["name"] == "x"
    assert spool.owned()
    os.close(lock)
    assert not spool.owned()
    spool.remove()
    assert Spool.all(tmp_path) == []


class Driver:
    """NVIDIA's library on a machine with two GPUs, one of them another's."""

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, number: int, device: Any) -> int:
        device._obj.value = number + 1
        return number

    def nvmlDeviceGetUtilizationRates(self, device: Any, load: Any) -> int:
        load._obj.gpu = 75
        return 0

    def nvmlDeviceGetMemoryInfo(self, device: Any, memory: Any) -> int:
        memory._obj.total, memory._obj.used = 4_000_000, 1_000_000
        return 0

    def nvmlDeviceGetPowerUsage(self, device: Any, milliwatts: Any) -> int:
        # As a card that does not tell.
        return 3


def test_gpus_are_asked_of_the_drivers_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ulab.tracking.gpu._library", Driver)
    assert list(gpus()) == [
        {
            "utilization_percentage": 75.0,
            "memory_usage_megabytes": 1.0,
            "memory_usage_percentage": 25.0,
        }
    ]


def test_without_a_gpu_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ulab.tracking.gpu._library", lambda: None)
    assert list(gpus()) == []
