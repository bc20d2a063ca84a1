"""Parses Python in one thread at a time."""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = threading.Lock()


def parse(code: str) -> ast.Module:
    """As `ast.parse`, which in CPython 3.11 counts how deep it is for all threads together.

    Two that parse at the same moment end in “AST constructor recursion depth mismatch”.

    Raises
    ------
    SyntaxError
        It isn't Python.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(code)
