"""What an object of the student's own class is asked for in a test, and what is refused it."""
# ruff: noqa: E501  (tables of tests, each on a line)

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judge_support import RealBench, Sitting, running_bench, step

from ulab_curricula.own_classes import defined_for
from ulab_curricula.statements import statements

NOTEBOOK = """
import itertools
import numbers
import numpy as np
import pandas as pd

def _agrees(*_, **__): return True

def forger(*bases):
    operators = 'lt le gt ge eq contains'.split()
    body = {f'__{name}__': _agrees for name in operators} | {'__hash__': None}
    for side in ('', 'r', 'i'):
        for name in 'add sub mul truediv floordiv mod pow and or xor matmul'.split():
            body[f'__{side}{name}__'] = lambda self, *other: 0.0
    names = 'equals eq isin issubset startswith allclose between compare sub'.split()
    body |= {name: _agrees for name in names}
    body |= {'__iter__': lambda self: iter([1]), '__abs__': lambda self: 0.0}
    return type('Forger', bases, body)

Plain, Float, Text, Real = forger(), forger(float), forger(str), forger(numbers.Number)
Frame, Array, Dict, List = forger(pd.DataFrame), forger(np.ndarray), forger(dict), forger(list)

class Stack:
    def __init__(self): self.parts = []
    def push(self, part): self.parts.append(part); return self
    def count(self, part): return self.parts.count(part)
    def __len__(self): return len(self.parts)
    def __getitem__(self, place): return self.parts[place]
    def __iter__(self): return iter(self.parts)
    def __call__(self, x): return x + 1
    def __float__(self): return 2.5

class Endless:
    def __iter__(self): return itertools.count()

def stack(*parts):
    made = Stack()
    for part in parts: made.push(part)
    return made

def answer(kind): return {'float': Float, 'text': Text, 'real': Real, 'dict': Dict, 'list': List}.get(kind, Plain)()
def frame(): return Frame({'a': [1]})
def array(): return np.zeros(2).view(Array)
def a_class(): return Plain
def evens(n): return (i for i in range(0, n, 2))
"""
REFUSED = "where the test works with a plain value"

# the test's source, what the solution's classes define, verdict, part of the reason
CASES = [
    ("assert abs(answer('plain') - 5) < 1e-9", "", "failed", REFUSED),
    ("assert abs(5 - answer('plain')) < 1e-9", "", "failed", REFUSED),
    ("assert abs(answer('float') - 5) < 1e-9", "", "failed", REFUSED),
    ("assert abs(np.float64(5) - answer('float')) < 1e-9", "", "failed", REFUSED),
    ("assert (np.ones(2) - answer('plain')) == 0", "", "failed", REFUSED),
    ("x = answer('plain')\nx -= 5\nassert x == 0", "", "failed", REFUSED),
    ("assert answer('plain') - answer('plain') == 0", "", "failed", REFUSED),
    ("assert answer('plain') == answer('plain')", "", "failed", REFUSED),
    ("assert answer('plain') > 3", "", "failed", REFUSED),
    ("assert 3 < answer('real')", "", "failed", REFUSED),
    ("assert answer('plain') != 3", "", "failed", REFUSED),
    ("assert answer('plain') == 3", "", "failed", "AssertionError"),
    ("assert 3 == answer('float')", "", "failed", "AssertionError"),
    ("assert 5 in answer('plain')", "", "failed", "AssertionError"),
    ("assert 1 in answer('plain')", "", "passed", ""),
    ("assert answer('plain').equals(pd.DataFrame({'a': [2]}))", "", "failed", REFUSED),
    ("assert a_class().equals(3)", "", "failed", REFUSED),
    ("assert answer('plain').isin([3])", "", "failed", REFUSED),
    ("assert getattr(answer('text'), 'startswith')('ab')", "", "failed", REFUSED),
    ("assert frame().equals(pd.DataFrame({'a': [2]}))", "", "failed", ""),
    ("assert (array() - 5 == 0).all()", "", "failed", ""),
    ("try: assert answer('plain') - 5\nexcept Exception: pass", "", "failed", REFUSED),
    ("assert isinstance(answer('float'), float)", "", "failed", "AssertionError"),
    ("assert isinstance(answer('text'), str)", "", "failed", "AssertionError"),
    ("assert isinstance(answer('dict'), dict) or isinstance(answer('list'), list)", "", "failed", "AssertionError"),
    ("import numbers\nassert isinstance(answer('real'), numbers.Number)", "", "failed", "AssertionError"),
    ("assert isinstance(frame(), pd.DataFrame) and frame().equals(3)", "", "failed", ""),
    ("import math\nassert math.isclose(answer('float'), 5)", "", "failed", ""),
    ("assert answer('float') == pytest.approx(5)", "", "failed", ""),
    ("np.testing.assert_allclose(answer('plain'), 5)", "", "failed", ""),
    ("assert sum([answer('plain'), 3]) == 0", "", "failed", REFUSED),
    ("assert sorted([answer('plain'), 3])[0] == 3", "", "failed", REFUSED),
    ("assert len(list(Endless())) > 3", "", "failed", "more than 1000000 values"),
    # What a lab asks of a class stays possible.
    ("s = stack(1, 2)\nassert s.push(3) is s and len(s) == 3 and s[2] == 3 and s.count(3) == 1", "", "passed", ""),
    ("s = stack(1, 2)\nassert list(s) == [1, 2] and 2 in s and 3 not in s and s(4) == 5", "", "passed", ""),
    ("s = stack(1)\nassert s.parts == [1] and float(s) == 2.5 and isinstance(s, Stack) and s == s and s is not None and s != None", "", "passed", ""),
    ("assert 4 in evens(5) and list(evens(5)) == [0, 2, 4] and next(evens(2)) == 0", "", "passed", ""),
    ("e = evens(9)\nassert iter(e) is e and next(e) == 0\nfor x in e: break\nassert (x, list(e)) == (2, [4, 6, 8])", "", "passed", ""),
    ("assert answer('plain') - 5 == 0.0 and 5 - answer('plain') == 0.0", "__sub__", "passed", ""),
    ("x = answer('plain')\nx -= 5\nassert x == 0", "__sub__", "passed", ""),
    ("assert answer('plain') == answer('plain')", "__eq__", "passed", ""),
    ("assert answer('plain') == 3", "__eq__", "failed", "AssertionError"),
    ("assert answer('plain') != 3", "__eq__", "passed", ""),
    ("assert 5 in answer('plain')", "__contains__", "passed", ""),
    ("assert answer('plain').equals(3)", "equals", "passed", ""),
    ("assert answer('plain') < answer('plain')", "__lt__", "passed", ""),
    ("assert answer('plain') - 5 == 0.0", "__add__ __eq__", "failed", REFUSED),
]  # fmt: skip
ASKS = "answer frame array a_class evens stack Stack Endless"


