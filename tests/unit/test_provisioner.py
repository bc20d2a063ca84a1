"""When a kernel is forked, and what of a launch's arguments a forked kernel gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ulab_runtime.forkserver.client import NotForked
from ulab_runtime.provisioner import arguments_of, outputs_of, refuse_other_python


def test_only_our_kernel_of_this_python_is_forked() -> None:
    command = [sys.executable, "-m", "ulab_runtime.kernel", "-f", "c.json"]
    assert arguments_of(command) == ["-f", "c.json"]
    for other in (["/other/python", *command[1:]], [sys.executable, "-m", "ipykernel_launcher"]):
        with pytest.raises(NotForked, match="other-command"):
            arguments_of(other)


def test_outputs_are_the_callers_or_those_it_names(tmp_path: Path) -> None:
    assert outputs_of({}) == [1, 2]
    with (tmp_path / "log").open("w") as log:
        number = log.fileno()
        assert outputs_of({"stdout": log, "stderr": subprocess.STDOUT}) == [number, number]
        assert outputs_of({"stderr": number}) == [1, number]
    assert outputs_of({"stderr": subprocess.STDOUT}) == [1, 1]


@pytest.mark.parametrize("wanted", [subprocess.PIPE, subprocess.DEVNULL])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_would_have_to_be_made_is_left_to_the_stock_way(name: str, wanted: int) -> None:
    with pytest.raises(NotForked):
        outputs_of({name: wanted})


def test_a_python_that_is_to_start_otherwise_is_not_forked() -> None:
    refuse_other_python({"PYTHONPATH": "/srv", "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/bin"})
    for name in ("PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONDEVMODE", "PYTHONWARNINGS"):
        with pytest.raises(NotForked, match="other-python"):
            refuse_other_python({name: "1"})
