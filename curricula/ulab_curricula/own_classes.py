"""What the classes of a lab's solution define: which operators its tests may ask of an object."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator

from ulab_curricula.parsing import parse
from ulab_curricula.statements import Statement

_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
_ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}


def defined_for(names: Collection[str], statements: Iterable[Statement]) -> tuple[str, ...]:
    """Names that classes define, of the classes that these names of the student's lead to.

    Parameters
    ----------
    names
        What a test asks of the student.
    statements
        Those of the solution before the test.

    Notes
    -----
    Only these, and not all of the lab: a lesson on a class with ``__sub__`` must not make the
    question before it, on a number, one that such a class can answer.
    """
    every = list(statements)
    wanted, found = set(names), set[int]()
    defined: set[str] = set()
    while True:
        size = len(found)
        for place, statement in enumerate(every):
            if place not in found and statement.binds & wanted:
                found.add(place)
                wanted |= statement.reads
                defined |= _defined(statement.source)
        if len(found) == size:
            return tuple(sorted(defined))


def _defined(source: str) -> set[str]:
    try:
        tree = parse(source)
    except SyntaxError:
        return set()
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {name for node in classes for name in _of_class(node)}


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield part.name
        elif isinstance(part, ast.Assign):
            yield from (target.id for target in part.targets if isinstance(target, ast.Name))
    for decorator in node.decorator_list:
        yield from _of_decorator(ast.unparse(decorator))
    for base in node.bases:
        yield from _of_base(ast.unparse(base).split("[")[0].split(".")[-1])


def _of_decorator(text: str) -> Iterator[str]:
    name = text.split("(")[0].split(".")[-1]
    if name == "dataclass":
        yield "__eq__"
    if name == "total_ordering" or (name == "dataclass" and "order=True" in text):
        yield from _ORDER


def _of_base(name: str) -> Iterator[str]:
    kind = getattr(builtins, name, tuple if name == "NamedTuple" else None)
    if isinstance(kind, type) and kind is not object and not issubclass(kind, BaseException):
        yield from vars(kind)
    if name in _ENUMS:
        yield "__eq__"
