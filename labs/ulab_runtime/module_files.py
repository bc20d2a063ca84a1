"""Keep ipykernel, as it starts, from looking at every imported module.

It notes the file of each for its debugger. In a forked kernel that would copy the memory page of
each module, some 25 MB that are otherwise shared with all kernels.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

_noted: list[str] = []


def note_files() -> None:
    """In the parent of forked kernels: note the files of all modules, close together in memory."""
    files = [getattr(module, "__file__", None) or "" for module in sys.modules.copy().values()]
    together = "\n".join(dict.fromkeys(filter(None, files)))
    _noted[:] = together.split("\n")


@contextmanager
def noted_files() -> Iterator[None]:
    """Have ipykernel see the noted files instead of the modules; without any, change nothing."""
    if not _noted:
        yield
        return
    from ipykernel import ipkernel

    found: Any = ipkernel
    found.sys = _Sys()
    try:
        yield
    finally:
        found.sys = sys


class _Sys:
    """The module ``sys``, but for its list of modules."""

    modules = SimpleNamespace(
        copy=lambda: {file: SimpleNamespace(__file__=file) for file in _noted}
    )

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)
