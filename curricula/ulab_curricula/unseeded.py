"""Generators of random numbers that no seed reaches: tests that fail now and then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from ulab_curricula.origins import cells_of
from ulab_curricula.parsing import parse
from ulab_curricula.statements import as_python

_MAKERS = {"default_rng", "RandomState", "SeedSequence", "PCG64", "MT19937", "Random"}


@dataclass(frozen=True)
class Unseeded:
    """A call in one of the lab's own cells.

    Attributes
    ----------
    line
        Of the cell, counted from 1.
    """

    cell: str
    line: int
    code: str


def unseeded(source: NotebookNode) -> list[Unseeded]:
    """Calls in tests and locked cells that make a generator without a seed.

    Notes
    -----
    The judge seeds the global generators of Python, NumPy and torch. One that a test makes for
    itself takes its seed from the machine, unless it is given one.
    """
    found: list[Unseeded] = []
    for cell in cells_of(source):
        if cell.kind in ("test", "locked"):
            found += _in(cell.id, cell.source)
    return found


def _in(cell: str, source: str) -> Iterator[Unseeded]:
    try:
        tree = parse(as_python(source))
    except SyntaxError:
        return  # said elsewhere
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _MAKERS and _has_no_seed(node):
            yield Unseeded(cell, node.lineno, ast.unparse(node))


def _name(called: ast.expr) -> str:
    return ast.unparse(called).rpartition(".")[2]


def _has_no_seed(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and value.value is None for value in given)
