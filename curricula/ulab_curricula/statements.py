"""What each top-level statement of a notebook binds, reads, changes and hands to functions."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ulab_curricula.dependencies import base_names, names_of
from ulab_curricula.effects import Effects, stored_names

AT_STUDENT = "at_student"

# Cell magics whose body is Python of the notebook; other cell magics hold something else.
_PYTHON_MAGICS = {"time", "capture", "prun"}
_MAGIC = re.compile(r"(?m)^\s*[%!?]|=\s*[%!]|\?\s*$")
_TIME = re.compile(r"(?m)^(\s*)%time\s+")
_SOLUTION = re.compile(r"### BEGIN SOLUTION\n.*?### END SOLUTION", re.DOTALL)

# Reaching for names in other ways than by naming them.
_BY_OTHER_WAYS = {"eval", "exec", "get_ipython", "globals", "locals", "setattr", "delattr", "vars"}
# Settings of a library: they have no result, and what follows depends on them.
_SETTING = re.compile(r"^(manual_)?seed(_all)?$|^set_|^use_deterministic|^(filter|simple)warnings$")
# Classes whose instances are data: handing one to a function is no wish to have it changed.
_DATA_CLASSES = {
    "ArrayLike", "DataFrame", "Decimal", "Fraction", "Index", "Path", "Series", "Size", "Tensor",
    "Timedelta", "Timestamp",
}  # fmt: skip
_EMPTY_CALLS = {"list", "dict", "set", "deque", "defaultdict", "zeros", "zeros_like", "empty"}


@dataclass(frozen=True)
class Statement:
    """A top-level statement and its global names.

    Attributes
    ----------
    cell
        The cell's grade id, or its id.
    source
        Its text.
    binds, reads
        Names it gives values to, and those whose values it may take from elsewhere, builtins and
        the bodies of functions included.
    changes
        Names whose value it changes in place, whether now or when its functions are called.
    lends
        Names it hands to functions that are no library's: these may change a value made for it.
    fresh
        Names it binds to something that is there to be filled or trained.
    imports
        What it imports, by the name it binds.
    setting
        Libraries whose settings it makes, random seeds included.
    portable
        Whether it can run by itself: no magic, no `exec`, no await outside functions.
    sent
        Names that a function marked with ``@ulab.at_student`` reads.
    marked
        Whether it defines such a helper.
    """

    cell: str
    source: str
    binds: frozenset[str]
    reads: frozenset[str]
    changes: frozenset[str] = frozenset()
    lends: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    imports: dict[str, str] = field(default_factory=dict)
    setting: frozenset[str] = frozenset()
    portable: bool = True
    sent: frozenset[str] = frozenset()
    marked: bool = False


def statements(cell: str, code: str) -> list[Statement]:
    """The top-level statements of a cell, none when it is no Python."""
    code = as_python(code)
    try:
        tree = _parse(code)
    except SyntaxError:
        return []
    return [
        _statement(cell, node, source)
        for whole in tree.body
        for node, source in _apart(whole, code)
    ]


def outside_solutions(code: str) -> str:
    """A cell without what stands between the solution markers."""
    return _SOLUTION.sub("", code)


def as_python(code: str) -> str:
    """A cell's code with IPython's magics turned into calls; empty when it is another language."""
    first, _, rest = code.lstrip().partition("\n")
    if first.startswith("%%"):
        return as_python(rest) if first[2:].split(" ")[0] in _PYTHON_MAGICS else ""
    if not _MAGIC.search(code):
        return code
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(_TIME.sub(r"\1", code))


def _parse(code: str) -> ast.Module:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, "cell", "exec", flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _apart(node: ast.stmt, code: str) -> Iterator[tuple[ast.stmt, str]]:
    """A statement with its text; ``a, b = x, y`` as the two assignments it means."""
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Tuple)
        and len(node.targets[0].elts) == len(node.value.elts)
        and all(isinstance(target, ast.Name) for target in node.targets[0].elts)
        and not any(isinstance(value, ast.Starred) for value in node.value.elts)
    ):
        targets = {part.id for part in node.targets[0].elts if isinstance(part, ast.Name)}
        reads = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
        if not targets & reads:
            for target, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                single = ast.fix_missing_locations(ast.Assign([target], value, lineno=1))
                yield single, ast.unparse(single)
            return
    decorators = getattr(node, "decorator_list", [])
    if decorators:
        node = copy.copy(node)
        node.lineno, node.col_offset = min(part.lineno for part in decorators), 0
    yield node, ast.get_source_segment(code, node) or ast.unparse(node)


def _statement(cell: str, node: ast.stmt, source: str) -> Statement:
    here, sent = _without_sent_bodies(node)
    seen = names_of(ast.unparse(here), keep_builtins=True)
    if seen is None:  # an await outside functions: only whole cells may have it
        bound = stored_names(node)
        reads = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return Statement(cell, source, frozenset(bound), frozenset(reads), portable=False)
    effects = Effects()
    effects.visit(here)
    imports = _imports(node)
    return Statement(
        cell,
        source,
        binds=frozenset(seen.binds),
        reads=seen.reads,
        changes=frozenset(effects.changes),
        lends=frozenset(effects.lends),
        fresh=_fresh(node),
        imports=imports,
        setting=_setting(node),
        portable=not (seen.reads & _BY_OTHER_WAYS) and "*" not in imports,
        sent=frozenset(sent),
        marked=_is_marked(node),
    )


def _without_sent_bodies(node: ast.stmt) -> tuple[ast.stmt, set[str]]:
    """The statement as the judge runs it, and what functions sent to the student read."""
    if not isinstance(node, ast.FunctionDef) or not _is_marked(node):
        return node, set()
    body = copy.copy(node)
    body.decorator_list = []
    seen = names_of(ast.unparse(body))
    here = copy.copy(node)
    here.body = [ast.Pass()]
    return ast.fix_missing_locations(here), set(seen.reads if seen else ())


def _is_marked(node: ast.stmt) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(part).split(".")[-1] == AT_STUDENT for part in decorators)


def _imports(node: ast.stmt) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.split(".")[0]: alias.name
            if alias.asname
            else alias.name.split(".")[0]
            for alias in node.names
        }
    if isinstance(node, ast.ImportFrom):
        return {
            alias.asname or alias.name: f"{'.' * node.level}{node.module or ''}:{alias.name}"
            for alias in node.names
        }
    return {}


def _setting(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.Assign) and all(
        isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets
    ):
        return frozenset().union(*(base_names(target) for target in node.targets))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        if _SETTING.match(name):
            return frozenset(base_names(function))
    return frozenset()


def _fresh(node: ast.stmt) -> frozenset[str]:
    if not isinstance(node, ast.Assign | ast.AnnAssign) or not _is_fresh(node.value):
        return frozenset()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


def _is_fresh(value: ast.expr | None) -> bool:
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    if isinstance(value, ast.Dict):
        return not value.keys
    while isinstance(value, ast.Call):
        function = value.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        if name[:1].isupper() or name in _EMPTY_CALLS:
            return name not in _DATA_CLASSES
        # What a method of a new object returns, `to(device)` say, is that object as a rule.
        value = function.value if isinstance(function, ast.Attribute) else None
    return False
