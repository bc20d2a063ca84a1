"""Tests whose last line gives a number that the student's code chooses."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from ulab_curricula.dependencies import base_names
from ulab_curricula.origins import cells_of
from ulab_curricula.parsing import parse
from ulab_curricula.questions import Question, questions
from ulab_curricula.statements import as_python

# What these make of a number is still the other's choice.
_CARRYING = {"abs", "float", "int", "max", "min", "round", "sum"}


@dataclass(frozen=True)
class GivenPoints:
    """A test that ends in a value of the student's."""

    cell: str
    code: str


def given_points(source: NotebookNode) -> list[GivenPoints]:
    """The tests of a source notebook whose last line may give points that students choose.

    Notes
    -----
    nbgrader takes a number at the end of a test as its points. Counting what is right, in
    comparisons, is how it is meant; a bare ``score(model)`` is not.
    """
    marked = {
        name
        for cell in cells_of(source)
        if cell.kind == "test"
        for statement in cell.statements
        if statement.marked
        for name in statement.binds
    }
    return list(_given(questions(source), marked))


def _given(asked: Collection[Question], marked: Collection[str]) -> Iterator[GivenPoints]:
    for question in asked:
        try:
            body = parse(as_python(question.source)).body
        except SyntaxError:
            continue  # said elsewhere
        if not body or question.source.rstrip().endswith(";"):
            continue
        last = body[-1]
        if isinstance(last, ast.Expr) and _is_theirs(last.value, _theirs(body, question, marked)):
            yield GivenPoints(question.id, ast.unparse(last.value))


def _theirs(body: list[ast.stmt], question: Question, marked: Collection[str]) -> set[str]:
    """Names that hold what the student's code gave, at the end of a test."""
    found = {*question.asks, *marked}
    for statement in body:
        if not isinstance(statement, ast.Assign):
            continue
        names = {name.id for name in statement.targets if isinstance(name, ast.Name)}
        if _is_theirs(statement.value, found):
            found |= names
        else:
            found -= names
    return found


def _is_theirs(value: ast.expr, theirs: Collection[str]) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_theirs(value.left, theirs) or _is_theirs(value.right, theirs)
    if isinstance(value, ast.UnaryOp):
        return not isinstance(value.op, ast.Not) and _is_theirs(value.operand, theirs)
    if isinstance(value, ast.Call):
        if isinstance(value.func, ast.Name) and value.func.id in _CARRYING:
            return any(_is_theirs(argument, theirs) for argument in value.args)
    elif not isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
        return False
    return bool(base_names(value, through_calls=True) & set(theirs))
