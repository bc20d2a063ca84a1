"""How the base's processes hang together: they die with their parent, and orphans are ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
KILL_S = 10.0


def prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent(sent: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send `sent` to this process when the one that started it dies.

    Services of the hub call this first, so that a killed hub leaves none behind.
    """
    parent = os.getppid()
    prctl(_PR_SET_PDEATHSIG, sent)
    if os.getppid() != parent:  # it died between the two calls, and nothing more will be sent
        os.kill(os.getpid(), sent)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """The direct children of process `pid`."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found.extend(map(int, path.read_text().split()))
    return found


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, parents before their children."""
    found: list[int] = []
    waiting = children(pid)
    while waiting:
        child = waiting.pop(0)
        found.append(child)
        waiting.extend(children(child))
    return found


def end_all(
    patience_s: float,
    find: Callable[[], list[int]] | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> list[int]:
    """Ask this process's descendants to stop, and kill those that have not within `patience_s`.

    Parameters
    ----------
    patience_s
        Seconds between SIGTERM and SIGKILL.
    find
        Which processes to end; this process's descendants when None.
    is_over
        Asked while waiting; true cuts the patience short.

    Returns
    -------
    list of int
        The processes that had to be killed.
    """
    find = find or (lambda: descendants(os.getpid()))
    _signal_all(find(), signal.SIGTERM)
    until = time.monotonic() + patience_s
    while _reap_and_find(find) and time.monotonic() < until and not is_over():
        time.sleep(0.05)
    killed: set[int] = set()
    # A process that waits for a disk or another machine can't be killed, nor waited for.
    until = time.monotonic() + KILL_S
    while (left := _reap_and_find(find)) and time.monotonic() < until:
        killed.update(left)
        _signal_all(left, signal.SIGKILL)
        time.sleep(0.02)
    return sorted(killed)


def _reap_and_find(find: Callable[[], list[int]]) -> list[int]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return find()


def _signal_all(pids: list[int], sent: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, sent)
