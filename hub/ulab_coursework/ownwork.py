"""What of a notebook its student wrote: the lab's own cells are taken out by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ulab_coursework.notebooks import grade_id_of

LONGEST = 200_000


@dataclass(frozen=True)
class OwnCell:
    """One code cell. `name` is its grade id; empty for a cell the student added."""

    name: str
    source: str


def own_cells(notebook: Mapping[str, Any], releases: Iterable[Mapping[str, Any]]) -> list[OwnCell]:
    """The code a student wrote, in the notebook's order.

    Parameters
    ----------
    releases
        What students were given, in each language.
    """
    given = [cell for release in releases for cell in release["cells"]]
    locked = {grade_id_of(cell) for cell in given if not _to_write_in(cell)} - {None}
    known = {grade_id_of(cell) for cell in given} - {None}
    texts = {text_of(cell).strip() for cell in given}
    found, left = [], LONGEST
    for cell in notebook["cells"]:
        name, source = grade_id_of(cell), text_of(cell)[:left]
        unchanged = source.strip() in texts
        if cell["cell_type"] == "code" and name not in locked and source.strip() and not unchanged:
            found.append(OwnCell(name if name in known and name else "", source))
            left -= len(source)
    return found


def template_of(releases: Iterable[Mapping[str, Any]]) -> str:
    """All code that students were given."""
    return "\n".join(
        text_of(cell)
        for release in releases
        for cell in release["cells"]
        if cell["cell_type"] == "code"
    )


def text_of(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _to_write_in(cell: Mapping[str, Any]) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))
