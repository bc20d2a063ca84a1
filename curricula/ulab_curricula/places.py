"""Where in `lab.py` something stands, for its author to go there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from ulab_core.i18n import mark
from ulab_curricula.labs import Lab
from ulab_curricula.source import CANONICAL, lines_in_language


@dataclass(frozen=True)
class Place:
    """A line of a cell.

    Attributes
    ----------
    line
        Its number in the file; None when it can't be found there.
    code
        Its text; empty when the whole cell is meant.
    """

    file: Path
    cell: str
    line: int | None = None
    code: str = ""

    def said(self, translate: Callable[[str], str] = str) -> str:
        """The place in words; editors open ``file:line``."""
        file = shortest(self.file)
        if self.line is not None:
            file = f"{file}:{self.line}"
        return translate(mark("{file}, cell {cell}")).format(file=file, cell=self.cell)


def shortest(path: Path) -> str:
    """A path as seen from here, or in full where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def place_of(lab: Lab, source: NotebookNode, cell: str, line: int = 0) -> Place:
    """Where a line of a cell stands.

    Parameters
    ----------
    source
        The lab's source notebook in the canonical language, whose tests the judge runs.
    cell
        Its grade id.
    line
        Counted from 1; 0 for the cell as a whole.
    """
    code = _line(source, cell, line)
    written = lab.source.read_text(encoding="utf-8").splitlines()
    head = re.compile(rf'^# %%.*"grade_id": *"{re.escape(cell)}"')
    begins = next((number for number, text in enumerate(written) if head.match(text)), None)
    if begins is None:
        return Place(lab.source, cell, None, code)
    if not code:
        return Place(lab.source, cell, begins + 1)
    body = written[begins + 1 :]
    blank = next((number for number, text in enumerate(body) if text.strip()), 0)
    shown = list(lines_in_language(body[blank:], CANONICAL))
    if line > len(shown) or shown[line - 1][1].strip() != code:
        return Place(lab.source, cell, begins + 1, code)
    return Place(lab.source, cell, begins + 2 + blank + shown[line - 1][0], code)


def place_of_name(lab: Lab, source: NotebookNode, cell: str, name: str, *, within: str) -> Place:
    """Where a statement of a cell has a name; the cell as a whole where it can't be found."""
    code = _code(source, cell)
    # Statements that were taken apart or hold a magic are not in the cell's text as they are.
    begins = max(code.find(within), 0)
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", code[begins:])
    line = code.count("\n", 0, begins + found.start()) + 1 if found else 0
    return place_of(lab, source, cell, line)


def _line(source: NotebookNode, cell: str, line: int) -> str:
    lines = _code(source, cell).splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def _code(source: NotebookNode, cell: str) -> str:
    for each in source.cells:
        # A cell without a grade id is called by its id.
        if cell in (each.metadata.get("nbgrader", {}).get("grade_id"), each.get("id")):
            return str(each.source)
    return ""
