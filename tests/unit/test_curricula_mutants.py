"""Mutants of solutions: what changes, what is left alone, which tests a mutant meets."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from unit.curricula_support import SOURCE, write_lab

from ulab_curricula import load_lab
from ulab_curricula.build import build
from ulab_curricula.errors import BadTest
from ulab_curricula.inspection import inspect
from ulab_curricula.mutants import Fate, Mutant, Mutants, mutant_job, mutants_of, with_fates
from ulab_curricula.mutations import mutations
from ulab_curricula.results import MutantFate
from ulab_curricula.snapshots import FEWEST_DRAWN, SLOW_S, draw, plan

CHANGES = {
    "a < b": {"a <= b", "a > b"},
    "x in seen": {"x not in seen"},
    "a + b": {"a - b"},
    "a - b": {"a + b", "b - a"},
    "a / b": {"a * b", "b / a"},
    "a and not b": {"a or not b", "a and b"},
    "x[1:]": {"x[2:]", "x[0:]"},
    "x[:n]": {"x[:n + 1]"},
    "range(n)": {"range(n - 1)"},
    "x.mean(axis=1)": {"x.sum(axis=1)", "x.mean()", "x.mean(axis=0)"},
    "x.sum(0)": {"x.mean(0)", "x.sum()", "x.sum(1)"},
    "np.sqrt(x)": {"x"},
    "x.copy()": {"x"},
    "f(a, b)": {"f(b, a)"},
    "f(x, padding=2)": {"f(x)", "f(x, padding=3)", "f(x, padding=1)"},
    "f(x, keepdim=True)": {"f(x, keepdim=False)"},
    "a if b else c": {"c if b else a"},
    "[x for x in y if x]": {"[x for x in y]"},
    "x * 1000": {"x / 1000", "x * 2000"},
    "x * 0.5": {"x / 0.5", "x * 1.0"},
    # Left alone: nobody could tell, or another value is as right.
    "np.abs(a - b)": {"a - b", "np.abs(a + b)"},
    "((a - b) / c) ** 2": {
        "((a + b) / c) ** 2", "((a - b) / c) ** 3", "((a - b) / c) ** 1", "(a - b) / c * 2",
        "((a - b) * c) ** 2", "(c / (a - b)) ** 2",
    },
    "np.maximum(a, b)": {"np.minimum(a, b)"},
    "SGD(p, lr=0.1)": set(),
    "default_rng(0)": set(),
    "f(x, random_state=1)": set(),
    "x / (n + 1e-9)": {"x * (n + 1e-09)", "(n + 1e-09) / x", "x / (n - 1e-09)"},
    "x.to(device)": set(),
    "'text'": set(),
}  # fmt: skip


@pytest.mark.parametrize("code", CHANGES)
def test_an_expression_changes_as_students_mistake_it(code: str) -> None:
    found = mutations(f"answer = {code}")
    assert {one.code.removeprefix("answer = ") for one in found} == CHANGES[code]


STATEMENTS = {
    "    x = x.copy()\n": ["    pass\n", "    x = x\n"],
    "    x[0] = y\n": ["    pass\n", "    x[1] = y\n"],
    # The loss of a name that is new only ends in a NameError.
    "    new = y\n": [],
    "    x += y\n": ["    x -= y\n", "    x = y\n", "    pass\n"],
    "    y.append(x)\n": ["    pass\n"],
    "    print(x - y)\n": [],
    "    raise ValueError(x + 1)\n": [],
    "    for _ in range(60):\n        y.append(x)\n": ["    for _ in range(60):\n        pass\n"],
    "    if x:\n        y.append(x)\n": [
        "    if not x:\n        y.append(x)\n",
        "    pass\n",
        "    if x:\n        pass\n",
    ],
    "    with still():\n        y.append(x)\n": [
        "    if True:\n        y.append(x)\n",
        "    with still():\n        pass\n",
    ],
    "    return y\n": ["    return None\n"],
    "    return None\n": [],
}


@pytest.mark.parametrize("body", STATEMENTS)
def test_a_statement_is_left_out_where_that_can_be_told(body: str) -> None:
    wanted = [ast.unparse(ast.parse(f"def f(x, y):\n{new}")) for new in STATEMENTS[body]]
    assert [one.code for one in mutations(f"def f(x, y):\n{body}")] == wanted


def test_only_the_marked_lines_change_and_none_that_are_free() -> None:
    code = "a = 1 + b\n### BEGIN SOLUTION\nc = 2 - b\nd = 3 - b  # free choice\n### END SOLUTION"
    cell = new_code_cell(code, metadata={"nbgrader": {"grade_id": "sums", "solution": True}})
    found = mutants_of(new_notebook(cells=[cell, new_code_cell("e = 4 - b")]))
    assert {(one.cell, one.mutation.line) for one in found} == {("sums", 3)}
    assert [(one.mutation.before, one.mutation.after) for one in found] == [
        ("2 - b", "2 + b"), ("2 - b", "b - 2"), ("2 - b", "3 - b"), ("2 - b", "1 - b"),
    ]  # fmt: skip


def test_a_free_choice_needs_a_reason(tmp_path: Path) -> None:
    answer = "    return add(a, a)"
    number = SOURCE[: SOURCE.index(answer)].count("\n") + 1
    for marked, lines in (("# free choice: either way", []), ("# free choice", [number]), ("", [])):
        source = SOURCE.replace(answer, f"{answer}  {marked}")
        lab = load_lab(write_lab(tmp_path / str(len(marked)), source=source))
        found = inspect(lab, build(lab))
        assert [problem.place.line for problem in found if isinstance(problem, BadTest)] == lines
        assert len(found) == len(lines)


def test_a_mutant_meets_the_tests_it_can_affect_and_what_those_need() -> None:
    code = {
        "f": "def f(x): return x - 1", "g": "def g(x): return x",
        "f-test": "assert f(3) == 2", "model": "model = f(train(g))",
        "g-test": "assert g(1) == 1", "model-test": "assert model",
    }  # fmt: skip
    cells = [{"name": name, "source": source} for name, source in code.items()]
    mutants = [Mutant("f", one) for one in mutations(code["f"])]
    job = mutant_job(cells, ["f-test", "g-test", "model-test"], mutants)
    assert list(job) == ["0"]
    assert job["0"]["needs"] == {"2": [0, 2], "5": [0, 1, 3, 5]}
    assert set(job["0"]["mutants"].values()) == {one.mutation.code for one in mutants}
    quick, whole, slow = plan(0, job["0"]["needs"], [0.0, 0.0, 0.1, 30.0, 0.0, 0.1])
    assert (quick, whole, slow) == ([0, 2], [0, 1, 2, 3, 5], True)


def test_slow_tests_are_for_what_passed_the_quick_ones_then_for_a_few_drawn() -> None:
    passed = [f"p{number:02}" for number in range(3)]
    others = [f"a{number:02}" for number in range(20)]
    costs = dict.fromkeys([*passed, *others], SLOW_S / 4)
    places = dict.fromkeys(passed, 1) | dict.fromkeys(others, 2)
    assert draw(places, costs, set(passed)) == [*passed, *others[:FEWEST_DRAWN]]
    cheap = dict.fromkeys(costs, 0.1)
    assert draw(places, cheap, set(passed)) == [*passed, *others]


def test_mutants_not_drawn_count_for_nothing_and_undecided_ones_as_survivors() -> None:
    made = [Mutant("f", one) for one in mutations("x = (a < b) + (c < d)")]
    fates = [Fate.CAUGHT, Fate.CAUGHT, Fate.SURVIVED, Fate.UNDECIDED]
    told = {
        one.key: MutantFate.model_validate({"fate": fate.value, "by": ""})
        for one, fate in zip(made, fates, strict=False)
    }
    found = Mutants(with_fates(made, told))
    assert (len(found.all), found.run, found.caught, found.share) == (len(made), 4, 2, 0.5)
    assert [one.fate for one in found.survivors] == [Fate.SURVIVED, Fate.UNDECIDED]
