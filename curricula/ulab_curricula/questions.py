"""Which names of a test the judge knows by itself, and which it must ask of the student."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nbformat import NotebookNode

from ulab_curricula.origins import BUILTIN, Cell, Source, Why, bound_by, cells_of, given
from ulab_curricula.own_classes import defined_for
from ulab_curricula.statements import Statement

_SHOWING_LIBRARIES = {"IPython", "matplotlib", "plotly", "seaborn", "ulab"}


@dataclass(frozen=True)
class Question:
    """A test cell as the judge needs it.

    Attributes
    ----------
    id
        The test cell's grade id.
    source
        Its text, hidden tests included.
    given
        Statements of the lab's own cells to run before it that no earlier question has.
    names
        Names it takes from them.
    asks
        Names it takes from the student, and why they are the student's.
    defines
        What the classes of the solution that these names lead to define: operators and methods
        that an object of the student's is asked for.
    """

    id: str
    source: str
    given: tuple[str, ...]
    names: tuple[str, ...]
    asks: Mapping[str, Source]
    defines: tuple[str, ...] = ()


class Mix(StrEnum):
    """What can't be the same in the notebook and in the judge."""

    LATE = "late"  # a cell gives a name a new value after a test has used it
    TESTS = "tests"  # a cell uses a name that only a test cell binds
    SENT = "sent"  # so does a function that is sent to the student
    STAR = "star"  # a locked cell imports names that can't be read from the cell


@dataclass(frozen=True)
class Mixed:
    """Something in a notebook that would mean one thing there and another in the judge.

    Attributes
    ----------
    statement
        The text of the one that does it.
    """

    cell: str
    name: str
    why: Mix
    statement: str = field(default="", compare=False)


def questions(source: NotebookNode) -> list[Question]:
    """The test cells of a lab's source notebook, in order.

    Parameters
    ----------
    source
        With nbgrader's metadata, solutions and hidden tests; never a submission, in which a
        student might have changed what is whose.

    Notes
    -----
    A statement of a locked cell is *given* when it uses nothing that is the student's. A name is
    given when given statements alone bind it and nothing of the student's changes its value in
    place. What students write in an open cell counts as theirs, imports excepted: a module is the
    same for everybody. Handing a value to a student's function makes it theirs only if it is
    something to be filled or trained; else a label could be changed by what is to predict it.
    """
    cells = cells_of(source)
    kept, reasons = given(cells)
    names = bound_by(kept) - set(reasons)
    needs = [_needs(cells, index) for index, cell in enumerate(cells) if cell.kind == "test"]
    tests = [index for index, cell in enumerate(cells) if cell.kind == "test"]
    wanted: set[int] = set()
    for index, reads in zip(tests, needs, strict=True):
        wanted |= _slice(cells, index, reads & names, kept)
    found, done = [], 0
    flat = [(at, statement) for at, cell in enumerate(cells) for statement in cell.statements]
    for index, reads in zip(tests, needs, strict=True):
        before = [statement for at, statement in flat if at < index]
        run = [statement.source for statement in before[done:] if id(statement) in wanted]
        done = len(before)
        asks = {
            name: reasons.get(name, Source(Why.UNSEEN))
            for name in sorted(reads - names)
            if name in reasons or name not in BUILTIN
        }
        found.append(
            Question(
                id=cells[index].id,
                source=cells[index].source,
                given=tuple(run),
                names=tuple(sorted(reads & names)),
                asks=asks,
                defines=defined_for(asks, before),
            )
        )
    return found


def steps(source: NotebookNode) -> list[dict[str, Any]]:
    """What the judge's bench loads, `ulab_runtime.judge.bench`: the questions as plain data."""
    return [
        {
            "id": question.id,
            "source": question.source,
            "given": list(question.given),
            "asks": list(question.asks),
            "defines": list(question.defines),
        }
        for question in questions(source)
    ]


def mixed(source: NotebookNode) -> list[Mixed]:
    """What a source notebook does that can't be the same in the judge, by cell."""
    return list(_mixed(cells_of(source)))


def _needs(cells: Sequence[Cell], index: int) -> frozenset[str]:
    """Names that a test takes from outside the tests, through functions of earlier tests too."""
    reads = set(_reads(cells[index].statements))
    # What a test bound last is the test's, until a cell of the notebook binds it again.
    helpers: dict[str, Statement] = {}
    for cell in cells[:index]:
        for statement in cell.statements:
            for name in statement.binds:
                if cell.kind == "test":
                    helpers[name] = statement
                else:
                    helpers.pop(name, None)
    pending, found = list(reads), set()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        if name in helpers:
            pending += helpers[name].reads
    own = bound_by(cells[index].statements)
    return frozenset(found - set(helpers) - (own - reads))


def _reads(body: Sequence[Statement]) -> Iterator[str]:
    """Names read before the statements bind them; in functions, those they bind nowhere."""
    own: set[str] = set()
    for statement in body:
        yield from statement.reads - own
        own |= statement.binds


def _slice(
    cells: Sequence[Cell], index: int, names: Collection[str], kept: Sequence[Statement]
) -> set[int]:
    """The given statements before a test that its names need, by `id`."""
    ids = {id(statement) for statement in kept}
    before = [
        statement for cell in cells[:index] for statement in cell.statements if id(statement) in ids
    ]
    libraries = {
        name: meaning.split(":")[0].split(".")[0]
        for statement in before
        for name, meaning in statement.imports.items()
    }
    wanted: set[int] = set()
    needed = set(names)
    while True:
        size = len(wanted)
        for statement in reversed(before):
            if id(statement) in wanted:
                continue
            shows = {libraries.get(name) for name in statement.setting} & _SHOWING_LIBRARIES
            touched = statement.binds | (statement.changes - set(libraries))
            if touched & needed or (statement.setting & needed and not shows):
                wanted.add(id(statement))
                needed |= statement.reads | statement.changes
        if len(wanted) == size:
            return wanted


def _mixed(cells: Sequence[Cell]) -> Iterator[Mixed]:
    kept, theirs = given(cells)
    ids = {id(statement) for statement in kept}
    bound = {name for cell in cells if cell.kind != "test" for name in bound_by(cell.statements)}
    modules = {name for statement in kept for name in statement.imports}
    only_tests: set[str] = set()
    marked: set[str] = set()
    used: set[str] = set()
    for index, cell in enumerate(cells):
        if cell.kind == "test":
            used |= _needs(cells, index)
            only_tests |= bound_by(cell.statements) - bound - BUILTIN
            # One helper that is sent may use another.
            marked |= bound_by([each for each in cell.statements if each.marked])
            for statement in cell.statements:
                for name in sorted((statement.sent & only_tests) - marked):
                    yield Mixed(cell.id, name, Mix.SENT, statement.source)
            continue
        for statement in cell.statements:
            if cell.kind == "locked" and "*" in statement.imports:
                yield Mixed(cell.id, statement.source, Mix.STAR, statement.source)
            for name in sorted(statement.reads & only_tests):
                yield Mixed(cell.id, name, Mix.TESTS, statement.source)
            if id(statement) in ids and not statement.imports:
                again = (statement.binds | statement.changes) & used
                for name in sorted(again - modules - set(theirs)):
                    yield Mixed(cell.id, name, Mix.LATE, statement.source)
