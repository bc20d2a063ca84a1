"""A shell made by a lab's parent for its children, each of which would make its own otherwise.

That is a third of what starting a student's process takes, most of it for pages that are shared
until a shell is written across them. Importing this module makes it.
"""

from __future__ import annotations

import builtins

from ulab_runtime.judge.cells import Shell, made_shell

_HAD = frozenset(vars(builtins))
SHELL = made_shell()


def forget() -> None:
    """In a process that is no student's: have no shell, as if it had been started afresh."""
    Shell.clear_instance()
    for name in vars(builtins).keys() - _HAD:
        delattr(builtins, name)
