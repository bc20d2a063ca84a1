"""`ulab.at_student` in the judge: a test's helper is sent as its text and runs with the student."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ulab_core.i18n import mark
from ulab_runtime.judge.crossing import CannotCross
from ulab_runtime.judge.link import Link
from ulab_runtime.judge.proxy import About, Proxy

_sources: dict[str, str] = {}
_links: list[Link] = []
_FIELDS = ("_ulab_source", "_ulab_name", "_ulab_made")


def note_source(file: str, source: str) -> None:
    """Remember the text of what is compiled as `file`, to find helpers' definitions in it."""
    _sources[file] = source


@contextmanager
def at_link(link: Link) -> Iterator[None]:
    """Helpers are defined and called through this link."""
    _links.append(link)
    try:
        yield
    finally:
        _links.remove(link)


def at_student(helper: Any) -> Helper:
    """Mark a function or class of a test's as one that runs with the student's code.

    Raises
    ------
    CannotCross
        Its text can't be found, or it isn't at the top level.
    """
    return Helper(definition(helper), helper.__name__)


def definition(helper: Any) -> str:
    """The text of a function or class that a noted source defines, without this decorator."""
    code = getattr(helper, "__code__", None)
    if getattr(code, "co_freevars", ()):
        raise CannotCross(
            mark("The helper {name} uses names of the function that it is in."),
            name=helper.__name__,
        )
    name = helper.__name__
    file = code.co_filename if code is not None else None
    places = [file] if file is not None else list(reversed(_sources))
    for place in places:
        for node in ast.parse(_sources.get(place, "")).body:
            named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            found: Any = node
            if named and found.name == name and _begins(found, code):
                found.decorator_list = [d for d in found.decorator_list if not _is_ours(d)]
                return ast.unparse(found)
    raise CannotCross(
        mark("The text of the helper {name} can't be found at the top level of its cell."),
        name=name,
    )


def _begins(node: Any, code: Any) -> bool:
    lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
    return code is None or code.co_firstlineno in lines


def _is_ours(decorator: ast.expr) -> bool:
    return ast.unparse(decorator) in ("ulab.at_student", "at_student")


class Helper(Proxy):
    """A helper; defined with the student when it is first used, anew for each submission."""

    __slots__ = _FIELDS
    _ulab_source: str
    _ulab_name: str
    _ulab_made: Any

    def __init__(self, source: str, name: str) -> None:
        for field, value in zip(_FIELDS, (source, name, None), strict=True):
            object.__setattr__(self, field, value)
        object.__setattr__(self, "_ulab_about", About([], False))
        waiting.append(self)

    def __del__(self) -> None:
        pass

    def __getattribute__(self, name: str) -> Any:
        if name in ("_ulab_link", "_ulab_ref"):
            define_waiting()
            made = object.__getattribute__(self, "_ulab_made")
            if made is None:
                raise CannotCross(mark("A helper of @ulab.at_student can only be used in a test."))
            return getattr(made, name)
        return object.__getattribute__(self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ulab_link.call(self, args, kwargs)


waiting: list[Helper] = []
"""Helpers that are not yet defined with the student, in the order of their definition."""


def define_waiting() -> None:
    """Define them, so that those defined first can be used by the others."""
    while waiting and _links:
        helper = waiting.pop(0)
        made = _links[-1].ask("define", source=helper._ulab_source, name=helper._ulab_name)
        object.__setattr__(helper, "_ulab_made", made)
