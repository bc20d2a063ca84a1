"""Notebooks made of a few cells, judged in real sandboxes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from ulab_core.settings import Grading, Settings
from ulab_coursework.judging import Judged, Judges, Tests
from ulab_runtime.judge.parents import Parents

Answer, Test, Locked = "answer", "test", "locked"


def notebook(*cells: tuple[str, str]) -> nbformat.NotebookNode:
    """Cells given as kind and source; ids are the kind and a number."""
    found = []
    for number, (kind, source) in enumerate(cells):
        marks = {
            "grade_id": f"{kind}-{number}", "schema_version": 3, "task": False,
            "grade": kind == Test, "solution": kind == Answer, "locked": kind != Answer,
        }  # fmt: skip
        if kind == Test:
            marks["points"] = 2
        cell = new_code_cell(source, metadata={"nbgrader": marks})
        cell.id = f"cell-{number}"
        found.append(cell)
    return new_notebook(cells=found)


@contextmanager
def judges(
    fork_server: Path | None, store: Path, at_once: int | None = None, **grading: int
) -> Iterator[Judges]:
    settings = Settings(grading=Grading(**{"memory_mb": 1024, "cell_timeout_s": 20, **grading}))
    parents = Parents(fork_server, None)
    made = Judges(settings, store, parents, settings.accounts.uid_base - 300, at_once)
    try:
        yield made
    finally:
        made.end()


def judge(
    made: Judges,
    *cells: tuple[str, str],
    language: str = "en",
    key: str | None = None,
    slot: int = 0,
) -> Judged:
    """Have a notebook judged that is its own lab, with answers in it."""
    whole = notebook(*cells)
    return made.judge(whole, Tests.of(whole, key or repr(cells)), language, slot)


def said(judged: Judged) -> list[str]:
    """What each cell put out, or its error."""
    return [
        "".join(str(out.get("text") or out.get("evalue", "")) for out in cell.outputs).strip()
        for cell in judged.notebook.cells
    ]


def kinds(judged: Judged) -> Sequence[str]:
    return [str(verdict.kind) for verdict in judged.verdicts.values()]


def settled(parents: Parents, lab: str, imports: Sequence[str], patience_s: float) -> list[Path]:
    """Whom to ask once the lab's own parent has started."""
    until = time.monotonic() + patience_s
    while len(found := parents.of(lab, imports)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(found) == 2
    return found
