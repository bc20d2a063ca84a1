"""A lab's source as a percent script and as a notebook, either made from the other without loss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, mark
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import NOTEBOOK, SCRIPT, Lab

_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
# What nbgrader and Jupyter note down for themselves.
_NOTES = {"cell_type", "checksum"}
_DISPLAY = {
    "autoscroll", "collapsed", "scrolled", "trusted", "execution", "ExecuteTime", "editable",
    "deletable", "jupyter", "slideshow", "vscode", "colab", "id", "outputId",
    "lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker", "skipline", "noskipline",
}  # fmt: skip
_DEFAULTS = {"grade": False, "schema_version": 3, "solution": False, "task": False}
_SETTINGS = re.compile(r"jupyter\s*:\s*$")
_ID = re.compile(r"\W+")


class CantConvert(BadLab):
    """A source can't be written in the other form as it is."""


def read_cells(path: Path) -> list[NotebookNode]:
    """The cells of a source in either form, with the metadata that an author means.

    Outputs, cell ids and what an editor notes down of how a cell is shown are left out.

    Raises
    ------
    BadLab
        It can't be read.
    """
    text = _text(path)
    try:
        if path.suffix == ".py":
            cells = jupytext.reads(_without_settings(text), fmt="py:percent").cells
        else:
            parsed = nbformat.reads(text, as_version=4)
            nbformat.validate(parsed)
            cells = parsed.cells
    except Exception as error:  # the parsers raise whatever they do
        message = (
            mark("{file} can't be read as a percent script: {reason}.")
            if path.suffix == ".py"
            else mark("{file} can't be read as a notebook: {reason}.")
        )
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadLab(message, file=path, reason=reason) from None
    return [_plain(path, number, cell) for number, cell in enumerate(cells, 1)]


def _without_settings(script: str) -> str:
    """A script without what its head tells jupytext, and no cell is made of.

    jupytext reads that as YAML with aliases, a few lines of which can stand for gigabytes.
    """
    kept = []
    in_head, in_settings = True, False
    for number, line in enumerate(script.splitlines(keepends=True)):
        # What says the interpreter and the encoding may come first.
        in_head = number < 2 or (in_head and line.startswith("#"))
        said = line.removeprefix("#").removeprefix(" ").rstrip("\r\n")
        if not in_head or (said and not said[0].isspace()):
            in_settings = in_head and _SETTINGS.match(said) is not None
        if not in_settings:
            kept.append(line)
    return "".join(kept)


def convert_lab(lab: Lab) -> Path:
    """Write a lab's source in the other form, in place of the one it has.

    Raises
    ------
    BadLab
        It can't be written without loss; nothing was changed.
    """
    before = lab.source
    text = converted(before)
    after = before.with_name(NOTEBOOK if before.suffix == ".py" else SCRIPT)
    unfinished = after.with_name(f".{after.name}.partial")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(after)
    before.unlink()
    return after


def converted(path: Path) -> str:
    """The text of a source in the other form.

    Raises
    ------
    CantConvert
        Something in it has no place there, so that reading it back would give other cells.
    """
    cells = read_cells(path)
    text = as_notebook(cells) if path.suffix == ".py" else as_script(cells)
    other = path.with_name(NOTEBOOK if path.suffix == ".py" else SCRIPT)
    again = _again(text, other)
    if len(again) != len(cells):
        raise CantConvert(
            mark("{file} can't be converted: it would have {after} cells instead of {before}."),
            file=path,
            after=len(again),
            before=len(cells),
        )
    for number, (one, two) in enumerate(zip(cells, again, strict=True), 1):
        if one != two:
            raise CantConvert(
                mark(
                    "{file} can't be converted: cell {number} can't be written that way. Empty "
                    "lines at its ends and lines that begin with # %% are the usual reasons."
                ),
                file=path,
                number=number,
            )
    return text


