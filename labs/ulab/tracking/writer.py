"""Takes a run's records from training at once, and appends them to files a moment later."""

from __future__ import annotations

import contextlib
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

from ulab.tracking.later import arrived
from ulab.tracking.values import metric_name

# A kernel that is killed loses what it noted in this time.
SECONDS_BETWEEN_SAVES = 0.1
PIECE = 1024 * 1024
# Written at once: some hundred lines.
CHUNK = 64 * 1024
# Bytes kept in memory while the disk takes none; the oldest go first.
MOST_WAITING = 8 * 1024 * 1024
SECONDS_BETWEEN_TRIES = 1.0

# What it writes for numbers that JSON has no word for, it reads too.
_encode = json.JSONEncoder(separators=(",", ":")).encode

_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """Writes records from any thread, and from any process that is forked from this one.

    Encoding and writing a record takes a training loop, whose data fills the caches, some thirty
    microseconds, and a tenth of that when many are written together. So a thread does it.

    A forked process has files of its own, and writes at once.

    Parameters
    ----------
    folder
        The run's.
    on_new_piece
        Called before a further file is begun.
    on_save
        Called after each time the thread has looked for something to write.

    Attributes
    ----------
    note
        Takes a record: a list, the first of which says what it is. ``["m", step, nanoseconds,
        metrics]`` may hold numbers that are still on a GPU.
    """

    def __init__(
        self,
        folder: Path,
        on_new_piece: Callable[[], None] | None = None,
        on_save: Callable[[], None] | None = None,
    ) -> None:
        self._folder = folder
        self._on_new_piece = on_new_piece
        self._on_save = on_save
        self._noted: deque[list[Any]] = deque()
        self._waiting: deque[bytes] = deque()
        self._names: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self.note: Callable[[list[Any]], None] = self._noted.append
        self._start_anew()
        _writers.add(self)

    def _start_anew(self) -> None:
        self._lock = threading.RLock()
        self._stop = threading.Event()
        # A process's number may have been another's before.
        self._name = f"{os.getpid()}x{secrets.token_hex(4)}"
        self._file = -1
        self._number = 0
        self._size = 0
        # Whether the first of what waits is the rest of a line.
        self._cut = False
        self._try_at = 0.0

    @property
    def stuck(self) -> bool:
        """Whether the disk does not take what is written."""
        return bool(self._waiting)

    def start(self) -> None:
        """Save by itself from now on."""
        self._thread = threading.Thread(target=self._go_on, name="ulab-tracking", daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_SAVES):
            self.save()
            if self._on_save is not None:
                # A thread that dies would take all that is noted later with it.
                with contextlib.suppress(Exception):
                    self._on_save()

    def discard(self) -> None:
        """Take records and write none: nobody wants them."""
        self.note = lambda record: None
        self._noted.clear()

    def write(self, record: list[Any]) -> None:
        """Note a record, and save it now."""
        self.note(record)
        self.save()

    def save(self, wait: bool = False) -> None:
        """Write what is noted.

        Parameters
        ----------
        wait
            Whether to wait for numbers that are still on a GPU; otherwise they, and what was noted
            after them, are left for the next time.
        """
        with self._lock:
            chunk = bytearray()
            while self._noted and arrived(self._noted[0], wait):
                chunk += self._line(self._noted.popleft())
                if len(chunk) >= CHUNK:
                    self._waiting.append(bytes(chunk))
                    chunk.clear()
            if chunk:
                self._waiting.append(bytes(chunk))
            if self._waiting and time.monotonic() >= self._try_at:
                self._write_what_waits()
                self._bound()

    def close(self) -> bool:
        """Save everything, and stop.

        Returns
        -------
        bool
            Whether the disk took everything.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._try_at = 0.0
            self.save(wait=True)
            self._close()
            return not self._waiting

    def _line(self, record: list[Any]) -> bytes:
        if record[0] == "m":
            kind, step, at, metrics = record
            names = self._names
            named = {names.get(key) or self._name_of(key): n for key, n in metrics.items()}
            record = [kind, step, at // 1_000_000, named]
        return _encode(record).encode() + b"\n"

    def _name_of(self, key: str) -> str:
        known = self._names[key] = metric_name(key)
        return known

    def _write_what_waits(self) -> None:
        try:
            while self._waiting:
                if self._file < 0 or (self._size >= PIECE and not self._cut):
                    self._next_piece()
                data = self._waiting[0]
                count = os.write(self._file, data)
                self._size += count
                self._waiting.popleft()
                self._cut = count < len(data)
                if self._cut:
                    self._waiting.appendleft(data[count:])
        except OSError:
            self._try_at = time.monotonic() + SECONDS_BETWEEN_TRIES

    def _bound(self) -> None:
        while sum(map(len, self._waiting)) > MOST_WAITING:
            self._waiting.popleft()
            if self._cut:
                # The line that was begun stays as it is, and the next begins on its own.
                self._cut = False
                self._waiting[0] = b"\n" + self._waiting[0]

    def _next_piece(self) -> None:
        if self._file >= 0 and self._on_new_piece is not None:
            self._on_new_piece()
        self._close()
        name = f"{self._name}-{self._number}.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._folder / name, flags, 0o600)
        self._number += 1
        self._size = 0

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def in_a_forked_process(self) -> None:
        """Begin anew: the thread is not here, its lock may be held, the parent saves its own."""
        self._close()
        self._noted.clear()
        self._waiting.clear()
        self._thread = None
        self._start_anew()
        self.note = self._note_and_save

    def _note_and_save(self, record: list[Any]) -> None:
        self._noted.append(record)
        self.save(wait=True)


def _forked() -> None:
    for writer in list(_writers):
        writer.in_a_forked_process()


os.register_at_fork(after_in_child=_forked)
