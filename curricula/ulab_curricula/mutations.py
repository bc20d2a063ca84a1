"""Small changes to a solution, such as students' mistakes are; a source text in, changed ones out.

mutmut's and cosmic-ray's operators are made for whole projects under pytest, and know neither a
marked region nor the slips that are common in this field: an axis, a keyword, a method.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from ulab_curricula.mutation_operators import Slot, base_of, changed, name_of
from ulab_curricula.mutation_rules import ABSOLUTE, FREE, SHOWING, SHOWING_OBJECTS
from ulab_curricula.parsing import parse

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Mutation:
    """A change to a cell.

    Attributes
    ----------
    line
        Where in the cell, counted from 1.
    before, after
        The part that changes; `after` is empty when it is left out.
    code
        The whole cell, changed.
    """

    line: int
    before: str
    after: str
    code: str


def mutations(code: str, first: int = 1, last: int | None = None) -> list[Mutation]:
    """The changes to a cell's lines `first` to `last`, all of them when left out; each once.

    A cell that is no Python has none.
    """
    try:
        tree = parse(code)
    except SyntaxError:
        return []
    seen = {ast.unparse(tree)}
    free = free_lines(code)
    unsigned = set(_unsigned(tree))
    found = []
    for node, slot in list(_nodes(tree, set())):
        line = getattr(node.iter if isinstance(node, ast.comprehension) else node, "lineno", 0)
        if line in free or not first <= line <= (last or line):
            continue
        for new in changed(node, slot):
            if id(node) in unsigned and _is_turned(node, new):
                continue
            before, after = _shown(node, new, slot)
            slot.put(new)
            mutated = ast.unparse(tree)
            slot.put(node)
            if mutated not in seen:
                seen.add(mutated)
                found.append(Mutation(line, before, after, mutated))
    return found


def free_lines(code: str) -> set[int]:
    """The lines that the author marked as one choice of many that are as right."""
    return {number for number, line in enumerate(code.splitlines(), 1) if FREE.search(line)}


def free_without_reason(code: str) -> list[int]:
    """Those of the `free_lines` that don't say why no test could tell."""
    found = ((number, FREE.search(line)) for number, line in enumerate(code.splitlines(), 1))
    return [number for number, mark in found if mark and not mark["why"]]


def _unsigned(tree: ast.AST) -> Iterator[int]:
    """The nodes whose sign does not matter, as that of ``a - b`` in ``abs((a - b) / a)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node) in ABSOLUTE:
            inside = [*node.args[:1], getattr(node.func, "value", None)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _is_even(node.right):
            inside = [node.left]
        else:
            continue
        while inside:
            part = inside.pop()
            if isinstance(part, ast.BinOp):
                yield id(part)
                if isinstance(part.op, ast.Mult | ast.Div):
                    inside += [part.left, part.right]


def _is_even(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value % 2 == 0


def _is_turned(node: ast.AST, new: ast.AST) -> bool:
    if not (isinstance(node, ast.BinOp) and isinstance(new, ast.BinOp)):
        return False
    return isinstance(new.op, ast.Sub) and new.left is node.right


def _nodes(parent: ast.AST, bound: set[str]) -> Iterator[tuple[ast.AST, Slot]]:
    """All nodes that may change; statements whose loss only undoes a name are left out."""
    for name, value in ast.iter_fields(parent):
        many = isinstance(value, list)
        for place, node in enumerate(value if many else [value]):
            if not isinstance(node, ast.AST) or _is_talk(node) or name == "annotation":
                continue
            slot = Slot(parent, name, place if many else None)
            if isinstance(parent, ast.For) and name == "iter" and _is_repeat(parent):
                continue
            if not (isinstance(node, ast.Assign) and not _rebinds(node, bound)):
                yield node, slot
            inner = bound
            if isinstance(node, ast.FunctionDef | ast.Lambda):
                inner = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
            yield from _nodes(node, inner)
            if isinstance(node, ast.stmt):
                bound |= {
                    part.id
                    for part in ast.walk(node)
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                }


def _is_talk(node: ast.AST) -> bool:
    """What is only said or drawn, and what fails on purpose."""
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom | ast.Global):
        return True
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return name_of(node.value) in SHOWING or base_of(node.value) in SHOWING_OBJECTS


def _is_repeat(node: ast.For) -> bool:
    """Whether it does one thing a number of times, of which another would do."""
    return isinstance(node.target, ast.Name) and node.target.id == "_"


def _rebinds(node: ast.Assign, bound: set[str]) -> bool:
    return all(
        isinstance(target, ast.Subscript | ast.Attribute)
        or (isinstance(target, ast.Name) and target.id in bound)
        for target in node.targets
    )


def _shown(node: ast.AST, new: ast.AST, slot: Slot) -> tuple[str, str]:
    """Before and after in words; a number alone would say little, so with what it stands in."""
    if isinstance(node, ast.With):
        return _short(ast.unparse(ast.With(node.items, [ast.Pass()], lineno=0))), ""
    if isinstance(node, ast.If) and isinstance(new, ast.If):
        return ast.unparse(node.test), ast.unparse(new.test)
    if isinstance(new, ast.Pass):
        return _short(ast.unparse(node)), ""
    whole = node
    if isinstance(node, ast.Constant | ast.Slice | ast.comprehension):
        whole = slot.parent
    before = ast.unparse(whole)
    if whole is node or len(before) > _LONGEST_SHOWN:
        return _short(ast.unparse(node)), _short(ast.unparse(new))
    slot.put(new)
    after = ast.unparse(whole)
    slot.put(node)
    return before, after


def _short(text: str) -> str:
    first = text.partition("\n")[0][: 2 * _LONGEST_SHOWN]
    return first if first == text else f"{first} …"
