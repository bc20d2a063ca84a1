"""Which tests a submission is graded with: the key under which a grade is the same grade."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ulab_curricula import PublishedLab

# Another way of grading gives other grades: raise it when the same tests may score differently.
GRADER = 2


def tests_digest(lab: PublishedLab) -> str:
    """The SHA-256 of all that decides the points of a submission; a text's wording does not."""
    return digest_of(json.loads(lab.source_notebook.read_bytes()))


def digest_of(notebook: dict[str, Any]) -> str:
    """The digest of a source notebook: its code, its questions and their points, in order."""
    cells = [
        [cell["cell_type"], _question(cell), _source(cell)]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" or _question(cell)
    ]
    return hashlib.sha256(json.dumps([GRADER, cells], sort_keys=True).encode()).hexdigest()


def _question(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def _source(cell: dict[str, Any]) -> str:
    if cell["cell_type"] != "code" and not _question(cell).get("grade"):
        return ""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
