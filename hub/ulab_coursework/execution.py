"""Running a sanitised notebook in a sandbox without network, and taking back its outputs alone."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from ulab_core.i18n import mark, translations
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_coursework.outputs import Budget, admit
from ulab_runtime.forkserver.client import FORK_SERVERS, SOCKET_VARIABLE
from ulab_runtime.kernel import KERNELS
from ulab_runtime.limits import Limits
from ulab_runtime.sandbox import Finished, Mount, SandboxSpec, environment_mounts, run

PACKAGES = ("ulab", "ulab_runtime", "ulab_core", "ulab_datasets", "ulab_mlflow")
WORK = "/home/grader"
DATASETS = "/srv/datasets"
PATIENCE_S = 30
RESULT_BYTES = 8 * 1024 * 1024
ALL_RESULTS_BYTES = 64 * 1024 * 1024

SENTENCES = {
    "timed_out": mark("This cell ran longer than {seconds} seconds and was stopped."),
    "died": mark(
        "The kernel ended while this cell ran. It may have used more memory than there is."
    ),
    "out_of_memory": mark("This cell used more memory than the {memory} MB there are."),
    "not_run": mark(
        "This cell was not run, because an earlier one ended the kernel or used up the time."
    ),
}


@dataclass(frozen=True)
class Execution:
    """What came of running a notebook.

    Attributes
    ----------
    notebook
        The sanitised notebook with outputs; sources and metadata are as they were.
    started
        Whether the notebook's code ran at all; if not, it is our failure and not the student's.
    log
        What the runner wrote, for whoever looks after the base.
    """

    notebook: nbformat.NotebookNode
    started: bool
    log: str


def execute(
    notebook: nbformat.NotebookNode,
    settings: Settings,
    dataset_store: Path,
    scratch: Path,
    language: str,
    index: int = 0,
) -> Execution:
    """Run a notebook in a sandbox.

    Parameters
    ----------
    dataset_store
        The folder of data sets, shown read-only.
    scratch
        A folder of ours, in which a working folder is made and removed.
    language
        The language of the messages in tests.
    index
        Tells runs at the same time apart: each has a host user of its own when we are root.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="grade-", dir=scratch))
    try:
        nbformat.write(notebook, str(work / "notebook.ipynb"))
        (work / "results").mkdir()
        spec = sandbox_spec(work, settings, dataset_store, language, index)
        if spec.uid is not None:
            for path in (work, *work.iterdir()):
                os.chown(path, spec.uid, spec.gid or -1)
        finished = run(spec, settings.grading.job_timeout_s + PATIENCE_S)
        results = _read_results(work / "results", len(notebook.cells))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    fill(notebook, results, finished, settings, language)
    return Execution(notebook, bool(results), finished.stdout_tail)


def sandbox_spec(
    work: Path, settings: Settings, dataset_store: Path, language: str, index: int
) -> SandboxSpec:
    """The sandbox a submission is graded in."""
    grading = settings.grading
    as_root = os.geteuid() == 0
    uid = settings.accounts.uid_base - 1 - index if as_root else None
    mounts = [*environment_mounts(PACKAGES), Mount(work, WORK, writable=True)]
    if dataset_store.is_dir():
        mounts.append(Mount(dataset_store, DATASETS))
    fork_dir = Layout.of(settings).fork_dir
    # Whoever checks a lab without a base of their own may not even look.
    warm = {}
    if settings.warm.enabled and os.access(fork_dir, os.X_OK):
        mounts.append(Mount(fork_dir, FORK_SERVERS))
        warm[SOCKET_VARIABLE] = f"{FORK_SERVERS}/kernel.sock"
    return SandboxSpec(
        command=[
            sys.executable, "-m", "ulab_runtime.execute",
            f"{WORK}/notebook.ipynb", f"{WORK}/results",
            "--cell-timeout", str(grading.cell_timeout_s),
            "--total-timeout", str(grading.job_timeout_s),
        ],
        mounts=mounts,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            # Our own kernel, which says in a sentence that memory is short.
            "JUPYTER_PATH": str(KERNELS.parent),
            **warm,
            "ULAB_MEMORY_MB": str(grading.memory_mb),
            "ULAB_GRADING": "1",
            "ULAB_LANGUAGE": language,
            "ULAB_DATASETS": DATASETS,
            "NBGRADER_EXECUTION": "autograde",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            # A notebook that tracks a run must not fail for want of the server.
            "MLFLOW_TRACKING_URI": "file:///tmp/mlruns",
            "MLFLOW_ALLOW_FILE_STORE": "true",
        },
        cwd=WORK,
        network=False,
        limits=Limits(
            memory_mb=grading.memory_mb,
            # A lab's grading time is promised for one core, whatever the machine has.
            cpus=1.0,
            processes=settings.limits.processes,
            file_mb=256,
        ),
        uid=uid,
        gid=uid,
        user="grader",
    )  # fmt: skip


def _read_results(folder: Path, cells: int) -> dict[int, dict[str, Any]]:
    """What was written down; the folder was in the hands of untrusted code."""
    results: dict[int, dict[str, Any]] = {}
    left = ALL_RESULTS_BYTES
    try:
        # Opened like this, no link can lead elsewhere and no pipe can block us.
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return results
    try:
        for index in range(cells):
            value = _read_result(inside, f"{index}.json", min(RESULT_BYTES, left))
            if value is not None:
                results[index], size = value
                left -= size
    finally:
        os.close(inside)
    return results


def _read_result(folder: int, name: str, limit: int) -> tuple[dict[str, Any], int] | None:
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        try:
            content = file.read(limit + 1) or b""
            value = json.loads(content) if len(content) <= limit else None
        except (OSError, ValueError, RecursionError):
            return None
    return (value, len(content)) if isinstance(value, dict) else None


def fill(
    notebook: nbformat.NotebookNode,
    results: dict[int, dict[str, Any]],
    finished: Finished,
    settings: Settings,
    language: str,
) -> None:
    """Put outputs into the notebook's code cells.

    A cell without a good end gets an error output that says why, because nbgrader gives full
    points to a cell without one.
    """
    budget = Budget()
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    silent = [index for index in code if index not in results]
    for index in code:
        cell = notebook.cells[index]
        result = results.get(index, {})
        cell.outputs = admit(result.get("outputs"), budget)
        cell.execution_count = None
        status = result.get("status")
        if index in silent:
            # The first cell without a report is the one that was running when all was ended.
            status = _how_it_ended(finished) if index == silent[0] else "not_run"
        if status == "ok" or (status == "error" and _has_error(cell)):
            continue
        if status == "died" and finished.oom_killed:
            status = "out_of_memory"
        cell.outputs.append(_sentence_output(str(status), settings, language))


def _how_it_ended(finished: Finished) -> str:
    if finished.oom_killed:
        return "out_of_memory"
    return "timed_out" if finished.timed_out else "died"


def _has_error(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def _sentence_output(status: str, settings: Settings, language: str) -> nbformat.NotebookNode:
    message = SENTENCES.get(status, SENTENCES["died"])
    sentence = (
        translations(language)
        .gettext(message)
        .format(seconds=settings.grading.cell_timeout_s, memory=settings.grading.memory_mb)
    )
    return nbformat.v4.new_output("error", ename="ULab", evalue=sentence, traceback=[sentence])


def scratch_of(layout: Layout) -> Path:
    """Where working folders of grading are made."""
    return layout.run / "grading"
