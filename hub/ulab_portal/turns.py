"""Locked files: one holder at a time, for as long as any process has the file open."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


class Taken(Exception):
    """Another process has it.

    Attributes
    ----------
    whose
        What that one wrote into the file.
    """

    def __init__(self, whose: str) -> None:
        super().__init__(whose)
        self.whose = whose


def take(file: Path, whose: str = "") -> IO[str]:
    """Lock a file and write into it whose it is now.

    The lock is held until what this returns is closed, by this process and by those that it was
    handed to: the kernel frees it, whatever becomes of them.

    Raises
    ------
    Taken
        It is locked.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    held = file.open("a+", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with held:
            held.seek(0)
            raise Taken(held.read()) from None
    held.truncate(0)
    held.write(whose)
    held.flush()
    return held


def is_held(file: Path) -> bool:
    """Whether anyone holds it; it is not to be taken again afterwards."""
    try:
        with file.open("rb") as asked:
            fcntl.flock(asked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
