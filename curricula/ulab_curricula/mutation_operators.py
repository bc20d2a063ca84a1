"""What one node of a solution may turn into; mistakes that students make."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ulab_curricula.mutation_rules import (
    ARITHMETIC,
    AXES,
    BARE,
    COMPARISONS,
    MODULES,
    NO_SLIP,
    OVER_AN_AXIS,
    SEEDED,
    SMALLEST,
    SWAPPED,
    SYMMETRIC,
    TURNED,
)


@dataclass(frozen=True)
class Slot:
    """Where a node hangs: in a field of its parent, or at a place of a list there."""

    parent: ast.AST
    name: str
    place: int | None

    def put(self, node: Any) -> None:
        if self.place is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.place] = node


def changed(node: ast.AST, slot: Slot) -> Iterator[ast.AST]:
    """All that a node may turn into; `ast.Pass` for a statement that is left out."""
    if isinstance(node, ast.stmt):
        yield from _statement(node)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Constant):
        yield from _constant(node, slot)
    elif isinstance(node, ast.Slice):
        yield from _slice(node)
    elif isinstance(node, ast.expr):
        yield from _expression(node, slot)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def _statement(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.If):
        if not isinstance(node.test, ast.Compare):  # whose operator changes by itself
            yield ast.If(_negated(node.test), node.body, node.orelse)
        if not node.orelse:
            yield ast.Pass()
    elif isinstance(node, ast.With):
        yield ast.If(ast.Constant(True), node.body, [])
    elif isinstance(node, ast.AugAssign):
        for operator in ARITHMETIC.get(type(node.op), ()):
            yield ast.AugAssign(node.target, operator(), node.value)
        if isinstance(node.target, ast.Name):
            yield ast.Assign([node.target], node.value, lineno=node.lineno)
        yield ast.Pass()
    elif isinstance(node, ast.Expr | ast.Assign | ast.Assert | ast.Delete | ast.Continue):
        yield ast.Pass()


def _expression(node: ast.expr, slot: Slot) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for place, found in enumerate(node.ops):
            for operator in COMPARISONS[type(found)]:
                ops = [*node.ops[:place], operator(), *node.ops[place + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BinOp) and not _is_text(node.left) and not _is_text(node.right):
        for other in ARITHMETIC.get(type(node.op), ()):
            yield ast.BinOp(node.left, other(), node.right)
        if isinstance(node.op, TURNED):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        if slot.name == "value" and getattr(slot.parent, "arg", None) in AXES:
            yield ast.Constant(0)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    name, args = name_of(node), node.args
    for new in SWAPPED.get(name, ()):
        func = (
            ast.Attribute(node.func.value, new, ast.Load())
            if isinstance(node.func, ast.Attribute)
            else ast.Name(new, ast.Load())
        )
        yield ast.Call(func, args, node.keywords)
    if name in BARE:
        if isinstance(node.func, ast.Attribute) and base_of(node) not in MODULES:
            yield node.func.value
        elif args:
            yield args[0]
    if len(args) >= 2 and name not in SYMMETRIC and ast.dump(args[0]) != ast.dump(args[1]):
        yield ast.Call(node.func, [args[1], args[0], *args[2:]], node.keywords)
    if _takes_axis(node):
        yield ast.Call(node.func, [], node.keywords)
    if name == "range" and not isinstance(args[-1], ast.Constant):
        place = min(len(args) - 1, 1)
        fewer = ast.BinOp(args[place], ast.Sub(), ast.Constant(1))
        yield ast.Call(node.func, [*args[:place], fewer, *args[place + 1 :]], node.keywords)
    for place, keyword in enumerate(node.keywords):
        if keyword.arg in NO_SLIP or keyword.arg is None or _is_bool(keyword.value):
            continue
        yield ast.Call(node.func, args, [*node.keywords[:place], *node.keywords[place + 1 :]])


def _constant(node: ast.Constant, slot: Slot) -> Iterator[ast.AST]:
    value, parent = node.value, slot.parent
    keyword = parent.arg if isinstance(parent, ast.keyword) else None
    if keyword in NO_SLIP or (isinstance(parent, ast.Call) and name_of(parent) in SEEDED):
        return
    if isinstance(value, complex | str | bytes):
        return
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        if keyword in AXES or (isinstance(parent, ast.Call) and _takes_axis(parent)):
            yield ast.Constant(0 if value else 1)
        elif abs(value) >= 100:
            yield ast.Constant(2 * value)
        else:
            yield ast.Constant(value + 1)
            if 0 < value < 10:
                yield ast.Constant(value - 1)
    elif isinstance(value, float) and not 0 < abs(value) < SMALLEST:
        yield ast.Constant(2 * value or 1.0)


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    lower, upper = node.lower, node.upper
    if lower is not None and not isinstance(lower, ast.Constant):
        yield ast.Slice(ast.BinOp(lower, ast.Add(), ast.Constant(1)), upper, node.step)
    if upper is not None and not isinstance(upper, ast.Constant | ast.UnaryOp):
        yield ast.Slice(lower, ast.BinOp(upper, ast.Add(), ast.Constant(1)), node.step)


def _negated(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    return ast.UnaryOp(ast.Not(), node)


def _takes_axis(node: ast.Call) -> bool:
    return (
        name_of(node) in OVER_AN_AXIS
        and base_of(node) not in MODULES
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, int)
    )


def name_of(node: ast.Call) -> str:
    """What is called: ``mean`` in ``x.mean()`` and ``np.mean(x)``."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def base_of(node: ast.Call) -> str:
    """``np`` in ``np.mean(x)``."""
    base = node.func.value if isinstance(node.func, ast.Attribute) else None
    return base.id if isinstance(base, ast.Name) else ""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_bool(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)
