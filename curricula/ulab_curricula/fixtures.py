"""The right and wrong answers that come with a lab, and what each must score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from nbformat import NotebookNode
from pydantic import Field, field_validator

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, mark
from ulab_core.manifest import Strict
from ulab_curricula.conversion import read_cells
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import Lab
from ulab_curricula.reading import understood
from ulab_curricula.source import CANONICAL, CHINESE


class Head(Strict):
    """What an answer's file says at its beginning."""

    mistake: str = ""
    note: str = ""
    loses: Mapping[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    says: Mapping[str, Mapping[Annotated[str, Field(pattern="^(zh|en)$")], str]] = Field(
        default_factory=dict
    )

    @field_validator("says", mode="before")
    @classmethod
    def _in_languages(cls, says: Any) -> Any:
        if not isinstance(says, dict):
            return says
        return {test: _by_language(words) for test, words in says.items()}


def _by_language(words: Any) -> Any:
    if not isinstance(words, str):
        return words
    # An English notebook holds no Chinese, so its messages can't either.
    languages = [CANONICAL] if CHINESE.search(words) else LANGUAGES
    return dict.fromkeys(languages, words)


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
    BadLab, BadManifest
        A file names a cell the lab does not have, or its head can't be used.
    """
    fixtures = []
    for kind in ("wrong", "right"):
        for path in sorted((lab.folder / "fixtures" / kind).glob("*.py")):
            fixtures.append(_load(path, kind, answers, points))
    return fixtures


def _load(
    path: Path, kind: str, answers: Mapping[str, str], points: Mapping[str, float]
) -> Fixture:
    cells = read_cells(path)
    head = _head(path, cells)
    replaced = {
        str(cell.metadata.get("title", "")).strip(): cell.source
        for cell in cells
        if cell.cell_type == "code" and cell.source.strip()
    }
    _require_known(path, mark("the lab has no answer cell {cell}"), replaced, answers)
    for tests in (head.loses, head.says):
        _require_known(path, mark("the lab has no test cell {cell}"), tests, points)
    if not replaced:
        raise BadLab(mark("{file}: it replaces no cell."), file=path)
    if kind == "wrong" and not head.loses:
        raise BadLab(mark("{file}: a wrong answer must say in `loses` what it loses."), file=path)
    if kind == "right" and head.loses:
        raise BadLab(mark("{file}: a right answer loses nothing."), file=path)
    return Fixture(f"{kind}/{path.stem}", replaced, head.loses, head.says)


def _head(path: Path, cells: Sequence[NotebookNode]) -> Head:
    for cell in cells:
        if cell.cell_type == "raw":
            # The mark of its beginning stays as an empty line, for the lines to count as they are.
            text = cell.source.strip().strip("-")
            return understood(path, text, Head).manifest if text.strip() else Head()
    return Head()


def _require_known(
    path: Path, message: str, names: Iterable[str], known: Mapping[str, object]
) -> None:
    for name in names:
        if name not in known:
            raise BadLab(
                mark("{file}: {problem}; it has {known}."),
                file=path,
                problem=UserError(message, cell=name),
                known=", ".join(known),
            )
