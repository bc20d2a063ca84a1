"""Deciding whether bytes are a notebook of a certain lab; nothing is run or stored here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat

from ulab_core.errors import Titles, UserError
from ulab_core.i18n import LANGUAGES, mark

MAX_CELLS = 2000


class NotANotebook(UserError):
    """The bytes are no Jupyter notebook that could be graded."""

    status = 422


class OtherAssignment(UserError):
    """The notebook belongs to another lab."""

    status = 422


def parse(content: bytes) -> dict[str, Any]:
    """Read a notebook as plain values.

    Raises
    ------
    NotANotebook
        It is no JSON, no notebook of format 4, or has no cells.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise NotANotebook(
            mark(
                "This file is not a Jupyter notebook: its content can't be read. Save the notebook "
                "again and submit that file."
            )
        ) from None
    if not isinstance(value, dict) or not isinstance(value.get("cells"), list):
        raise NotANotebook(
            mark("This file is not a Jupyter notebook. Submit the lab's .ipynb file.")
        )
    if not value["cells"]:
        raise NotANotebook(mark("This notebook has no cells, so there is nothing to grade."))
    if len(value["cells"]) > MAX_CELLS:
        raise NotANotebook(
            mark("This notebook has more than {limit} cells. Delete those you don't need."),
            limit=MAX_CELLS,
        )
    if value.get("nbformat") != 4:
        raise NotANotebook(
            mark(
                "This notebook has an old format. Open it in JupyterLab, save it and submit again."
            )
        )
    try:
        nbformat.validate(value)
    except (nbformat.ValidationError, KeyError, TypeError, ValueError, RecursionError):
        raise NotANotebook(
            mark(
                "This notebook is damaged: it breaks the rules of the notebook format. Open it in "
                "JupyterLab, save it and submit again."
            )
        ) from None
    return value


def check_belongs(
    notebook: dict[str, Any],
    lab: str,
    release: dict[str, Any],
    titles: Mapping[str, Titles] | None = None,
) -> None:
    """Refuse a notebook of another lab.

    Parameters
    ----------
    lab
        The assignment's name.
    release
        The notebook students were given.
    titles
        What labs are called in a refusal; others go by their name.

    Raises
    ------
    OtherAssignment
        It names another lab, or has none of this lab's marked cells.
    """
    titles = titles or {}
    named = own_metadata(notebook).get("lab")
    if isinstance(named, str) and named != lab:
        raise OtherAssignment(
            mark("This notebook belongs to {other}, not to {assignment}. Submit it there."),
            other=titles.get(named, named),
            assignment=titles.get(lab, lab),
        )
    expected = set(grade_ids(release))
    if expected and expected.isdisjoint(grade_ids(notebook)):
        raise OtherAssignment(
            mark(
                "This notebook has none of the cells of {assignment}. Submit the notebook that "
                "you got with the lab."
            ),
            assignment=titles.get(lab, lab),
        )


def own_metadata(notebook: dict[str, Any]) -> dict[str, Any]:
    """What the builder wrote about the lab into the notebook; a student may have changed it."""
    found = notebook.get("metadata", {}).get("ulab")
    return found if isinstance(found, dict) else {}


def language_of(notebook: dict[str, Any], default: str) -> str:
    """The language the notebook was given out in."""
    found = own_metadata(notebook).get("language")
    return found if found in LANGUAGES else default


def grade_ids(notebook: dict[str, Any]) -> Iterator[str]:
    """The ids of the cells nbgrader knows, in order, duplicates included."""
    for cell in notebook["cells"]:
        grade_id = grade_id_of(cell)
        if grade_id is not None:
            yield grade_id


def grade_id_of(cell: dict[str, Any]) -> str | None:
    nbgrader = cell.get("metadata", {}).get("nbgrader")
    found = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return found if isinstance(found, str) else None
