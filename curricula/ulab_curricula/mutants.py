"""Mutants of a lab's solutions: which there are, which tests they meet, what became of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nbformat import NotebookNode

from ulab_curricula.dependencies import cells_to_run
from ulab_curricula.mutations import Mutation, free_lines, mutations
from ulab_curricula.results import MutantFate

SHARE_CAUGHT = 0.9
"""The least share of mutants that a lab's tests must catch."""


class Fate(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    # No quick test caught it, and there was no time for those that need a training.
    UNDECIDED = "undecided"
    # Only tests that need a training could catch it, and others were drawn for these.
    NOT_DRAWN = "not drawn"


@dataclass(frozen=True)
class Mutant:
    """A changed solution.

    Attributes
    ----------
    cell
        The answer cell's grade id.
    mutation
        What is changed there.
    fate
        What became of it.
    by
        The test that caught it; empty when it broke down or took too long.
    """

    cell: str
    mutation: Mutation
    fate: Fate = Fate.NOT_DRAWN
    by: str = ""

    @property
    def key(self) -> str:
        """Stays the same from run to run, and orders mutants at random."""
        return hashlib.sha256(f"{self.cell}\n{self.mutation.code}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Mutants:
    """All mutants of a lab; those not drawn count for nothing.

    Attributes
    ----------
    free
        How many lines of the solution the author has kept from being changed.
    """

    all: tuple[Mutant, ...] = ()
    free: int = 0

    @property
    def run(self) -> int:
        return sum(mutant.fate is not Fate.NOT_DRAWN for mutant in self.all)

    @property
    def caught(self) -> int:
        return sum(mutant.fate is Fate.CAUGHT for mutant in self.all)

    @property
    def survivors(self) -> list[Mutant]:
        return [one for one in self.all if one.fate in (Fate.SURVIVED, Fate.UNDECIDED)]

    @property
    def share(self) -> float:
        """Of those run the caught ones; 1 where there are none."""
        return self.caught / self.run if self.run else 1.0


def mutants_of(source: NotebookNode) -> list[Mutant]:
    """The mutants of each answer cell's marked solution, or of the whole cell without marks."""
    found = []
    for cell in source.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not grading.get("solution"):
            continue
        lines = cell.source.splitlines()
        first = _line(lines, "### BEGIN SOLUTION") or 1
        last = _line(lines, "### END SOLUTION") or len(lines)
        made = mutations(cell.source, first, last)
        found += [Mutant(grading["grade_id"], mutation) for mutation in made]
    return found


def lines_kept_free(source: NotebookNode) -> int:
    """How many lines of answer cells are marked as a free choice."""
    return sum(
        len(free_lines(cell.source))
        for cell in source.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    )


def _line(lines: Sequence[str], marker: str) -> int:
    return next((number for number, line in enumerate(lines, 1) if marker in line), 0)


def mutant_job(
    cells: Sequence[Mapping[str, str]], points: Collection[str], mutants: Sequence[Mutant]
) -> dict[str, Any]:
    """What the runner is to do: by mutated cell its mutants, and what each test needs to run.

    Parameters
    ----------
    cells
        The code cells of the notebook, each with `name` and `source`.
    points
        The names of the test cells.
    """
    code = [cell["source"] for cell in cells]
    tests = [place for place, cell in enumerate(cells) if cell["name"] in points]
    job: dict[str, Any] = {}
    for place, cell in enumerate(cells):
        own = [mutant for mutant in mutants if mutant.cell == cell["name"]]
        if not own:
            continue
        affected = set(cells_to_run(code, {place}, tests)) & set(tests)
        job[str(place)] = {
            "mutants": {mutant.key: mutant.mutation.code for mutant in own},
            "needs": {
                str(test): cells_to_run(code, {place}, {test}) for test in tests if test in affected
            },
        }
    return job


def with_fates(mutants: Sequence[Mutant], found: Mapping[str, MutantFate]) -> tuple[Mutant, ...]:
    """The mutants with what the runner wrote of them, by key; nothing of those not drawn."""
    return tuple(
        Mutant(one.cell, one.mutation, Fate(told.fate), told.by)
        if (told := found.get(one.key))
        else one
        for one in mutants
    )
