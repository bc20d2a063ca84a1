"""Outputs of untrusted code: what the controller lets in, and what of it a student sees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import nbformat

TEXT_LIMIT = 200_000
PICTURE_LIMIT = 8_000_000
TRACEBACK_LINES = 200
MIME_TYPES = frozenset(
    {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg"}
)
PICTURES = frozenset({"image/png", "image/jpeg"})
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TELLING = 8
"""A hidden line shorter than this says nothing of its own."""


@dataclass
class Budget:
    """How many characters of one notebook's outputs may still be taken.

    Text is dear, because making a page of it takes time; pictures are carried as they are.
    """

    text: int = 2_000_000
    pictures: int = 24_000_000
    outputs: int = 10_000
    """How many there may be: an empty one costs no character, and yet memory."""

    def take(self, output: dict[str, Any]) -> bool:
        """Whether an output can be afforded; it is paid for then."""
        data = output.get("data", {})
        pictures = sum(len(value) for mime, value in data.items() if mime in PICTURES)
        text = sum(map(len, _texts(output))) - pictures
        if text > self.text or pictures > self.pictures or self.outputs < 1:
            return False
        self.outputs -= 1
        self.text -= text
        self.pictures -= pictures
        return True


def admit(outputs: object, budget: Budget) -> list[nbformat.NotebookNode]:
    """Rebuild outputs from plain values of the known kinds, dropping all else.

    Parameters
    ----------
    outputs
        What was read back; anything at all.
    budget
        What may still be taken; it is reduced. One error is always taken, cut short if need be,
        because it says why a cell failed.
    """
    admitted: list[nbformat.NotebookNode] = []
    has_error = False
    for output in outputs if isinstance(outputs, list) else []:
        clean = _clean(output) if isinstance(output, dict) else None
        if clean is None:
            continue
        if not budget.take(clean):
            if clean["output_type"] != "error" or has_error:
                continue
            clean |= {"evalue": clean["evalue"][:1000], "traceback": []}
        has_error |= clean["output_type"] == "error"
        admitted.append(nbformat.from_dict(clean))
    return admitted


def _clean(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": _text(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        lines = [_text(line) for line in lines] if isinstance(lines, list) else []
        return {
            "output_type": "error",
            "ename": _text(output.get("ename"))[:200],
            "evalue": _text(output.get("evalue")),
            "traceback": lines[:TRACEBACK_LINES],
        }
    if kind in ("execute_result", "display_data"):
        data = output.get("data")
        data = {
            mime: _text(value, PICTURE_LIMIT if mime in PICTURES else TEXT_LIMIT)
            for mime, value in (data.items() if isinstance(data, dict) else ())
            if mime in MIME_TYPES
        }
        clean = {"output_type": kind, "data": data, "metadata": {}}
        return clean | {"execution_count": None} if kind == "execute_result" else clean
    return None


def _text(value: object, limit: int = TEXT_LIMIT) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "")[:limit]  # NUL breaks what shows text


def _texts(output: dict[str, Any]) -> Iterable[str]:
    yield output.get("text", "")
    yield output.get("ename", "")
    yield output.get("evalue", "")
    yield from output.get("traceback", ())
    yield from output.get("data", {}).values()


def hidden_lines(sources: Iterable[str]) -> frozenset[str]:
    """The lines of hidden tests in cells' sources, stripped, that would give something away."""
    found = set()
    for source in sources:
        hidden = False
        for line in source.split("\n"):
            if "### BEGIN HIDDEN TESTS" in line:
                hidden = True
                found.add("### BEGIN HIDDEN TESTS")
            elif "### END HIDDEN TESTS" in line:
                hidden = False
                found.add("### END HIDDEN TESTS")
            elif hidden and len(line.strip()) >= _TELLING:
                found.add(line.strip())
    return frozenset(found)


def without_hidden(
    outputs: list[nbformat.NotebookNode], hidden: frozenset[str], notice: str
) -> list[nbformat.NotebookNode]:
    """Outputs with every line of a hidden test taken out.

    A traceback quotes the lines around the failure, so those lines go and the rest, with the
    message that the test's author wrote, stays. Any other output that quotes a hidden line is
    replaced by `notice`.
    """
    shown = []
    for output in outputs:
        output = nbformat.from_dict(dict(output))
        if output.output_type == "error":
            output.traceback = _cut(output.traceback, hidden)
            if tells("\n".join([output.evalue, *output.traceback]), hidden):
                output.evalue = notice
                output.traceback = [f"{output.ename}: {notice}"]
        elif any(tells(text, hidden) for text in _texts(output)):
            output = nbformat.v4.new_output("stream", name="stdout", text=f"{notice}\n")
        shown.append(output)
    return shown


def _cut(traceback: Iterable[str], hidden: frozenset[str]) -> list[str]:
    kept = []
    for part in traceback:
        lines = [line for line in part.split("\n") if not tells(line, hidden)]
        if lines:
            kept.append("\n".join(lines))
    return kept


def tells(text: str, hidden: frozenset[str]) -> bool:
    """Whether a text quotes a line of a hidden test."""
    shown = plain(text)
    return any(line in shown for line in hidden)


def plain(text: str) -> str:
    """A text without the terminal's colours."""
    return _ANSI.sub("", text)
