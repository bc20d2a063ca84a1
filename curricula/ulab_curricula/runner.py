"""Run a notebook's cells and its variants in one process tree: what they share runs once.

Started as ``python -m ulab_curricula.runner job.json``; see `ulab_curricula.execute`. Before the
first cell that a variant changes, the process forks: the child goes on with the variant's cells,
the parent with the reference's. Imports and data are thus paid for once.
"""

from __future__ import annotations

import json
import numbers
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from ulab_core.process import die_with_parent
from ulab_curricula.repeats import repeat
from ulab_curricula.snapshots import Snapshots, run_mutants

Results = list[dict[str, Any]]
MARGIN = 4
"""The reference ends at so many times its seconds; what is less is told how long it took."""


def main(job_file: str) -> None:
    """Run the job: the reference to its end, each variant from where it differs.

    The job holds `cells`, each with `name` and `source`; `variants`, each with `changes` by cell
    name and `run`, the indices of the cells to run; `mutants` as
    `ulab_curricula.mutants.mutant_job` makes them; `points` of the test cells; `seeds` to run each
    test with; `out`, `jobs` and `timeout_s`.
    """
    die_with_parent()
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    out = Path(job["out"])
    shell = _quiet_shell()
    running: set[int] = set()
    results: Results = []
    mutants = job["mutants"]
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, MARGIN * job["timeout_s"])
    snapshots = Snapshots(lambda place, source: _lost(shell, job, place, source), job["jobs"])
    for index, cell in enumerate(job["cells"]):
        for name, variant in job["variants"].items():
            if variant["run"][0] != index:
                continue
            _make_room(running, job["jobs"])
            child = os.fork()
            if child == 0:
                _run_variant(shell, job, name, results, out)
            running.add(child)
        if job["seeds"] and cell["name"] in job["points"]:
            _make_room(running, job["jobs"])
            child = os.fork()
            if child == 0:
                _repeat(shell, job, index, out)
            running.add(child)
        if str(index) in mutants:
            snapshots.take(index)
        results.append(_run_cell(shell, cell["name"], cell["source"]))
    signal.setitimer(signal.ITIMER_PROF, 0)
    _write(out / "reference.json", results)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _write(out / "peak_mb.json", round(peak))
    # Tests that the reference fails say nothing of mutants.
    if mutants and not any(_is_lost(job, result) for result in results):
        names, seconds = ([each[key] for each in results] for key in ("name", "seconds"))
        _write(out / "mutants.json", run_mutants(snapshots, mutants, names, seconds))
    snapshots.end()
    _make_room(running, 1)


def _make_room(running: set[int], jobs: int) -> None:
    """Wait until fewer than so many run."""
    while len(running) >= jobs:
        running.discard(os.wait()[0])


def _repeat(shell: Any, job: dict[str, Any], index: int, out: Path) -> None:
    """In the forked child: a test with other seeds; never returns."""
    cell = job["cells"][index]

    def test() -> str | None:
        result = _run_cell(shell, cell["name"], cell["source"])
        if not _is_lost(job, result):
            return None
        return result["error"] or f"{result['value']:g}"

    try:
        die_with_parent()
        repeat(test, job["seeds"], job["timeout_s"], out / f"repeat-{index}.json")
    finally:
        os._exit(0)


def _run_variant(shell: Any, job: dict[str, Any], name: str, before: Results, out: Path) -> None:
    """In the forked child: the variant's cells; never returns."""
    try:
        die_with_parent()
        # Time on the processor, so that a busy machine fails no lab. When it is over, no result
        # file is written, which the caller sees.
        signal.setitimer(signal.ITIMER_PROF, job["timeout_s"])
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        results = list(before)
        changes = job["variants"][name]["changes"]
        for index in job["variants"][name]["run"]:
            cell = job["cells"][index]
            source = changes.get(cell["name"], cell["source"])
            results.append(_run_cell(shell, cell["name"], source))
        _write(out / f"{name}.json", results)
    finally:
        os._exit(0)


def _lost(shell: Any, job: dict[str, Any], place: int, source: str) -> bool:
    """Run a cell, with another source if there is one; whether it is a test that lost points."""
    cell = job["cells"][place]
    return _is_lost(job, _run_cell(shell, cell["name"], source or cell["source"]))


def _is_lost(job: dict[str, Any], result: dict[str, Any]) -> bool:
    worth = job["points"].get(result["name"])
    if worth is None:
        return False
    value = result["value"]
    return result["error"] is not None or (value is not None and not value >= worth)


def _quiet_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    # What cells print and draw is nobody's business here; errors are taken from the result.
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    shell = InteractiveShell.instance()
    for method in ("showtraceback", "showsyntaxerror"):
        setattr(shell, method, lambda *_, **__: None)
    return shell


def _run_cell(shell: Any, name: str, source: str) -> dict[str, Any]:
    start = time.process_time()
    try:
        done = shell.run_cell(source, store_history=False)
        error = done.error_before_exec or done.error_in_exec
    except SystemExit as exiting:
        error = exiting
        done = None
    text = None if error is None else f"{type(error).__name__}: {error}"
    return {
        "name": name,
        "error": text,
        "line": _line(error),
        "value": _number(done),
        "seconds": time.process_time() - start,
    }


def _line(error: BaseException | None) -> int:
    """The innermost line of the cell itself that an error came through; 0 when there is none."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno
    trace = getattr(error, "__traceback__", None)
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    file = next((code.co_filename for code, _ in frames if code.co_name == "<module>"), None)
    return next((line for code, line in reversed(frames) if code.co_filename == file), 0)


def _number(done: Any) -> float | None:
    """The number that a cell ends with, which nbgrader takes as points."""
    value = getattr(done, "result", None)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    return float(value)


def _write(path: Path, results: Any) -> None:
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(results), encoding="utf-8")
    temporary.rename(path)


if __name__ == "__main__":
    main(sys.argv[1])
