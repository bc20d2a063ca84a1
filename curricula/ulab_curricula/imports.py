"""Which modules a notebook's cells import, told without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbformat import NotebookNode

from ulab_curricula.parsing import parse


def imports_of(source: NotebookNode) -> list[str]:
    """The modules that a notebook imports, each once and in order."""
    found: dict[str, None] = {}
    for cell in source.cells:
        for name in _imported(cell.source) if cell.cell_type == "code" else ():
            found.setdefault(name)
    return list(found)


def _imported(source: str) -> Iterator[str]:
    try:
        tree = parse(source)
    except SyntaxError:
        return  # such as a cell of magics
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
