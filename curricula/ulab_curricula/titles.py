"""What students read a graded cell's name as: the heading it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$", re.MULTILINE)


def cell_titles(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Graded cells in the notebook's order, each with the heading it stands under.

    Several cells under one heading are numbered.
    """
    return _titles(notebook, ("grade", "task"))


def answer_titles(notebook: Mapping[str, Any]) -> dict[str, str]:
    """The same of the cells that students write in."""
    return _titles(notebook, ("solution", "task"))


def heading_before(cells: Sequence[Mapping[str, Any]], place: int) -> str:
    """The last heading of a text, or of those before it; empty before the first."""
    for cell in reversed(cells[: place + 1]):
        if cell["cell_type"] == "markdown":
            headings = _HEADING.findall(_text(cell["source"]))
            if headings:
                return str(headings[-1])
    return ""


def _titles(notebook: Mapping[str, Any], kinds: Iterable[str]) -> dict[str, str]:
    heading = ""
    found: list[tuple[str, str]] = []
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "markdown":
            headings = _HEADING.findall(_text(cell["source"]))
            heading = headings[-1] if headings else heading
        if any(about.get(kind) for kind in kinds):
            found.append((about["grade_id"], heading or about["grade_id"]))
    return dict(_numbered(found))


def _numbered(found: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    titles = [title for _, title in found]
    seen: dict[str, int] = {}
    for name, title in found:
        seen[title] = seen.get(title, 0) + 1
        yield name, f"{title} ({seen[title]})" if titles.count(title) > 1 else title


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
