"""An IPython extension: a cell that asks for too much memory gets a sentence, not a dead kernel.

Before each cell the process's RLIMIT_DATA is set to what it has plus what is left of the sandbox's
memory, so that one greedy allocation fails in Python. The cgroup stays behind it for everything
else: memory that was reserved long before it is used, many processes, someone who lifts the limit.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.machinery
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ulab_core.i18n import mark, translations
from ulab_runtime.used_memory import (
    anonymous,
    data_size,
    files_in_memory,
    inherited,
    used_in_sandbox,
)

VARIABLE = "ULAB_MEMORY_MB"
MEBIBYTE = 1024 * 1024
# For the Jupyter server's next requests, and for what Python needs to say that memory is short.
RESERVE = 0.04
# How torch and its libraries say it; everything else raises MemoryError.
ALLOCATION_WORDS = ("can't allocate memory", "not enough memory", "cannot allocate memory")

TOO_LITTLE = mark(
    "This cell needs more memory than your server may use ({limit}). Work with a smaller part of "
    "the data or smaller batches, delete what you no longer need (del name), or restart the "
    "kernel to free everything. Your files are safe."
)
TOO_LITTLE_ON_GPU = mark(
    "This cell needs more memory than the GPU has left. Use smaller batches, delete what you no "
    "longer need (del name), or restart the kernel to free everything. Your files are safe."
)

Result = TypeVar("Result")


def room_left(limit: int, used: int) -> int:
    """The bytes a process may still take, keeping a reserve; never below 0."""
    return max(0, int(limit * (1 - RESERVE)) - used)


class Guard:
    """Keeps the soft limit on memory where it should be.

    Parameters
    ----------
    limit
        The sandbox's memory in bytes.
    used
        Says how many of them are taken.
    """

    def __init__(self, limit: int, used: Callable[[], int]) -> None:
        self.limit = limit
        self._used = used
        self._depth = 0

    def tighten(self) -> None:
        """Allow what is left in the sandbox, from now on."""
        _set_soft_limit(data_size() + room_left(self.limit, self._used()))

    def lift(self) -> None:
        _set_soft_limit(resource.RLIM_INFINITY)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Lift the limit while a library is loaded.

        Loading torch reserves some 3 GB that it never uses.
        """
        self._depth += 1
        self.lift()
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.tighten()

    def around(self, function: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Result:
            with self.lifted():
                return function(*args, **kwargs)

        return guarded

    def watch_libraries(self) -> None:
        """Lift the limit whenever this process loads a shared library."""
        loader: Any = importlib.machinery.ExtensionFileLoader
        loader.create_module = self.around(loader.create_module)
        loader.exec_module = self.around(loader.exec_module)
        library: Any = ctypes
        library._dlopen = self.around(library._dlopen)


def _set_soft_limit(wanted: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        wanted = hard if wanted == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def sentence(kind: type[BaseException], error: BaseException, limit: int) -> str | None:
    """What to tell a person about this error, or None when it isn't about memory."""
    language = os.environ.get("ULAB_LANGUAGE", "zh")
    # torch is not imported for this: a cell that ran out of the GPU's memory has imported it.
    if any(base.__name__ == "OutOfMemoryError" for base in kind.__mro__):
        return str(translations(language).gettext(TOO_LITTLE_ON_GPU))
    if issubclass(kind, MemoryError) or any(word in str(error) for word in ALLOCATION_WORDS):
        amount = f"{limit / MEBIBYTE / 1024:.3g} GiB"
        return str(translations(language).gettext(TOO_LITTLE)).format(limit=amount)
    return None


def load_ipython_extension(shell: Any) -> None:
    """Guard this kernel's memory; nothing happens outside a sandbox that names a limit."""
    guard_cells(shell, lambda: functools.partial(used_in_sandbox, inherited()))


def guard_alone(shell: Any) -> None:
    """Guard a process that is by itself in its sandbox, as long as its code starts no other.

    What all processes take is told by walking through all their pages, some 10 ms before each
    cell where hundreds of megabytes are shared. The sandbox's own limit is behind this.
    """

    def since_now() -> Callable[[], int]:
        before = anonymous()
        return lambda: max(0, anonymous() - before) + files_in_memory()

    guard_cells(shell, since_now)


def guard_cells(shell: Any, counting: Callable[[], Callable[[], int]]) -> None:
    """Keep a shell's cells below the limit of their sandbox, if it names one.

    Parameters
    ----------
    counting
        Looks at how things are now, and gives what will say how many bytes are taken.
    """
    limit_mb = os.environ.get(VARIABLE, "")
    if not limit_mb.isdigit():
        return
    guard = Guard(int(limit_mb) * MEBIBYTE, counting())
    if not any(Path("/dev").glob("nvidia*")):
        # CUDA reserves address space for all of the GPU's memory, which can't be told apart.
        guard.watch_libraries()
        shell.events.register("pre_run_cell", lambda info: guard.tighten())

    def explain(
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> list[str]:
        guard.lift()
        said = sentence(kind, error, guard.limit)
        lines: list[str] = shell.InteractiveTB.structured_traceback(
            kind, error, trace, tb_offset=tb_offset
        )
        if said is not None:
            lines = [*lines, "", said]
        shell._showtraceback(kind, error, lines)
        return lines

    shell.set_custom_exc((MemoryError, RuntimeError), explain)
