"""Which cells a changed answer can affect."""

from __future__ import annotations

import pytest

from ulab_curricula.dependencies import Names, cells_to_run, names_of


@pytest.mark.parametrize(
    ("code", "sets", "reads"),
    [
        ("x = y + 1", {"x"}, {"y"}),
        ("x = 1\nprint(x)", {"x"}, set()),
        ("x = x + 1", {"x"}, {"x"}),
        ("x += 1", {"x"}, {"x"}),
        ("def f(a):\n    b = a\n    return b + c", {"f"}, {"c"}),
        ("def f():\n    return g()\n\ndef g():\n    return 1", {"f", "g"}, set()),
        ("rows[0] = v", {"rows"}, {"rows", "v"}),
        ("rows.append(v)", {"rows", "v"}, {"rows", "v"}),
        ("import numpy as np\nnp.add.at(m, 1, 2)", {"np", "m"}, {"m"}),
        ("for i in items:\n    total = i", {"i", "total"}, {"items"}),
        ("if ready:\n    x = 1\nprint(x)", {"x"}, {"ready", "x"}),
        ("best = [k for k in found if k > limit]", {"best"}, {"found", "limit"}),
        ("class Net(Base):\n    size = width", {"Net"}, {"Base", "width"}),
        ("with opened as f:\n    use = f", {"f", "use"}, {"opened"}),
    ],
)
def test_what_a_cell_sets_and_reads(code: str, sets: set[str], reads: set[str]) -> None:
    assert names_of(code) == Names(frozenset(sets), frozenset(reads))


CELLS = [
    "import numpy as np",
    "def answer(x):\n    return x",
    "assert answer(1) == 1",
    "def other(x):\n    return x",
    "assert other(1) == 1",
    "slow = fit(answer)",
    "drawn = slow.plot()",
    "assert slow > 1",
]


def test_only_what_depends_on_the_change_runs() -> None:
    tests = {2, 4, 7}
    assert cells_to_run(CELLS, {3}, tests) == [3, 4]
    assert cells_to_run(CELLS, {1}, tests) == [1, 2, 5, 7]


def test_a_cell_that_a_dependent_test_needs_runs_too() -> None:
    cells = ["def answer():\n    return 1", "other = 2", "assert answer() < other"]
    assert cells_to_run(cells, {0}, {2}) == [0, 1, 2]


def test_what_changes_a_value_in_place_is_not_skipped() -> None:
    cells = [
        "def answer():\n    return 1",
        "rows = []",
        "rows.append(answer())",
        "assert rows[0] == 1",
    ]
    assert cells_to_run(cells, {0}, {3}) == [0, 1, 2, 3]


def test_a_cell_that_cannot_be_read_means_all_cells() -> None:
    cells = [*CELLS[:2], "%matplotlib inline", *CELLS[2:]]
    assert cells_to_run(cells, {1}, {3}) == list(range(1, len(cells)))
