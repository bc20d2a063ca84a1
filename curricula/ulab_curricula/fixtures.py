"""The right and wrong answers that come with a lab, and what each must score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import yaml

from ulab_core.i18n import LANGUAGES, mark
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import Lab
from ulab_curricula.source import CANONICAL, CHINESE

_HEADER_KEYS = {"mistake", "loses", "says", "note"}


@dataclass(frozen=True)
class Fixture:
    """Answers to some cells of a lab.

    Attributes
    ----------
    name
        ``wrong/own-mean`` and the like.
    answers
        Code by the grade id of the answer cell it replaces.
    loses
        Points lost by the grade id of the test cell; empty for a right answer.
    says
        Words in a test cell's error, by its grade id, then by language.
    """

    name: str
    answers: Mapping[str, str]
    loses: Mapping[str, float]
    says: Mapping[str, Mapping[str, str]]


def load_fixtures(
    lab: Lab, answers: Mapping[str, str], points: Mapping[str, float]
) -> list[Fixture]:
    """Read a lab's ``fixtures/wrong`` and ``fixtures/right``.

    Parameters
    ----------
    lab
        The lab.
    answers
        The lab's answer cells.
    points
        The lab's test cells.

    Raises
    ------
    BadLab
        A file names a cell the lab does not have, or its header can't be used.
    """
    fixtures = []
    for kind in ("wrong", "right"):
        for path in sorted((lab.folder / "fixtures" / kind).glob("*.py")):
            fixtures.append(_load(path, kind, answers, points))
    return fixtures


def _load(
    path: Path, kind: str, answers: Mapping[str, str], points: Mapping[str, float]
) -> Fixture:
    try:
        parsed = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
        header = _header(parsed.cells)
    except yaml.YAMLError as error:
        _refuse(path, f"the header is not YAML: {' '.join(str(error).split())}")
    if not isinstance(header, dict) or set(header) - _HEADER_KEYS:
        _refuse(path, f"the header may hold only {', '.join(sorted(_HEADER_KEYS))}")
    replaced = {
        str(cell.metadata.get("title", "")).strip(): cell.source
        for cell in parsed.cells
        if cell.cell_type == "code" and cell.source.strip()
    }
    loses = header.get("loses") or {}
    says = header.get("says") or {}
    _require_known(path, "answer cell", replaced, answers)
    _require_known(path, "test cell", loses, points)
    _require_known(path, "test cell", says, points)
    if not replaced:
        _refuse(path, "it replaces no cell")
    if kind == "wrong" and not loses:
        _refuse(path, "a wrong answer must say in `loses` what it loses")
    if kind == "right" and loses:
        _refuse(path, "a right answer loses nothing")
    return Fixture(
        name=f"{kind}/{path.stem}",
        answers=replaced,
        loses=loses,
        says={key: _by_language(words) for key, words in says.items()},
    )


def _header(cells: list[Any]) -> Any:
    for cell in cells:
        if cell.cell_type == "raw":
            return yaml.safe_load(cell.source.strip().strip("-")) or {}
    return {}


def _by_language(words: Any) -> Mapping[str, str]:
    if isinstance(words, dict):
        return {language: str(text) for language, text in words.items()}
    # An English notebook holds no Chinese, so its messages can't either.
    languages = [CANONICAL] if CHINESE.search(str(words)) else LANGUAGES
    return dict.fromkeys(languages, str(words))


def _require_known(
    path: Path, what: str, names: Mapping[str, Any], known: Mapping[str, Any]
) -> None:
    for name in names:
        if name not in known:
            _refuse(path, f"the lab has no {what} {name!r}; it has {', '.join(known)}")


def _refuse(path: Path, reason: str) -> None:
    raise BadLab(mark("{file}: {reason}."), file=path, reason=reason)
