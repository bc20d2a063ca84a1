"""Run a test again and again on one state, each time with other random numbers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from ulab_core.process import die_with_parent
from ulab_curricula.snapshots import limit

LONGEST_SAID = 1000


def repeat(test: Callable[[], str | None], seeds: Iterable[int], limit_s: float, out: Path) -> None:
    """In a process of its own: run a test once for each seed, in a fork of the state.

    Parameters
    ----------
    test
        Runs it; what it says is why it lost points, None when it lost none.
    out
        Gets a JSON list of what it said each time; empty text for what was killed.
    """
    said = [_once(test, seed, limit_s) for seed in seeds]
    temporary = out.with_suffix(".partial")
    temporary.write_text(json.dumps(said), encoding="utf-8")
    temporary.rename(out)


def _once(test: Callable[[], str | None], seed: int, limit_s: float) -> str | None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            limit(limit_s)
            reseed(seed)
            said = test()
            os.write(write, json.dumps(said and said[:LONGEST_SAID]).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    os.set_blocking(read, False)
    try:
        text = os.read(read, 16 * LONGEST_SAID)
    except BlockingIOError:
        text = b""
    os.close(read)
    return json.loads(text) if text else ""


def reseed(seed: int) -> None:
    """Seed the global generators of whatever the notebook has imported."""
    import random

    random.seed(seed)
    for name, function in (("numpy", "random.seed"), ("torch", "manual_seed")):
        found = sys.modules.get(name)
        for part in function.split("."):
            found = getattr(found, part, None)
        if callable(found):
            found(seed)
