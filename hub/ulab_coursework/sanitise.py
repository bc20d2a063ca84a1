"""Making a submission fit to be graded: the student's answers in the lab's own frame.

What nbgrader knows of a cell (points, locked or not, kind) is taken from the lab, never from the
submission, and locked cells get their source back from the gradebook.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import nbformat
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    OverwriteCells,
    OverwriteKernelspec,
)

from ulab_coursework.assign import apply, resources_of
from ulab_coursework.notebooks import grade_id_of

_NBGRADER = (ClearOutput, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)


@dataclass(frozen=True)
class Sanitised:
    """A notebook ready to run, and what had to be mended.

    Attributes
    ----------
    missing
        Grade ids of cells the student had removed; they were put back as the lab has them.
    duplicated
        Grade ids that occurred more than once; the last one counts.
    """

    notebook: nbformat.NotebookNode
    missing: tuple[str, ...]
    duplicated: tuple[str, ...]


def sanitise(
    submitted: dict[str, Any], release: dict[str, Any], gradebook: str, assignment: str
) -> Sanitised:
    """Rebuild a submission.

    Parameters
    ----------
    submitted
        What the student handed in.
    release
        What the student had been given.
    gradebook
        The gradebook's address; it is only read.
    """
    framed, missing, duplicated = into_frame(submitted, release)
    notebook = apply((DeduplicateIds,), nbformat.from_dict(framed), {})
    for cell in notebook.cells:
        # What is left of a duplicate is the student's own cell.
        if not cell.metadata.get("nbgrader"):
            cell.metadata.pop("nbgrader", None)
    return Sanitised(
        apply(_NBGRADER, notebook, resources_of(gradebook, assignment)), missing, duplicated
    )


def into_frame(
    submitted: dict[str, Any], release: dict[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """Give known cells the lab's metadata and kind, and put removed ones back in their place.

    Returns
    -------
    tuple
        The notebook, the missing grade ids, the duplicated grade ids.
    """
    frame = {i: cell for cell in release["cells"] if (i := grade_id_of(cell)) is not None}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": copy.deepcopy(release["metadata"]),
        "cells": [_reframed(cell, frame) for cell in submitted["cells"]],
    }
    cells = notebook["cells"]
    present = [i for cell in cells if (i := grade_id_of(cell)) is not None]
    duplicated = tuple(i for i in frame if present.count(i) > 1)
    missing = tuple(i for i in frame if i not in present)
    previous: str | None = None
    for grade_id, original in frame.items():
        if grade_id in missing:
            cells.insert(_place_after(cells, previous), _put_back(original))
        previous = grade_id
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # a student's ids may clash
    return notebook, missing, duplicated


def _reframed(cell: dict[str, Any], frame: dict[str, dict[str, Any]]) -> dict[str, Any]:
    original = frame.get(grade_id_of(cell) or "")
    if original is not None:
        return _plain(original["cell_type"], cell["source"], original["metadata"])
    # nbgrader's word for a cell it doesn't know, and tags, which change how a cell is run, go.
    metadata = {k: v for k, v in cell["metadata"].items() if k not in ("nbgrader", "tags")}
    return _plain(cell["cell_type"], cell["source"], metadata)


def _put_back(original: dict[str, Any]) -> dict[str, Any]:
    return _plain(original["cell_type"], original["source"], original["metadata"])


def _plain(kind: str, source: str | list[str], metadata: dict[str, Any]) -> dict[str, Any]:
    """A cell with its source as one string, and nothing of what it had put out."""
    cell = {
        "cell_type": kind,
        "source": source if isinstance(source, str) else "".join(source),
        "metadata": copy.deepcopy(metadata),
    }
    return cell | {"outputs": [], "execution_count": None} if kind == "code" else cell


def _place_after(cells: list[dict[str, Any]], grade_id: str | None) -> int:
    for index in reversed(range(len(cells))):
        if grade_id_of(cells[index]) == grade_id:
            return index + 1
    return 0
