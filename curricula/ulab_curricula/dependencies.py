"""Which cells a changed answer can affect, so that a variant need not run the whole notebook."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ulab_curricula.parsing import parse

_BUILTIN = frozenset(dir(builtins))
_HARMLESS = frozenset({"print", "display", "isinstance", "len", "help"})


@dataclass(frozen=True)
class Names:
    """The global names a cell gives values to, those it uses, and those it binds itself."""

    sets: frozenset[str]
    reads: frozenset[str]
    binds: frozenset[str] = field(default=frozenset(), compare=False)


def names_of(code: str, *, keep_builtins: bool = False) -> Names | None:
    """What a cell sets and reads; None when that can't be seen (a magic, a syntax error).

    A name counts as set where it is bound at the top level, and where a statement there may change
    its value in place: ``x[0] = 1``, ``x += 1``, ``x.append(1)``, ``fill(x)``. It counts as read
    where its value may come from another cell, functions' bodies included; a builtin, which a cell
    may also have given its name to something else, only with `keep_builtins`.
    """
    try:
        tree = parse(code)
        table = symtable.symtable(code, "cell", "exec")
    except SyntaxError:
        return None
    bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    bound |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_namespace()}
    inner = {name for child in table.get_children() for name in _globals_of(child)}
    imported = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    own: set[str] = set()
    reads: set[str] = set()
    _read_first(tree.body, own, reads)
    changed = set().union(*(_changed_in_place(statement) for statement in _statements(tree.body)))
    shared = {name for child in table.get_children() for name in _shared(child)}
    reads |= inner - bound - imported
    return Names(
        frozenset(bound | imported | (changed - imported)),
        frozenset(reads if keep_builtins else reads - _BUILTIN),
        frozenset(bound | imported | shared),
    )


def _shared(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that a function declares global and binds."""
    for symbol in table.get_symbols():
        if symbol.is_declared_global() and symbol.is_assigned():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _shared(child)


def _globals_of(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_of(child)


def _read_first(body: Sequence[ast.stmt], own: set[str], reads: set[str]) -> None:
    """Collect in `reads` what the statements read before they bind it; `own` is what they bind."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            outside = [*statement.decorator_list]
            if isinstance(statement, ast.ClassDef):
                outside += statement.bases
            else:
                outside += [*statement.args.defaults, *filter(None, statement.args.kw_defaults)]
            reads |= set().union(*(_loads(part) for part in outside)) - own
            own.add(statement.name)
        elif isinstance(statement, ast.For | ast.If | ast.While | ast.With | ast.Try):
            for _name, part in ast.iter_fields(statement):
                parts = part if isinstance(part, list) else [part]
                for node in (item for item in parts if isinstance(item, ast.AST)):
                    if isinstance(node, ast.ExceptHandler):
                        reads |= (_loads(node.type) if node.type else set()) - own
                    elif not isinstance(node, ast.stmt):
                        reads |= _loads(node) - own - _stores(node)
            if isinstance(statement, ast.For):
                own |= _stores(statement.target)
            if isinstance(statement, ast.With):
                own |= set().union(*(_stores(item) for item in statement.items))
            for block in ("body", "orelse", "finalbody"):
                # What a branch binds may not be bound after it.
                _read_first(getattr(statement, block, []), set(own), reads)
            for handler in getattr(statement, "handlers", []):
                caught = {handler.name} if handler.name else set()
                _read_first(handler.body, own | caught, reads)
        else:
            reads |= _loads(statement) - own
            if isinstance(statement, ast.AugAssign):
                reads |= base_names(statement.target) - own
            own |= _stores(statement)


def _loads(node: ast.AST) -> set[str]:
    """Names read; those a comprehension or lambda binds for itself are not."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    own: set[str] = set()
    outside: set[str] = set()
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        own = set().union(*(_stores(part.target) for part in node.generators))
        # The first of them is worked out before the comprehension has names of its own.
        outside = _loads(node.generators[0].iter)
    elif isinstance(node, ast.Lambda):
        own = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        outside = _loads(node.args)
    inside = set().union(*(_loads(child) for child in ast.iter_child_nodes(node)))
    return outside | (inside - own)


def _stores(node: ast.AST) -> set[str]:
    names = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    for part in ast.walk(node):
        if isinstance(part, ast.alias):
            names.add((part.asname or part.name).split(".")[0])
    return names


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements that run with the cell, so none inside functions and classes."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.stmt):
                    yield from _statements([child])
                elif isinstance(child, ast.ExceptHandler):
                    yield from _statements(child.body)


def _changed_in_place(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        return set().union(*(base_names(target) for target in targets))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Name) and call.func.id in _HARMLESS:
            return set()
        owner = base_names(call.func) if isinstance(call.func, ast.Attribute) else set()
        return owner.union(*(base_names(argument) for argument in call.args))
    return set()


def base_names(node: ast.AST, *, through_calls: bool = False) -> set[str]:
    """The name that ``x``, ``x.y[0].z`` and the like hang on, if wished ``x.y().z`` too."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        if isinstance(node, ast.Call):
            if not through_calls:
                break
            node = node.func
        else:
            node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def cells_to_run(
    cells: Sequence[str], changed: Collection[int], tests: Collection[int]
) -> list[int]:
    """The cells a variant must run, in order, from its first changed cell on.

    Parameters
    ----------
    cells
        The code of all cells, the changed ones in their changed form.
    changed
        Which cells differ from the reference.
    tests
        Which cells are tests.

    Returns
    -------
    list of int
        The changed cells, the tests they can affect, and whatever lies between that those need.
        Any other test gives what it gave in the reference. All cells when one can't be read.
    """
    start = min(changed)
    if any(names_of(code) is None for code in cells[start:]):
        return list(range(start, len(cells)))
    return [index for index in _wanted(cells, changed, tests) if index >= start]


def needed_cells(
    cells: Sequence[str], changed: Collection[int], tests: Collection[int]
) -> list[int]:
    """The cells a variant must run, in order, where none has run before; as `cells_to_run`."""
    if any(names_of(code) is None for code in cells):
        return list(range(len(cells)))
    return _wanted(cells, changed, tests)


def _wanted(cells: Sequence[str], changed: Collection[int], tests: Collection[int]) -> list[int]:
    names = [names_of(code) or Names(frozenset(), frozenset()) for code in cells]
    imports = _only_imports(cells)
    tainted: set[str] = set()
    wanted: set[int] = set(changed)
    for index in range(min(changed), len(cells)):
        if index in changed or names[index].reads & tainted:
            tainted |= names[index].sets - imports
            if index in tests:
                wanted.add(index)
    for index in range(len(cells) - 1, -1, -1):
        needed = set().union(*(names[later].reads for later in wanted if later > index))
        sets = names[index].sets
        if index in tests:  # one that calls `np.testing` changes nothing that others need
            sets = (sets - imports) | names[index].binds
        if sets & needed:
            wanted.add(index)
    return sorted(wanted)


def _only_imports(cells: Sequence[str]) -> set[str]:
    """Names of modules: a seed set in one cell does not change all that use the module."""
    found: set[str] = set()
    for code in cells:
        try:
            tree = parse(code)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return found