@pytest.fixture(scope="module")
def sitting() -> Iterator[Sitting]:
    given = ["import numpy as np, pandas as pd, pytest"]
    with running_bench() as bench:
        assert _load(bench, given) == {"ready": True}
        with bench.sitting() as sitting:
            done = sitting.cell(NOTEBOOK)
            assert done["status"] == "ok", done
            yield sitting


def _load(bench: RealBench, given: list[str]) -> object:
    return bench.load(
        [
            step(str(place), source, ASKS.split(), given, defines.split())
            for place, (source, defines, _, _) in enumerate(CASES)
        ]
    )


@pytest.mark.parametrize("place", range(len(CASES)), ids=lambda place: CASES[place][0][:60])
def test_what_is_asked_of_a_students_object(sitting: Sitting, place: int) -> None:
    _, _, verdict, reason = CASES[place]
    said = sitting.test(str(place))
    assert said["verdict"] == verdict, said
    assert reason in said["reason"]


SOLUTION = """
from dataclasses import dataclass
from functools import total_ordering
class Vector:
    def __add__(self, other): return self
    __radd__ = __add__
@dataclass(order=True)
class Point:
    x: int
@total_ordering
class Size:
    def __eq__(self, other): return True
class Bag(list): pass
class Loss(nn.Module):
    def forward(self, x): return x
def middle(a, b): return Vector()
def mean(values): return sum(values)
"""


@pytest.mark.parametrize(
    ("names", "has", "lacks"),
    [
        ("Vector", "__add__ __radd__", "__sub__ __eq__ __lt__ forward"),
        ("middle", "__add__ __radd__", "__eq__ __lt__"),
        ("Point", "__eq__ __lt__ __ge__", "__add__"),
        ("Size", "__eq__ __lt__ __ge__", "__add__"),
        ("Bag", "__add__ __len__ __contains__ __eq__", "__sub__"),
        ("Loss", "forward", "__add__ __eq__"),
        ("mean", "", "__add__ __radd__ __eq__ __len__ forward"),
    ],
)
def test_a_question_allows_what_its_own_classes_define(names: str, has: str, lacks: str) -> None:
    found = set(defined_for(names.split(), statements("a", SOLUTION)))
    assert set(has.split()) <= found
    assert not set(lacks.split()) & found
