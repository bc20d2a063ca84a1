"""From a lab's source to one notebook a language: metadata, cell ids, the language's prose."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, mark
from ulab_curricula.conversion import read_cells
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import Lab

CANONICAL = "zh"
CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3001-\u303f]")

_TAGGED_COMMENT = re.compile(r"^(?P<indent>\s*)# (?P<language>zh|en): ?(?P<text>.*)$")
_KEYS = {"grade", "grade_id", "locked", "points", "schema_version", "solution", "task"}
_GRADE_ID = re.compile(r"^[A-Za-z0-9_-]{1,60}$")


def read_source(lab: Lab) -> list[NotebookNode]:
    """The cells of `lab.py` or `lab.ipynb`, both languages, with nbgrader's metadata completed.

    Raises
    ------
    BadLab
        The file can't be read, or a cell's metadata can't be used.
    """
    cells = [cell for cell in read_cells(lab.source) if cell.cell_type in ("code", "markdown")]
    for number, cell in enumerate(cells, 1):
        _complete(lab, number, cell)
    return cells


def notebook(lab: Lab, language: str, version: str) -> NotebookNode:
    """The lab's source notebook in one language, with solutions and hidden tests.

    Parameters
    ----------
    lab
        The lab.
    language
        ``"zh"`` or ``"en"``.
    version
        The curriculum's version, recorded in the notebook.

    Returns
    -------
    NotebookNode
        The same source gives the same bytes; corresponding cells have one id in all languages.
    """
    cells = read_source(lab)
    ids = _cell_ids([cell for cell in cells if _in_language(cell, CANONICAL)])
    _refuse_duplicates(lab, ids)
    chosen = [cell for cell in cells if _in_language(cell, language)]
    if len(chosen) != len(ids):
        raise BadLab(
            mark("{file}: {chinese} cells are in Chinese, {english} in English; pair them."),
            file=lab.source,
            chinese=len(ids),
            english=len(chosen),
        )
    made = [_make(cell, cell_id, language) for cell, cell_id in zip(chosen, ids, strict=True)]
    metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "ulab": {"lab": lab.id, "language": language, "version": version},
    }
    return new_notebook(cells=made, metadata=metadata)


def _make(cell: NotebookNode, cell_id: str, language: str) -> NotebookNode:
    metadata = {"nbgrader": dict(cell.metadata["nbgrader"])} if "nbgrader" in cell.metadata else {}
    if cell.cell_type == "code":
        return new_code_cell(in_language(cell.source, language), id=cell_id, metadata=metadata)
    return new_markdown_cell(cell.source, id=cell_id, metadata=metadata)


def in_language(code: str, language: str) -> str:
    """Code with the tagged comments of `language` untagged and the others' taken out."""
    return "\n".join(line for _, line in lines_in_language(code.splitlines(), language))


def lines_in_language(lines: Iterable[str], language: str) -> Iterator[tuple[int, str]]:
    """Of a cell's lines those of a language, each with its index among all."""
    for index, line in enumerate(lines):
        tagged = _TAGGED_COMMENT.match(line)
        if tagged is None:
            yield index, line
        elif tagged["language"] == language:
            yield index, f"{tagged['indent']}# {tagged['text']}".rstrip()


def _in_language(cell: NotebookNode, language: str) -> bool:
    return cell.metadata.get("lang", language) == language


def _cell_ids(cells: list[NotebookNode]) -> list[str]:
    """Ids that outlive insertions: grade ids, else from the content."""
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        grading = cell.metadata.get("nbgrader")
        if grading:
            name = grading["grade_id"]
        else:
            name = "cell-" + hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids


def _refuse_duplicates(lab: Lab, ids: list[str]) -> None:
    for name in ids:
        if f"{name}-2" in ids and not name.startswith("cell-"):
            raise BadLab(mark("{file}: two cells are called {cell}."), file=lab.source, cell=name)


def _complete(lab: Lab, number: int, cell: NotebookNode) -> None:
    language = cell.metadata.get("lang")
    if language is not None and (language not in LANGUAGES or cell.cell_type == "code"):
        _refuse(
            lab, number, UserError(mark('lang must be "zh" or "en", and only on Markdown cells'))
        )
    given = cell.metadata.get("nbgrader")
    if given is None:
        return
    if not isinstance(given, dict) or set(given) - _KEYS:
        strange = ", ".join(sorted(set(given) - _KEYS)) if isinstance(given, dict) else given
        _refuse(
            lab, number, UserError(mark("nbgrader's metadata holds {strange}"), strange=strange)
        )
    cell.metadata["nbgrader"] = completed(given, cell.cell_type)
    problem = _metadata_problem(cell.metadata["nbgrader"], cell.cell_type)
    if problem:
        _refuse(lab, number, problem)


def completed(given: dict[str, Any], cell_type: str) -> dict[str, Any]:
    """nbgrader's metadata with the defaults of docs/curricula.md filled in."""
    solution = bool(given.get("solution", False))
    return {
        "grade": False,
        "locked": not solution,
        "schema_version": 3,
        "solution": False,
        "task": False,
        "cell_type": cell_type,
        **given,
    }


def _metadata_problem(grading: dict[str, Any], cell_type: str) -> UserError | None:
    grade_id = grading.get("grade_id")
    if not isinstance(grade_id, str) or not _GRADE_ID.match(grade_id):
        message = mark("grade_id must be letters, digits, - and _, not {grade_id}")
        return UserError(message, grade_id=repr(grade_id))
    points = grading.get("points")
    if grading["grade"] and not _is_worth_something(points):
        return UserError(mark("{cell} is graded and needs points above 0"), cell=grade_id)
    if not grading["grade"] and points is not None:
        return UserError(mark("{cell} has points but is not graded"), cell=grade_id)
    if cell_type == "markdown" and grading["grade"] and not grading["solution"]:
        message = mark("{cell} is a graded Markdown cell and must be a solution too")
        return UserError(message, cell=grade_id)
    return None


def _is_worth_something(points: Any) -> bool:
    """Whether points can be added up; JSON, as metadata is read here, knows NaN and Infinity."""
    number = isinstance(points, int | float) and not isinstance(points, bool)
    return number and math.isfinite(points) and points > 0


def _refuse(lab: Lab, number: int, reason: UserError) -> None:
    raise BadLab(
        mark("{file}, cell {number}: {reason}."), file=lab.source, number=number, reason=reason
    )
