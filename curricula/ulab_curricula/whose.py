"""Whose each name of each question is, for the author of its test to read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nbformat import NotebookNode

from ulab_curricula.origins import Cell, Source, bound_by, cells_of, given
from ulab_curricula.questions import questions


class Whose(StrEnum):
    """Where the judge has a name from."""

    OWN = "own"  # the test's, or an import's
    GIVEN = "given"  # from locked cells, which the judge runs itself
    STUDENT = "student"  # asked of the student's process


@dataclass(frozen=True)
class Named:
    """A name that a question uses.

    Attributes
    ----------
    source
        Why it is the student's; None when it isn't.
    """

    question: str
    name: str
    whose: Whose
    source: Source | None = None


def whose_names(source: NotebookNode) -> list[Named]:
    """The names that each question of a source notebook uses; builtins are left out."""
    cells = cells_of(source)
    tests = {cell.id: cell for cell in cells if cell.kind == "test"}
    kept, _ = given(cells)
    imported = {name for statement in kept for name in statement.imports}
    found = []
    for question in questions(source):
        for name in sorted(_bound(tests[question.id]) - set(question.asks)):
            found.append(Named(question.id, name, Whose.OWN))
        for name in question.names:
            whose = Whose.OWN if name in imported else Whose.GIVEN
            found.append(Named(question.id, name, whose))
        for name, why in question.asks.items():
            found.append(Named(question.id, name, Whose.STUDENT, why))
    return found


def _bound(test: Cell) -> set[str]:
    return bound_by(test.statements)
