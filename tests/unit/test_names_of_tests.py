"""Whose each name of a test is: what a student could change must never be what a test expects."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from unit.curricula_support import SOURCE, write_lab

from ulab_curricula.build import build
from ulab_curricula.inspection import inspect
from ulab_curricula.labs import load_lab
from ulab_curricula.questions import Mix, Mixed, Why, mixed, questions, steps

KINDS = {
    "locked": {"locked": True, "solution": False, "grade": False},
    "answer": {"locked": False, "solution": True, "grade": False},
    "by-hand": {"locked": False, "solution": True, "grade": True, "points": 1},
    "test": {"locked": True, "solution": False, "grade": True, "points": 1},
}
ANSWER = ("answer", "def answer(x):\n    return x")


def notebook(*cells: tuple[str, str]) -> NotebookNode:
    """Cells by kind and source; "open" ones have no metadata, a grade id is kind and number."""
    made = []
    for number, (kind, source) in enumerate(cells):
        name = f"{kind}-{number}"
        metadata = {"nbgrader": {"grade_id": name, **KINDS[kind]}} if kind in KINDS else {}
        made.append(new_code_cell(source, id=name, metadata=metadata))
    return new_notebook(cells=made)


# What the judge is given and what it asks for in the last cell, a test.
CASES: dict[str, tuple[list[tuple[str, str]], list[str], set[str]]] = {
    "the answer is asked": ([ANSWER, ("test", "assert answer(1) == 1")], [], {"answer"}),
    "a locked constant is given": (
        [("locked", "wanted = 3\nother = 4"), ANSWER, ("test", "assert answer(1) == wanted")],
        ["wanted = 3"],
        {"answer"},
    ),
    "an import is given wherever it stands": (
        [("open", "import numpy as np"), ANSWER, ("test", "assert np.ones(1) == answer(1)")],
        ["import numpy as np"],
        {"answer"},
    ),
    "so it is above the solution in the cell of the answer": (
        [
            ("answer", "import math\n### BEGIN SOLUTION\na = 1\n### END SOLUTION"),
            ("test", "assert math.pi > a"),
        ],
        ["import math"],
        {"a"},
    ),
    "an import that is the answer is asked": (
        [
            ("answer", "### BEGIN SOLUTION\nfrom math import sqrt\n### END SOLUTION"),
            ("test", "assert sqrt(4) == 2"),
        ],
        [],
        {"sqrt"},
    ),
    "two different imports of one name are not": (
        [
            ("locked", "from math import sqrt"),
            ("open", "from cmath import sqrt"),
            ("test", "assert sqrt(4) == 2"),
        ],
        [],
        {"sqrt"},
    ),
    "labels stay given though the student's function is called with them": (
        [
            ("locked", "y_test = [1, 0]"),
            ANSWER,
            ("locked", "score = answer(y_test)"),
            ("open", "answer(y_test)\nprint(y_test)"),
            ("test", "assert score > 0 and y_test"),
        ],
        ["y_test = [1, 0]"],
        {"score"},
    ),
    "a model that the student's function trains is the student's": (
        [
            ("locked", "import torch\nmodel = torch.nn.Linear(2, 1).to('cpu')"),
            ("answer", "def train(m):\n    return []"),
            ("locked", "losses = train(model)"),
            ("test", "assert model(torch.zeros(1, 2)) is not None"),
        ],
        ["import torch"],
        {"model"},
    ),
    "a model that the lab fits on its own data is given with its fitting": (
        [
            ("locked", "from m import Model\nx = [1]\nmodel = Model()\nmodel.fit(x)\nprint(x)"),
            ANSWER,
            ("test", "assert model.predict(x) == answer(x)"),
        ],
        ["from m import Model", "x = [1]", "model = Model()", "model.fit(x)"],
        {"answer"},
    ),
    "fitted on what the student made, it is the student's": (
        [
            ("locked", "from m import Model\nmodel = Model()"),
            ANSWER,
            ("locked", "history = model.fit(answer([1]))"),
            ("test", "assert model.predict([1])"),
        ],
        [],
        {"model"},
    ),
    "a list that a student's loop fills is the student's": (
        [
            ("locked", "losses = []"),
            ANSWER,
            ("locked", "for i in range(3):\n    losses.append(answer(i))"),
            ("test", "assert losses"),
        ],
        [],
        {"losses"},
    ),
    "a list that the lab's own loop fills is given": (
        [
            ("locked", "rows = []"),
            ("locked", "for i in range(3):\n    rows.append(i)"),
            ("open", "for i in rows:\n    print(i)"),
            ("test", "assert rows"),
        ],
        ["rows = []", "for i in range(3):\n    rows.append(i)"],
        set(),
    ),
    "a list that the body of a student's function fills is the student's": (
        [
            ("locked", "seen = []"),
            ("answer", "def answer(x):\n    seen.append(x)"),
            ("test", "answer(1)\nassert seen"),
        ],
        [],
        {"answer", "seen"},
    ),
    "a function's own list is another": (
        [
            ("locked", "seen = []"),
            ("answer", "def answer(x):\n    seen = []\n    seen.append(x)"),
            ("test", "answer(1)\nassert not seen"),
        ],
        ["seen = []"],
        {"answer"},
    ),
    "counting up with the student's is the student's": (
        [("locked", "total = 0"), ANSWER, ("locked", "total += answer(1)"), ("test", "total")],
        [],
        {"total"},
    ),
    "so is what a student's cell writes into": (
        [("locked", "table = {'a': 1}"), ("open", "table['b'] = 2"), ("test", "table['b']")],
        [],
        {"table"},
    ),
    "and what a function binds by `global`": (
        [
            ("locked", "best = 0"),
            ("answer", "def answer(x):\n    global best\n    best = x"),
            ("test", "answer(1)\nassert best"),
        ],
        [],
        {"answer", "best"},
    ),
    "and what `inplace=True` changes": (
        [
            ("locked", "table = load()\ndef load():\n    return 1"),
            ("open", "x = table.drop(columns='a', inplace=True)"),
            ("test", "table"),
        ],
        [],
        {"table"},
    ),
    "what is only looked at stays given": (
        [
            ("locked", "import lib\ntable = lib.load()"),
            ("open", "table.head()\ntable.plot(kind='bar')\nlen(table)\nx = table.mean()"),
            ("test", "table"),
        ],
        ["import lib", "table = lib.load()"],
        set(),
    ),
    "a helper that uses the student's function is the student's": (
        [ANSWER, ("locked", "def twice(x):\n    return 2 * answer(x)"), ("test", "twice(1)")],
        [],
        {"twice"},
    ),
    "a helper that uses nothing of the student's is given, with what it needs": (
        [
            ("locked", "rate = 2\ndef twice(x):\n    return rate * x"),
            ANSWER,
            ("test", "answer(twice(1))"),
        ],
        ["rate = 2", "def twice(x):\n    return rate * x"],
        {"answer"},
    ),
    "two names bound at once are two statements": (
        [
            ANSWER,
            ("locked", "labels = [1]"),
            ("locked", "x, y = answer(labels), sorted(labels)"),
            ("test", "assert x == y"),
        ],
        ["labels = [1]", "y = sorted(labels)"],
        {"x"},
    ),
    "a name that a student's cell binds too is asked, though the lab's cell is run": (
        [
            ("locked", "import lib\na, b = lib.load()"),
            ("open", "b = 1"),
            ("test", "assert a == b"),
        ],
        ["import lib", "a, b = lib.load()"],
        {"b"},
    ),
    "seeds go with the library": (
        [
            ("locked", "import torch\ntorch.manual_seed(0)\nx = torch.rand(2)\ntorch.save(x, 'f')"),
            ANSWER,
            ("test", "answer(x)"),
        ],
        ["import torch", "torch.manual_seed(0)", "x = torch.rand(2)"],
        {"answer"},
    ),
    "drawing is not run for a test": (
        [
            ("locked", "import matplotlib.pyplot as plt\nx = [1]\nplt.plot(x)\nplt.show()"),
            ("test", "assert x"),
        ],
        ["x = [1]"],
        set(),
    ),
    "magics of locked cells are left out": (
        [
            ("locked", "%matplotlib inline\n!ls\nx = 1\nfiles = !ls"),
            ("locked", "%%bash\nx=2"),
            ("locked", "%%time\ny = 2"),
            ("test", "assert x < y"),
        ],
        ["x = 1", "y = 2"],
        set(),
    ),
    "what a magic binds in a student's cell is the student's": (
        [("locked", "x = 1"), ("open", "%time x = 2"), ("test", "assert x")],
        [],
        {"x"},
    ),
    "a builtin is the judge's": ([ANSWER, ("test", "assert sum([answer(1)])")], [], {"answer"}),
    "unless the exercise is to write it": (
        [("answer", "def sum(x):\n    return 0"), ("test", "assert sum([1])")],
        [],
        {"sum"},
    ),
    "a name bound by the test itself is not asked": (
        [("open", "_x = 5"), ANSWER, ("test", "_x = 1\nassert answer(_x) == 1")],
        [],
        {"answer"},
    ),
    "but one that it reads first is": (
        [("open", "x = 5"), ("test", "x = x + 1\nassert x == 6")],
        [],
        {"x"},
    ),
    "a comprehension has its own names": (
        [("open", "x = [5]"), ("test", "assert [x for x in x] == [5]")],
        [],
        {"x"},
    ),
    "an earlier test's helper brings what it asks": (
        [
            ANSWER,
            ("test", "def _check(x):\n    assert answer(x) == x"),
            ("test", "_check(2)"),
        ],
        [],
        {"answer"},
    ),
    "a helper sent to the student asks nothing here": (
        [
            ("locked", "import ulab"),
            ANSWER,
            ("test", "@ulab.at_student\ndef run(x):\n    return answer(x)\n\nassert run(1) == 1"),
        ],
        ["import ulab"],
        set(),
    ),
    "an error that is caught has a name of the test's": (
        [ANSWER, ("test", "try:\n    answer(1)\nexcept KeyError as e:\n    print(e)")],
        [],
        {"answer"},
    ),
    "decorators and classes are given whole": (
        [
            (
                "locked",
                "import functools\n\n@functools.cache\ndef load():\n    return 1\n\n"
                "class Case:\n    size = load()",
            ),
            ("test", "assert Case.size"),
        ],
        [
            "import functools",
            "@functools.cache\ndef load():\n    return 1",
            "class Case:\n    size = load()",
        ],
        set(),
    ),
    "code that hides its names is not given": (
        [("locked", "exec('x = 1')\ny = eval('1')"), ("test", "assert y")],
        [],
        {"y"},
    ),
    "a cell graded by a person is the student's": (
        [("by-hand", "x = 1"), ("test", "assert x")],
        [],
        {"x"},
    ),
    "an unlocked cell without a solution is the student's": (
        [("open", "y_test = [1]"), ("test", "assert y_test")],
        [],
        {"y_test"},
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_test_is_given_and_what_it_asks(case: str) -> None:
    cells, given, asks = CASES[case]
    question = questions(notebook(*cells))[-1]
    assert (list(question.given), set(question.asks)) == (given, asks)


def test_steps_are_in_the_notebooks_order_and_run_once() -> None:
    source = notebook(
        ("locked", "a = 1\nb = 2"),
        ANSWER,
        ("test", "assert answer(b) == b"),
        ("locked", "c = a + b"),
        ("test", "### BEGIN HIDDEN TESTS\nassert answer(c) == c\n### END HIDDEN TESTS"),
    )
    assert steps(source) == [
        {
            "id": "test-2",
            "source": "assert answer(b) == b",
            "given": ["a = 1", "b = 2"],
            "asks": ["answer"],
            "defines": [],
        },
        {
            "id": "test-4",
            "source": "### BEGIN HIDDEN TESTS\nassert answer(c) == c\n### END HIDDEN TESTS",
            "given": ["c = a + b"],
            "asks": ["answer"],
            "defines": [],
        },
    ]


def test_instructors_are_told_why_a_name_is_the_students() -> None:
    source = notebook(
        ("locked", "log = []"),
        ("answer", "def answer():\n    log.append(1)"),
        ("locked", "made = answer()"),
        ("test", "assert made or log or answer or strange"),
    )
    asks = questions(source)[0].asks
    found = {name: (origin.why, origin.cell, origin.name) for name, origin in asks.items()}
    assert found == {
        "answer": (Why.BOUND, "answer-1", ""),
        "log": (Why.CHANGED, "answer-1", ""),
        "made": (Why.DEPENDS, "locked-2", "answer"),
        "strange": (Why.UNSEEN, "", ""),
    }


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            [("locked", "x = 1"), ("test", "assert x"), ("locked", "x = 2"), ("test", "assert x")],
            [Mixed("locked-2", "x", Mix.LATE)],
        ),
        (
            [("test", "_rng = 1"), ("open", "y = _rng")],
            [Mixed("open-1", "_rng", Mix.TESTS)],
        ),
        (
            [
                ("locked", "import ulab"),
                ("test", "class A: ...\n\n@ulab.at_student\ndef f():\n    return A()"),
            ],
            [Mixed("test-1", "A", Mix.SENT)],
        ),
        (
            [
                ("locked", "import torch\ntorch.manual_seed(0)"),
                ("test", "torch.ones(1)"),
                ("locked", "torch.manual_seed(1)"),
            ],
            [],
        ),
        ([ANSWER, ("test", "x = answer(1)"), ("test", "assert x")], []),
        (
            [
                ("locked", "import ulab"),
                (
                    "test",
                    "@ulab.at_student\nclass A: ...\n\n@ulab.at_student\ndef f():\n    return A()",
                ),
            ],
            [],
        ),
    ],
)
def test_what_would_mean_something_else_in_the_judge_is_found(
    cells: list[tuple[str, str]], expected: list[Mixed]
) -> None:
    assert mixed(notebook(*cells)) == expected


def test_a_lab_that_leans_on_a_test_cells_names_is_refused(tmp_path: Path) -> None:
    test = "assert double(4) == 8"
    source = SOURCE.replace(test, f"_eight = 8\n{test}") + "\n# %%\nprint(_eight)\n"
    lab = load_lab(write_lab(tmp_path, source=source))
    (problem,) = inspect(lab, build(lab))
    assert "uses _eight, which only a test cell defines" in str(problem)
    sound = load_lab(write_lab(tmp_path / "other", source=SOURCE))
    assert inspect(sound, build(sound)) == []
