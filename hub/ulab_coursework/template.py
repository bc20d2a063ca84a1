"""Rebuilding a submission: the student's cells, lifted by id into the notebook the lab gave out.

What nbgrader knows of a cell (points, locked or not, kind) and every locked cell's source come
from the lab, never from the submission.
"""

from __future__ import annotations

import bisect
import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nbformat
from nbgrader import utils

from ulab_coursework.notebooks import grade_id_of

Cell = dict[str, Any]


@dataclass(frozen=True)
class Rebuilt:
    """A notebook ready to be judged, and what had to be mended; grade ids in the lab's order.

    Attributes
    ----------
    missing
        Cells the student had removed; they are as the lab gave them.
    duplicated
        Cells that were there more than once; the last one counts.
    moved
        Cells that stood elsewhere; they are back in their places.
    """

    notebook: nbformat.NotebookNode
    missing: tuple[str, ...]
    duplicated: tuple[str, ...]
    moved: tuple[str, ...]


def rebuild(
    submitted: Mapping[str, Any], release: Mapping[str, Any], source: Mapping[str, Any]
) -> Rebuilt:
    """Put a student's cells into the lab's template.

    Parameters
    ----------
    submitted
        What the student handed in, as `notebooks.parse` read it.
    release
        What the student had been given.
    source
        The lab's source, which test cells are taken from with all their tests.
    """
    template = _marked(release["cells"])
    tests = {name: cell for name, cell in _marked(source["cells"]).items() if _is_test(cell)}
    names = [name if name in template else None for name in map(grade_id_of, submitted["cells"])]
    last = {name: place for place, name in enumerate(names) if name is not None}
    answers = {name: _source(submitted["cells"][place]) for name, place in last.items()}
    free = _free_cells(submitted["cells"], names, last, template)
    cells = list(free.get(None, ()))
    for name, original in template.items():
        text = answers.get(name) if utils.is_solution(original) else None
        if text is None:
            text = _source(tests.get(name, original))
        cells.append(_plain(original["cell_type"], text, original["metadata"]))
        cells += free.get(name, ())
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # a student's ids may clash
    return Rebuilt(
        nbformat.from_dict(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": copy.deepcopy(dict(release["metadata"])),
                "cells": cells,
            }
        ),
        missing=tuple(name for name in template if name not in last),
        duplicated=tuple(name for name in template if names.count(name) > 1),
        moved=_moved(list(template), sorted(last, key=lambda name: last[name])),
    )


def _marked(cells: Iterable[Cell]) -> dict[str, Any]:
    """The cells that nbgrader knows, by id."""
    nodes = (nbformat.from_dict(cell) for cell in cells)
    return {name: cell for cell in nodes if (name := grade_id_of(cell)) is not None}


def _is_test(cell: Any) -> bool:
    return bool(utils.is_grade(cell)) and not utils.is_solution(cell)


def _free_cells(
    cells: Sequence[Cell],
    names: Sequence[str | None],
    last: Mapping[str, int],
    template: Mapping[str, Any],
) -> dict[str | None, list[Cell]]:
    """The cells of the student's own, by the known cell that they stand below.

    What is left of a duplicate is the student's own too.
    """
    found: dict[str | None, list[Cell]] = {}
    above: str | None = None
    for place, (name, cell) in enumerate(zip(names, cells, strict=True)):
        if name is not None and last[name] == place:
            above = name
        elif name is None or utils.is_solution(template[name]):
            # nbgrader's word for a cell goes, and tags, which change how a cell is run.
            kept = {k: v for k, v in cell["metadata"].items() if k not in ("nbgrader", "tags")}
            found.setdefault(above, []).append(_plain(cell["cell_type"], _source(cell), kept))
    return found


def _moved(template: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """The ids that are not in order, as few as can be named."""
    place = {name: number for number, name in enumerate(template)}
    ends: list[int] = []
    chains: list[tuple[str, ...]] = []
    for name in theirs:
        at = bisect.bisect_left(ends, place[name])
        chain = (*(chains[at - 1] if at else ()), name)
        ends[at : at + 1], chains[at : at + 1] = [place[name]], [chain]
    stay = set(chains[-1]) if chains else set()
    return tuple(name for name in template if name in theirs and name not in stay)


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _plain(kind: str, source: str, metadata: Mapping[str, Any]) -> Cell:
    """A cell with nothing of what it had put out."""
    cell = {"cell_type": kind, "source": source, "metadata": copy.deepcopy(dict(metadata))}
    return cell | {"outputs": [], "execution_count": None} if kind == "code" else cell
