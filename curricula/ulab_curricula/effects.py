"""Which global names code changes in place, and which it hands to functions."""

from __future__ import annotations

import ast

from ulab_curricula.dependencies import base_names

# Methods that change their object even where their result is used.
_CHANGING = {
    "add", "append", "appendleft", "backward", "clear", "compile", "discard", "eval", "extend",
    "fill", "fit", "fit_transform", "insert", "load_state_dict", "partial_fit", "pop", "popitem",
    "remove", "reverse", "setdefault", "shuffle", "sort", "step", "train", "update", "write",
    "zero_grad",
}  # fmt: skip
# Methods that a cell calls for what they show.
_SHOWING = {
    "bar", "boxplot", "describe", "head", "hist", "info", "plot", "print", "sample", "scatter",
    "show", "summary", "tail",
}  # fmt: skip
_SHOWING_CALLS = {"display", "help", "isinstance", "len", "print", "repr", "str", "type"}


def stored_names(node: ast.AST) -> set[str]:
    """Names that code gives values to or deletes, functions' own included."""
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del)
    }


class Effects(ast.NodeVisitor):
    """Collects in `changes` and `lends` names that code changes, and those it hands over."""

    def __init__(self) -> None:
        self.changes: set[str] = set()
        self.lends: set[str] = set()
        self._locals: list[set[str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        given = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        shared = {
            name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names
        }
        stored = stored_names(node)
        self._locals.append((given | stored) - shared)
        for statement in node.body:
            self.visit(statement)
        self._locals.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._locals.append({part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)})
        self.visit(node.body)
        self._locals.pop()

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del):
            self._note(self.changes, base_names(node))
        self.generic_visit(node)

    visit_Subscript = visit_Attribute

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        # x += y changes a list or an array itself, whatever else is called by its name.
        self._note(self.changes, base_names(node.target))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value
        method = call.func if isinstance(call, ast.Call) else None
        if isinstance(method, ast.Attribute) and method.attr not in _SHOWING:
            self._note(self.changes, base_names(method, through_calls=True))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        keywords = {part.arg: part.value for part in node.keywords}
        if isinstance(node.func, ast.Attribute):
            name, inplace = node.func.attr, keywords.get("inplace")
            wanted = isinstance(inplace, ast.Constant) and inplace.value is True
            if wanted or name in _CHANGING or (name.endswith("_") and not name.startswith("_")):
                self._note(self.changes, base_names(node.func, through_calls=True))
        if "out" in keywords:
            self._note(self.changes, base_names(keywords["out"]))
        if not (isinstance(node.func, ast.Name) and node.func.id in _SHOWING_CALLS):
            for argument in (*node.args, *keywords.values()):
                self._note(self.lends, base_names(argument))
        self.generic_visit(node)

    def _note(self, found: set[str], names: set[str]) -> None:
        found |= names.difference(*self._locals) if self._locals else names
