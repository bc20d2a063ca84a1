"""From a small percent script to the notebook that someone hands in, and the score it must get.

A script's header says what it tries. A cell that is called by a grade id replaces that cell's
source; one called ``free`` is a cell of the student's own, which stands after the one before it
in the script, or first of all; one called ``edit`` is run here, with the notebook's JSON as
``notebook`` and ``cells`` and the functions ``cell(grade_id)`` and ``code(source)``.
All else is the lab's own solution.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import yaml

from ulab_curricula.build import Built, build
from ulab_curricula.labs import Lab, load_lab

HERE = Path(__file__).parent
LABS = HERE / "labs" / "attacks"
NOTEBOOKS = HERE / "grading"
LANGUAGE = "en"
FULL, ANY, ZERO = "full", "any", "zero"
REFUSED = "refused"


@dataclass(frozen=True)
class Attempt:
    """What someone hands in.

    Attributes
    ----------
    tries
        What it does, in a sentence.
    kind
        ``cheat``, ``accident`` or ``honest``.
    score
        Points by the grade id of the test cell, where `others` does not say it.
    others
        What the other test cells get: ``full``, ``zero``, or ``any`` where the attempt may harm
        itself.
    refused
        Whether the file is turned away before anything of it runs.
    stock
        Why stock nbgrader is not given it; empty when it is.
    """

    name: str
    lab: str
    tries: str
    kind: str
    score: Mapping[str, float]
    others: str
    refused: bool
    stock: str
    cells: tuple[tuple[str, str], ...]

    def bounds(self, points: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """The fewest and the most points of each test cell."""
        rest = {FULL: (1.0, 1.0), ANY: (0.0, 1.0), ZERO: (0.0, 0.0)}[self.others]
        return {
            name: (self.score[name],) * 2
            if name in self.score
            else (rest[0] * most, rest[1] * most)
            for name, most in points.items()
        }


def attempts() -> list[Attempt]:
    """All attempts, by name."""
    return [read(path) for path in sorted(NOTEBOOKS.glob("*.py"))]


def read(path: Path) -> Attempt:
    parsed = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    [raw] = [cell for cell in parsed.cells if cell.cell_type == "raw"]
    header = yaml.safe_load(raw.source.strip().strip("-"))
    attempt = Attempt(
        name=path.stem,
        lab=header.pop("lab", "questions"),
        tries=header.pop("tries"),
        kind=header.pop("kind"),
        score=header.pop("score", {}),
        others=header.pop("others", FULL),
        refused=header.pop(REFUSED, False),
        stock=header.pop("stock", ""),
        cells=tuple(
            (str(cell.metadata.get("title", "")).strip(), cell.source)
            for cell in parsed.cells
            if cell.cell_type == "code" and cell.source.strip()
        ),
    )
    assert not header, f"{path}: unknown {', '.join(header)}"
    assert attempt.kind in ("cheat", "accident", "honest"), path
    return attempt


@functools.cache
def lab(name: str) -> Lab:
    return load_lab(LABS / name)


@functools.cache
def built(name: str) -> Built:
    return build(lab(name))


@functools.cache
def points(name: str) -> dict[str, float]:
    """What each test cell of a lab is worth."""
    cells = [cell.metadata.get("nbgrader", {}) for cell in built(name).canonical.cells]
    return {cell["grade_id"]: cell["points"] for cell in cells if cell.get("grade")}


def notebook(attempt: Attempt) -> bytes:
    """The file that is handed in."""
    made = solved(attempt.lab)
    cells = made["cells"]

    def cell(grade_id: str) -> dict[str, Any]:
        [found] = [
            c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
        ]
        return found

    place = 0
    for number, (name, source) in enumerate(attempt.cells):
        if name == "free":
            cells.insert(place, code(source, f"free-{number}"))
            place += 1
        elif name == "edit":
            exec(
                source, {"notebook": made, "cells": cells, "cell": cell, "code": code, "copy": copy}
            )
        else:
            cell(name)["source"] = source
            place = cells.index(cell(name)) + 1
    return json.dumps(made).encode()


def solved(name: str) -> dict[str, Any]:
    """The released notebook with the lab's own answers in it."""
    built_lab = built(name)
    made = json.loads(json.dumps(built_lab.releases[LANGUAGE]))
    for source, cell in zip(built_lab.sources[LANGUAGE].cells, made["cells"], strict=True):
        if source.metadata.get("nbgrader", {}).get("solution"):
            cell["source"] = source.source
    return made


def code(source: str, cell_id: str = "free") -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