def as_script(cells: Sequence[NotebookNode]) -> str:
    """Cells as a percent script."""
    notebook = new_notebook(
        cells=[_made(cell, f"c{number}") for number, cell in enumerate(cells)],
        metadata={
            "jupytext": {
                "main_language": "python",
                "notebook_metadata_filter": "-all",
                "cell_metadata_filter": "all",
            }
        },
    )
    for cell in notebook.cells:
        cell.metadata = _in_order(cell.metadata)
        cell.metadata["lines_to_next_cell"] = 1
    text: str = jupytext.writes(notebook, fmt="py:percent")
    return text


def as_notebook(cells: Sequence[NotebookNode]) -> str:
    """Cells as a notebook, with nbgrader's metadata in full, as its toolbar writes it."""
    made = []
    for number, cell in enumerate(cells, 1):
        new = _made(cell, _id(cell, number))
        if "nbgrader" in new.metadata:
            new.metadata["nbgrader"] = with_defaults(new.metadata["nbgrader"])
        made.append(new)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.writes(new_notebook(cells=made, metadata=metadata), version=4) + "\n"


def with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata with what a script leaves out."""
    return {**_DEFAULTS, "locked": not given.get("solution", False), **given}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadLab(mark("{file} can't be read: {reason}."), file=path, reason=error) from None


def _again(text: str, path: Path) -> list[NotebookNode]:
    try:
        if path.suffix == ".py":
            cells = jupytext.reads(text, fmt="py:percent").cells
        else:
            cells = nbformat.reads(text, as_version=4).cells
        return [_plain(path, number, cell) for number, cell in enumerate(cells, 1)]
    except UserError:
        return []


def _plain(path: Path, number: int, cell: NotebookNode) -> NotebookNode:
    if cell.get("attachments"):
        raise BadLab(
            mark(
                "{file}, cell {number}: it has a picture attached, which a percent script can't "
                "hold. Draw it in a code cell, or take it out."
            ),
            file=path,
            number=number,
        )
    metadata = {key: value for key, value in cell.metadata.items() if key not in _DISPLAY}
    grading = metadata.pop("nbgrader", None)
    if isinstance(grading, dict):
        grading = _sparse(grading)
    if grading:
        metadata["nbgrader"] = grading
    tags = [tag for tag in metadata.get("tags", []) if tag not in LANGUAGES]
    language = [tag for tag in metadata.pop("tags", []) if tag in LANGUAGES]
    if language and "lang" not in metadata:
        metadata["lang"] = language[0]
    if tags:
        metadata["tags"] = tags
    return NotebookNode(
        cell_type=cell.cell_type, source=cell.source, metadata=nbformat.from_dict(metadata)
    )


def _sparse(grading: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata without what is the default; nothing for a cell it does not mark."""
    given = {key: value for key, value in grading.items() if key not in _NOTES}
    kinds = ("grade", "solution", "task", "locked")
    if not any(given.get(key, key == "locked") for key in kinds):
        return {}
    defaults = {**_DEFAULTS, "locked": not given.get("solution", False)}
    return {k: v for k, v in given.items() if k not in defaults or defaults[k] != v}


def _made(cell: NotebookNode, cell_id: str) -> NotebookNode:
    return _NEW[cell.cell_type](cell.source, id=cell_id, metadata=dict(cell.metadata))


def _id(cell: NotebookNode, number: int) -> str:
    name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return f"{number}-{_ID.sub('-', str(name))[:50]}" if name else str(number)


def _in_order(metadata: dict[str, Any]) -> NotebookNode:
    """The order that authors write: the language, nbgrader's word, the rest."""
    first = [key for key in ("lang", "nbgrader") if key in metadata]
    rest = [key for key in metadata if key not in first]
    made = {key: metadata[key] for key in (*first, *rest)}
    if isinstance(made.get("nbgrader"), dict):
        order = ("grade_id", "locked", "grade", "solution", "task", "points")
        given = made["nbgrader"]
        if not any(given.get(key) for key in ("grade", "solution", "task")):
            given = {"locked": True, **given}
        keys = [*(key for key in order if key in given), *(k for k in given if k not in order)]
        made["nbgrader"] = {key: given[key] for key in keys}
    return NotebookNode(made)
