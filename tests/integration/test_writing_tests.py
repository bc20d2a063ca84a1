"""The tests that docs/writing-tests.md shows tell right answers from wrong ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.judging_support import Answer, Locked, Test, judge, judges

from ulab_coursework.judging import Judges
from ulab_runtime.judge.verdicts import Verdict, points

PAGE = Path(__file__).parents[2] / "docs" / "writing-tests.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
GIVEN = """\
import numpy as np
import pytest
import torch
from torch import nn
import ulab
_expected = torch.zeros(1, 1)
"""
RIGHT = """\
def normalise(train, x):
    return (x - train.mean()) / train.std()
class Shape:
    def __init__(self, width, height):
        if width < 0:
            raise ValueError("no side is negative")
        self.width, self.height, self.name = width, height, f"{width} by {height}"
    def area(self):
        return self.width * self.height
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)
def sign(text):
    return "+" if text in ("good", "fine") else "-"
def scaled(x):
    return x / x.max()
def centred(x):
    return x - x.mean()
def train_step(model, optimizer, x, y):
    nn.init.zeros_(model.weight)
"""
WRONG = """\
def normalise(train, x):
    return (x - x.mean()) / x.std()
class Shape:
    def __init__(self, width, height):
        self.width, self.height, self.name = width, height, f"{width} by {height}"
    def area(self):
        return self.width * self.height
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __add__(self, other):
        return Vector(self.x + other.x, self.y)
def sign(text):
    return "+"
def scaled(x):
    return x / x.sum()
def centred(x):
    return x
def train_step(model, optimizer, x, y):
    nn.init.ones_(model.weight)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    with judges(None, tmp_path_factory.mktemp("store"), cell_timeout_s=60) as made:
        yield made


def earned(made: Judges, answer: str) -> dict[str, tuple[float | None, str]]:
    """Of 2 points each, and why, by the example's number."""
    tests = [(Test, example) for example in EXAMPLES]
    judged = judge(made, (Locked, GIVEN), (Answer, answer), *tests, key="the page")
    verdicts: list[Verdict] = list(judged.verdicts.values())
    return {str(at): (points(each, 2), each.reason) for at, each in enumerate(verdicts)}


def test_right_answers_earn_all_points_and_wrong_ones_not(made: Judges) -> None:
    right, wrong = earned(made, RIGHT), earned(made, WRONG)
    assert len(EXAMPLES) == 7
    assert [found for found, _ in right.values()] == [2.0] * 7, right
    # Half of the signs are right by chance, as in the example of partial credit.
    assert [found for found, _ in wrong.values()] == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], wrong
