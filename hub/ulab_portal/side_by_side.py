"""How similar passages are shown: the histogram's bars, and two people's lines by question."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import log1p

from ulab_coursework.ownwork import OwnCell

WIDTH, HEIGHT, BINS = 480.0, 120.0, 10
# They reorder what is read, so that code looks like other code.
_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Bar:
    """The pairs whose similarity lies from `start` to `end` percent."""

    start: int
    end: int
    pairs: int
    x: float
    height: float


@dataclass(frozen=True)
class Line:
    number: int
    text: str
    alike: bool


@dataclass(frozen=True)
class Question:
    """What two students or groups wrote in the cells of one name; empty for cells they added."""

    name: str
    sides: tuple[list[Line], list[Line]]

    @property
    def alike(self) -> int:
        return sum(line.alike for side in self.sides for line in side)


def bars(similarities: Iterable[float]) -> list[Bar]:
    """A histogram; heights grow with the logarithm, for nearly all pairs are alike in nothing."""
    counts = [0] * BINS
    for one in similarities:
        counts[min(int(one * BINS), BINS - 1)] += 1
    most = log1p(max(counts)) or 1.0
    wide, step = WIDTH / BINS, 100 // BINS
    return [
        Bar(n * step, (n + 1) * step, count, n * wide, HEIGHT * log1p(count) / most)
        for n, count in enumerate(counts)
    ]


def questions(
    cells: tuple[Sequence[OwnCell], Sequence[OwnCell]],
    alike: tuple[Collection[int], Collection[int]],
) -> list[Question]:
    """Both sides by question, in the order of the first; cells they added come last.

    Parameters
    ----------
    alike
        The similar lines of either side, numbered from 0 through all of its cells.
    """
    sides = [_lines(one, set(found)) for one, found in zip(cells, alike, strict=True)]
    names = dict.fromkeys(name for side in sides for name in side)
    return [
        Question(name, (sides[0].get(name, []), sides[1].get(name, [])))
        for name in sorted(names, key=lambda name: not name)
    ]


def _lines(cells: Iterable[OwnCell], alike: set[int]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    number = 0
    for cell in cells:
        for text in cell.source.split("\n"):
            found.setdefault(cell.name, []).append(Line(number + 1, visible(text), number in alike))
            number += 1
    return found


def visible(text: str) -> str:
    """The text with characters that reorder it written out."""
    return _REORDERING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
