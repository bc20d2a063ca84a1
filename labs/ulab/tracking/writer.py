"""Appends a run's lines to files, a system call each; what the disk has no room for waits."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

PIECE = 1024 * 1024
# Lines kept in memory while the disk takes none; the oldest go first.
MOST_WAITING = 20_000
SECONDS_BETWEEN_TRIES = 1.0

# What it writes for numbers that JSON has no word for, it reads too.
_encode = json.JSONEncoder(separators=(",", ":")).encode

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def as_json(record: list[Any]) -> bytes:
    """A record as a line."""
    return _encode(record).encode() + b"\n"


class Writer:
    """Writes lines from any thread, and from any process that is forked from this one.

    A forked process has files of its own.

    Parameters
    ----------
    folder
        The run's.
    on_new_piece
        Called before a further file is begun.
    """

    def __init__(self, folder: Path, on_new_piece: Callable[[], None] | None = None) -> None:
        self._folder = folder
        self._on_new_piece = on_new_piece
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._start_anew()
        _writers.add(self)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        # A process's number may have been another's before.
        self._name = f"{os.getpid()}x{secrets.token_hex(4)}"
        self._file = -1
        self._number = 0
        self._size = 0
        self._torn = False
        self._try_at = 0.0

    @property
    def waiting(self) -> int:
        """How many lines the disk has not taken."""
        return len(self._waiting)

    def write(self, line: bytes) -> None:
        """Note a line; it must end with a newline and hold no other."""
        with self._lock:
            if self._waiting:
                self._waiting.append(line)
                if time.monotonic() >= self._try_at:
                    self._catch_up()
            elif not self._written(line):
                self._waiting.append(line)

    def close(self) -> bool:
        """Write what waits, and close the file.

        Returns
        -------
        bool
            Whether the disk took everything.
        """
        with self._lock:
            self._catch_up()
            self._close()
            return not self._waiting

    def _catch_up(self) -> None:
        while self._waiting and self._written(self._waiting[0]):
            self._waiting.popleft()

    def _written(self, line: bytes) -> bool:
        try:
            if self._file < 0 or self._size >= PIECE:
                self._next_piece()
            # The rest of a line that the disk cut short would spoil the one after it.
            data = b"\n" + line if self._torn else line
            count = os.write(self._file, data)
        except OSError:
            self._try_at = time.monotonic() + SECONDS_BETWEEN_TRIES
            return False
        self._size += count
        self._torn = count < len(data)
        return not self._torn

    def _next_piece(self) -> None:
        if self._file >= 0 and self._on_new_piece is not None:
            self._on_new_piece()
        self._close()
        name = f"{self._name}-{self._number}.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._folder / name, flags, 0o600)
        self._number += 1
        self._size = 0
        self._torn = False

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _in_a_forked_process() -> None:
    for writer in list(_writers):
        # The lock may be held by a thread that is not here, and the lines that wait are noted by
        # the parent.
        writer._close()
        writer._waiting.clear()
        writer._start_anew()


os.register_at_fork(after_in_child=_in_a_forked_process)
