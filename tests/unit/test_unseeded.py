"""Which calls in a lab's own cells make random numbers that differ from run to run."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ulab_curricula.unseeded import Unseeded, unseeded


def lab(source: str, *, grade: bool = False, solution: bool = False) -> nbformat.NotebookNode:
    marks = {"grade_id": "it", "grade": grade, "solution": solution, "locked": not solution}
    return new_notebook(cells=[new_code_cell(source, metadata={"nbgrader": marks})])


@pytest.mark.parametrize(
    "call",
    [
        "np.random.default_rng()",
        "default_rng(None)",
        "np.random.RandomState(seed=None)",
        "np.random.Generator(np.random.PCG64())",
        "random.Random()",
    ],
)
@pytest.mark.parametrize("grade", [True, False])
def test_a_generator_without_a_seed_is_found_with_its_line(call: str, grade: bool) -> None:
    [found] = unseeded(lab(f"_n = 3\n_x = {call}.random(_n)", grade=grade))
    assert (found.cell, found.line) == ("it", 2)
    assert found.code in call


@pytest.mark.parametrize(
    "code",
    [
        "np.random.default_rng(0)",
        "np.random.default_rng(seed=_seed)",
        "random.Random('x')",
        "np.random.normal(size=3)",
        "random.random()",
        "torch.rand(3)",
        "not python (",
    ],
)
def test_what_has_a_seed_is_not(code: str) -> None:
    assert unseeded(lab(code, grade=True)) == []


def test_students_may_do_as_they_like() -> None:
    assert unseeded(lab("default_rng()", solution=True)) == []
    assert unseeded(lab("default_rng()")) == [Unseeded("it", 1, "default_rng()")]
