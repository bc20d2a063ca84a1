"""Which class a student's object may be taken for in `isinstance`, from the names it claims.

Never a class of data: that crosses as data, and what doesn't is none, whatever it claims. A test
that looks for a number with `isinstance` would go on with an object whose operators are the
student's.

Only classes that are written in Python, and a few of Python's own: C code that is told that an
object is of its own type reads that object's memory.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Sequence
from typing import Any

_HEAP_TYPE = 1 << 9
_OURS = frozenset({"__main__", "ulab_runtime", "ulab_core"})
_DATA_MODULES = frozenset({"numbers", "fractions", "decimal", "datetime", "numpy", "pandas"})
"""Libraries whose classes are data or stand for them, those that are written in Python too."""
_OWN: dict[str, type] = {
    f"builtins:{kind.__qualname__}": kind
    for kind in (
        *(type, map, zip, filter, enumerate, reversed),
        *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType),
        *(types.GeneratorType, types.CoroutineType),
    )
}
_ERRORS = {
    f"builtins:{name}": kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and kind.__name__ == name
}
_checked: dict[type, bool] = {}


def name_of(kind: type) -> str:
    """A class's name as it crosses: ``module:qualified.name``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def known_class(names: Sequence[str]) -> type | None:
    """The first of these classes that this process has loaded and that may be claimed."""
    for name in names:
        found = _OWN.get(name) or _loaded(name)
        if found is not None and found is not object:
            return found
    return None


def known_error(names: Sequence[str]) -> type[Exception]:
    """The first of these classes that is an error known here; `Exception` when none is."""
    for name in names:
        found = _ERRORS.get(name) or _loaded(name)
        if found is not None and issubclass(found, Exception):
            return found
    return Exception


def _loaded(name: str) -> type | None:
    module, _, path = name.partition(":")
    if module.partition(".")[0] in _OURS | _DATA_MODULES:
        return None
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        # Looked up without asking: getattr could run code, and import more.
        names = (
            getattr(found, "__dict__", None)
            if isinstance(found, (type, types.ModuleType))
            else None
        )
        found = names.get(part) if names is not None else None
    return found if isinstance(found, type) and _is_of_python(found) else None


def _is_of_python(kind: type) -> bool:
    if kind not in _checked:
        _checked[kind] = all(
            base is object or base in _ERRORS.values() or base is BaseException or _has_source(base)
            for base in kind.__mro__
        )
    return _checked[kind]


def _has_source(kind: type) -> bool:
    spec = getattr(sys.modules.get(kind.__module__), "__spec__", None)
    origin = getattr(spec, "origin", None) or ""
    python = origin.endswith(".py") or origin == "frozen"
    return bool(python and kind.__flags__ & _HEAP_TYPE)
