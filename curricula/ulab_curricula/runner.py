"""Run a notebook's cells and its variants in one process tree: what they share runs once.

Started as ``python -m ulab_curricula.runner job.json``; see `ulab_curricula.execute`. Before the
first cell that a variant changes, the process forks: the child goes on with the variant's cells,
the parent with the reference's. Imports and data are thus paid for once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

Cells = list[dict[str, str]]


def main(job_file: str) -> None:
    """Run the job: the reference to its end, each variant from where it differs."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    out, cells = Path(job["out"]), job["cells"]
    shell = _quiet_shell()
    waiting = {name: _first_change(cells, changes) for name, changes in job["variants"].items()}
    running: set[int] = set()
    results: list[dict[str, Any]] = []
    for index, cell in enumerate(cells):
        for name in [name for name, start in waiting.items() if start == index]:
            while len(running) >= job["jobs"]:
                running.discard(os.wait()[0])
            child = os.fork()
            if child == 0:
                _run_variant(shell, job, name, index, results, out)
            running.add(child)
            del waiting[name]
        results.append(_run_cell(shell, cell["name"], cell["source"]))
    _write(out / "reference.json", results)
    while running:
        running.discard(os.wait()[0])


def _first_change(cells: Cells, changes: dict[str, str]) -> int:
    return next(index for index, cell in enumerate(cells) if cell["name"] in changes)


def _run_variant(
    shell: Any, job: dict[str, Any], name: str, start: int, before: list[dict[str, Any]], out: Path
) -> None:
    """In the forked child: the rest of the notebook with the variant's cells; never returns."""
    try:
        # No result file is then written, which the caller reads as a time-out.
        signal.alarm(job["timeout_s"])
        results = list(before)
        changes = job["variants"][name]
        for cell in job["cells"][start:]:
            source = changes.get(cell["name"], cell["source"])
            results.append(_run_cell(shell, cell["name"], source))
        _write(out / f"{name}.json", results)
    finally:
        os._exit(0)


def _quiet_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    # What cells print and draw is nobody's business here; errors are taken from the result.
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    shell = InteractiveShell.instance()
    shell.showtraceback = lambda *_, **__: None
    shell.showsyntaxerror = lambda *_, **__: None
    return shell


def _run_cell(shell: Any, name: str, source: str) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        done = shell.run_cell(source, store_history=False)
        error = done.error_before_exec or done.error_in_exec
    except SystemExit as exiting:
        error = exiting
    text = None if error is None else f"{type(error).__name__}: {error}"
    return {"name": name, "error": text, "seconds": time.perf_counter() - start}


def _write(path: Path, results: list[dict[str, Any]]) -> None:
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(results), encoding="utf-8")
    temporary.rename(path)


if __name__ == "__main__":
    main(sys.argv[1])
