"""What of a notebook a person's points or comment for a cell were given for."""

from __future__ import annotations

from collections.abc import Iterable

from nbformat import NotebookNode
from nbgrader import utils

Answer = tuple[str, ...]


def answers(notebook: NotebookNode) -> dict[str, Answer]:
    """The student's answer behind each marked cell, by the cell's grade id.

    A cell the student writes in is its own answer. A test's answer are the cells to write in that
    stand nearest above it; a task's is all that the lab doesn't know.
    """
    found: dict[str, Answer] = {}
    nearest: list[str] = []
    tested = False
    free = tuple(cell.source for cell in notebook.cells if "nbgrader" not in cell.metadata)
    for cell in _marked(notebook):
        if utils.is_solution(cell):
            nearest = [cell.source] if tested else [*nearest, cell.source]
            tested = False
            found[cell.metadata.nbgrader["grade_id"]] = (cell.source,)
        elif utils.is_task(cell):
            found[cell.metadata.nbgrader["grade_id"]] = free
        else:
            tested = True
            found[cell.metadata.nbgrader["grade_id"]] = tuple(nearest)
    return found


def _marked(notebook: NotebookNode) -> Iterable[NotebookNode]:
    return (
        cell
        for cell in notebook.cells
        if utils.is_grade(cell) or utils.is_solution(cell) or utils.is_task(cell)
    )
