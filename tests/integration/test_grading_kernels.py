"""Grading with a forked kernel where there is a fork server, and without where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from integration.fork_support import kernel_fork_server
from nbformat.v4 import new_code_cell, new_notebook

from ulab_core.settings import Settings, Warm
from ulab_coursework.execution import Execution, execute, scratch_of

if TYPE_CHECKING:
    from integration.coursework_support import Base

# The parent of a forked kernel is in no namespace of the sandbox's.
WHOSE_CHILD = "import os, sys, site; print(os.getppid() == 0)"
OWN_PACKAGES = (
    "print([name for name in os.environ if name in ('PYTHONPATH', 'ULAB_OWN_PACKAGES')],"
    " site.ENABLE_USER_SITE, [entry for entry in sys.path if '.local' in entry])"
)
NUMBER = "print(sys.path[0], os.environ['OMP_NUM_THREADS'], os.getcwd())"


@pytest.fixture
def fork_server(base: Base, tmp_path: Path) -> Iterator[None]:
    with kernel_fork_server(base.layout.fork_for_sandboxes, tmp_path):
        yield


def run_cells(base: Base, *sources: str, settings: Settings | None = None) -> Execution:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in sources], metadata={"kernelspec": kernel}
    )
    scratch = scratch_of(base.layout)
    settings = settings or base.settings
    return execute(notebook, settings, base.layout.dataset_store, scratch, "en")


def written(execution: Execution) -> list[str]:
    """What each cell wrote, or the name of the error it ended with."""
    return [_written(cell) for cell in execution.notebook.cells]


def _written(cell: nbformat.NotebookNode) -> str:
    return "".join(str(out.get("text") or out.get("evalue", "")) for out in cell.outputs).strip()


@pytest.mark.usefixtures("fork_server")
def test_a_submission_runs_in_a_forked_kernel_without_anyones_packages(base: Base) -> None:
    done = run_cells(base, WHOSE_CHILD, OWN_PACKAGES, NUMBER, "1 / 0", "print('on')")
    forked, packages, _, error, on = written(done)
    assert (forked, packages) == ("True", "[] False []")
    assert (error, on) == ("division by zero", "on")


@pytest.mark.usefixtures("fork_server")
def test_a_forked_kernels_cell_is_stopped_when_its_time_is_up(base: Base) -> None:
    grading = base.settings.grading.model_copy(update={"cell_timeout_s": 2})
    hasty = base.settings.model_copy(update={"grading": grading})
    done = run_cells(base, WHOSE_CHILD, "while True: pass", "print(7)", settings=hasty)
    forked, stopped, after = written(done)
    assert (forked, after) == ("True", "7")
    assert "This cell ran longer than 2 seconds and was stopped." in stopped


def test_a_submission_runs_without_a_fork_server_too(base: Base) -> None:
    assert written(run_cells(base, WHOSE_CHILD, NUMBER))[0] == "False"


@pytest.mark.usefixtures("fork_server")
def test_forked_and_stock_kernels_of_grading_see_the_same(base: Base) -> None:
    forked = written(run_cells(base, WHOSE_CHILD, OWN_PACKAGES, NUMBER))
    off = base.settings.model_copy(update={"warm": Warm(enabled=False)})
    stock = written(run_cells(base, WHOSE_CHILD, OWN_PACKAGES, NUMBER, settings=off))
    assert (forked[0], stock[0]) == ("True", "False")
    assert forked[1:] == stock[1:]
