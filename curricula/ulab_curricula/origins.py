"""Whose each name of a lab's notebook is: the lab's own, or the student's."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nbformat import NotebookNode

from ulab_curricula.statements import Statement, outside_solutions, statements

BUILTIN = frozenset(dir(builtins)) | {"__name__", "__file__", "__builtins__"}


class Why(StrEnum):
    """Why a name is the student's, or can't be had at all."""

    BOUND = "bound"  # a cell that students write in gives it its value
    CHANGED = "changed"  # something that is the student's changes its value in place
    DEPENDS = "depends"  # what gives it its value uses another name that is the student's
    UNSEEN = "unseen"  # nothing that can be read gives it a value


@dataclass(frozen=True)
class Source:
    """Where a student's name comes from: why it is the student's, in which cell, by which name."""

    why: Why
    cell: str = ""
    name: str = ""


@dataclass(frozen=True)
class Cell:
    """A code cell, and whose it is."""

    id: str
    kind: str  # "test", "locked" or "student"
    source: str
    statements: tuple[Statement, ...]
    free: frozenset[str] = frozenset()  # names it imports outside its solution


def cells_of(source: NotebookNode) -> list[Cell]:
    """The code cells of a source notebook."""
    found = []
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        grading = cell.metadata.get("nbgrader", {})
        name = grading.get("grade_id", cell.id)
        kind = "student"
        if not grading.get("solution"):
            kind = "test" if grading.get("grade") else kind
            kind = "locked" if grading.get("locked") and kind != "test" else kind
        free = statements(name, outside_solutions(cell.source)) if kind == "student" else []
        imported = {item for statement in free for item in statement.imports}
        found.append(
            Cell(name, kind, cell.source, tuple(statements(name, cell.source)), frozenset(imported))
        )
    return found


def given(cells: Sequence[Cell]) -> tuple[list[Statement], dict[str, Source]]:
    """The given statements, and for all names that are the student's, why."""
    ours = [cell for cell in cells if cell.kind != "test"]
    every = [statement for cell in ours for statement in cell.statements]
    modules = _modules(ours, every)
    locked = {cell.id for cell in ours if cell.kind == "locked"}
    kept = [
        statement
        for cell in ours
        for statement in cell.statements
        if statement.portable and (cell.kind == "locked" or statement.imports.keys() & modules)
    ]
    while True:
        bound = bound_by(kept)
        theirs = _theirs(every, kept, modules, locked)
        still = [statement for statement in kept if _stands_alone(statement, bound, theirs)]
        if len(still) == len(kept):
            return kept, theirs
        kept = still


def _modules(cells: Sequence[Cell], every: Sequence[Statement]) -> set[str]:
    """Names that all cells bind by one import, which not only a solution makes."""
    meanings: dict[str, set[str]] = {}
    for statement in every:
        for name in statement.binds:
            meanings.setdefault(name, set()).add(statement.imports.get(name, ""))
    open_ = {name for cell in cells for name in cell.free} | {
        name
        for cell in cells
        if cell.kind == "locked"
        for statement in cell.statements
        for name in statement.imports
    }
    return {
        name
        for name, found in meanings.items()
        if len(found) == 1 and found != {""} and name in open_
    }


def bound_by(kept: Collection[Statement]) -> set[str]:
    """All names that statements give values to."""
    return {name for statement in kept for name in statement.binds}


def _theirs(
    every: Sequence[Statement],
    kept: Sequence[Statement],
    modules: Collection[str],
    locked: Collection[str],
) -> dict[str, Source]:
    """Names that statements which are not given bind or change."""
    ids = {id(statement) for statement in kept}
    fresh = {name for statement in every for name in statement.fresh}
    found: dict[str, Source] = {}
    others = [statement for statement in every if id(statement) not in ids]
    for statement in others:
        for name in sorted(statement.binds - set(modules)):
            found.setdefault(name, Source(Why.BOUND, statement.cell))
    for statement in others:
        changed = statement.changes | (statement.lends & set(fresh))
        for name in changed - set(modules):
            found.setdefault(name, Source(Why.CHANGED, statement.cell))
    bound = bound_by(every)
    for statement in others:
        if statement.cell in locked:
            for name in statement.binds & set(found):
                reasons = sorted((statement.reads & set(found)) - statement.binds)
                unseen = sorted(statement.reads - bound - BUILTIN)
                if found[name].cell == statement.cell and (reasons or unseen):
                    found[name] = Source(Why.DEPENDS, statement.cell, (reasons or unseen)[0])
    return found


def _stands_alone(
    statement: Statement, bound: Collection[str], theirs: Mapping[str, Source]
) -> bool:
    return all(
        name not in theirs and (name in bound or name in BUILTIN)
        for name in statement.reads | statement.changes
    )
