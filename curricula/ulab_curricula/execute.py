"""Execute a lab's notebook as grading does, with the answers of each variant."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from ulab_curricula.dependencies import cells_to_run
from ulab_curricula.mutants import Mutant, mutant_job
from ulab_curricula.results import MutantFate, Results, read_results

REFERENCE = "reference"
EMPTY = "empty"


@dataclass(frozen=True)
class Run:
    """What running one variant gave.

    Attributes
    ----------
    name
        The variant.
    errors
        By grade id: the error of each test cell that failed.
    seconds
        Processor time in the cells it ran, those shared with the reference included.
    finished
        False when it ran past its time or its process died.
    values
        By grade id: the number that a test cell ended with, its points.
    lines
        By grade id: the line of a cell at which it failed.
    failures
        By name: the error of each other cell that failed.
    cells
        By name: processor time in each cell.
    """

    name: str
    errors: Mapping[str, str]
    seconds: float
    finished: bool = True
    values: Mapping[str, float] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, float] = field(default_factory=dict)

    def earned(self, cell: str, worth: float) -> float:
        """The points of a test cell that is worth so much."""
        if not self.finished or cell in self.errors:
            return 0.0
        value = self.values.get(cell, worth)
        return min(max(value, 0.0), worth) if math.isfinite(value) else 0.0

    def score(self, points: Mapping[str, float]) -> float:
        """The points of all test cells."""
        return sum(self.earned(cell, worth) for cell, worth in points.items())


@dataclass(frozen=True)
class Job:
    """What a runner is to do.

    Attributes
    ----------
    content
        What `ulab_curricula.runner.main` reads, but for `out`.
    timeout_s
        When what sleeps or hangs is ended.
    language, grading, hash_seed
        As `run_variants` has them.
    """

    content: Mapping[str, Any]
    timeout_s: float
    language: str
    grading: bool
    hash_seed: int


Start = Callable[[Job], Results]
"""Runs a job and gives what the runner told."""


@dataclass(frozen=True)
class Executed:
    """What a runner's process gave.

    Attributes
    ----------
    runs
        A `Run` for ``"reference"`` and for each variant.
    fates
        What became of mutants, as `ulab_curricula.mutants.with_fates` takes it.
    repeats
        By test cell: why it lost points each time it was repeated, None where it didn't.
    peak_mb
        The most memory that the reference had, in MiB.
    """

    runs: Mapping[str, Run]
    fates: Mapping[str, MutantFate]
    repeats: Mapping[str, Sequence[str | None]]
    peak_mb: int


def test_points(source: NotebookNode) -> dict[str, float]:
    """The points of each automatically graded cell, by grade id, in order."""
    return {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in source.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }


def given_cells(source: NotebookNode) -> set[str]:
    """The grade ids of the code cells that students are given and must not change."""
    return {
        cell.metadata.nbgrader.grade_id
        for cell in source.cells
        if cell.cell_type == "code"
        and cell.metadata.get("nbgrader", {}).get("locked")
        and not cell.metadata.nbgrader.get("grade")
    }


def answer_cells(source: NotebookNode) -> dict[str, str]:
    """The source of each code cell that a student answers in, by grade id."""
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    }


def run_variants(
    source: NotebookNode,
    variants: Mapping[str, Mapping[str, str]],
    *,
    datasets: Path,
    language: str,
    timeout_s: int,
    jobs: int = 2,
    grading: bool = True,
    whole: Collection[str] = (),
    tests: Mapping[str, Collection[str]] = {},
    mutants: Sequence[Mutant] = (),
    seeds: Sequence[int] = (),
    hash_seed: int = 0,
    start: Start | None = None,
) -> Executed:
    """Run the reference and each variant.

    Parameters
    ----------
    source
        The source notebook, with solutions and hidden tests.
    variants
        By name: the code that replaces answer cells, by grade id; at least one each.
    datasets
        The data store that `ulab.load` reads.
    language
        Which language messages are in.
    timeout_s
        The longest one run may take.
    jobs
        Variants run at once, beside the reference.
    grading
        Whether `ulab.grading()` is true.
    whole
        Variants that run all cells; the others run what their changes can affect, and their other
        tests count as in the reference.

    tests
        By variant: the tests it is for, where that isn't all its changes can affect.
    mutants
        Run too, when the reference loses nothing.
    seeds
        Run each test anew with each of these, from the state that the reference had there.
    hash_seed
        What Python's hashes of texts, and so the order of sets, come from.
    start
        Runs it. None means as this process does, which is for code of the instructor's own;
        submissions never come here.
    """
    names = {f"variant-{number}": name for number, name in enumerate(variants)}
    points = test_points(source)
    cells = _code_cells(source)
    content = {
        "cells": cells,
        "variants": {
            key: _plan(source, variants[name], tests.get(name, points), name in whole)
            for key, name in names.items()
        },
        "mutants": mutant_job(cells, points, mutants),
        "points": points,
        "seeds": list(seeds),
        "jobs": jobs,
        "timeout_s": timeout_s,
    }
    # Each run has its own limit of processor time; this one is for what sleeps or hangs.
    rounds = 2 + (len(variants) + len(mutants) + len(seeds)) // max(jobs, 1)
    job = Job(content, timeout_s * rounds * 4, language, grading, hash_seed)
    told = (start or functools.partial(_here, datasets=datasets))(job)
    reference = _run(told, REFERENCE, REFERENCE, points, None)
    runs = {REFERENCE: reference}
    for key, name in names.items():
        runs[name] = _run(told, key, name, points, reference)
    repeats = {
        cell["name"]: told.repeats.get(f"repeat-{index}", [""])
        for index, cell in enumerate(cells)
        if seeds and cell["name"] in points
    }
    return Executed(runs, told.fates, repeats, told.peak_mb)


def _plan(
    source: NotebookNode, changes: Mapping[str, str], for_: Collection[str], whole: bool
) -> dict[str, Any]:
    """A variant as the runner wants it: its changes, and which cells to run."""
    cells = _code_cells(source)
    changed = {index for index, cell in enumerate(cells) if cell["name"] in changes}
    if whole:
        run = list(range(min(changed), len(cells)))
    else:
        code = [changes.get(cell["name"], cell["source"]) for cell in cells]
        tests = {index for index, cell in enumerate(cells) if cell["name"] in for_}
        run = cells_to_run(code, changed, tests)
    return {"changes": dict(changes), "run": run}


def _code_cells(source: NotebookNode) -> list[dict[str, str]]:
    return [
        {"name": cell.metadata.get("nbgrader", {}).get("grade_id", cell.id), "source": cell.source}
        for cell in source.cells
        if cell.cell_type == "code"
    ]


def _here(job: Job, datasets: Path) -> Results:
    """Run a job as this process does."""
    with tempfile.TemporaryDirectory(prefix="ulab-check-") as scratch:
        work = Path(scratch)
        file = work / "job.json"
        file.write_text(json.dumps({**job.content, "out": str(work)}), encoding="utf-8")
        _start(work, job.timeout_s, _environment(work, datasets, job))
        file.unlink()
        return read_results({path.stem: path.read_bytes() for path in work.glob("*.json")})


def _environment(work: Path, datasets: Path, job: Job) -> dict[str, str]:
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")},
        # One core, as a grading sandbox has; threads would not survive the runner's forks either.
        **dict.fromkeys(one_thread, "1"),
        "ULAB_DATASETS": str(datasets.resolve()),
        "ULAB_LANGUAGE": job.language,
        "ULAB_GRADING": "1" if job.grading else "0",
        "PYTHONHASHSEED": str(job.hash_seed),
        "MLFLOW_TRACKING_URI": (work / "mlruns").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(work / "ipython"),
    }


def _start(work: Path, timeout_s: float, environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ulab_curricula.runner", str(work / "job.json")],
        cwd=work, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Its own session, so that forked variants that outlived it end too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def _run(
    told: Results, key: str, name: str, points: Mapping[str, float], otherwise: Run | None
) -> Run:
    """A run's result; tests it did not run went as in `otherwise`."""
    results = told.runs.get(key)
    if results is None:
        return Run(name, {}, 0.0, finished=False)
    tests = [item for item in results if item.name in points]
    ran = {item.name for item in tests}
    errors = {item.name: item.error for item in tests if item.error}
    values = {item.name: item.value for item in tests if item.value is not None}
    lines = {item.name: item.line for item in results if item.error}
    failures = {item.name: item.error for item in results if item.error and item.name not in points}
    if otherwise is not None:
        errors |= {cell: error for cell, error in otherwise.errors.items() if cell not in ran}
        values |= {cell: value for cell, value in otherwise.values.items() if cell not in ran}
        lines |= {cell: line for cell, line in otherwise.lines.items() if cell not in ran}
    seconds = sum(item.seconds for item in results)
    cells = {item.name: item.seconds for item in results}
    return Run(name, errors, seconds, True, values, lines, failures, cells)
