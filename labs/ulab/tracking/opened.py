"""A run that is open: its place on the disk, its lock, and what the sender says of it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any

from ulab.tracking import errand, room, words
from ulab.tracking.plain import Adopted
from ulab.tracking.spool import Spool
from ulab.tracking.writer import Writer, as_json

# A block begins no later than this, whatever the server does.
SECONDS_TO_BEGIN = 5.0
SECONDS_BETWEEN_LOOKS = 5.0


class Opened:
    """The mechanics behind a `Run`.

    Attributes
    ----------
    run_id, experiment_id
        MLflow's; None until the server has answered.
    params
        Which parameters it was given at its beginning.
    refused
        Whether the run is not wanted there, so that nothing more need be noted.
    """

    def __init__(self, base: Path, about: dict[str, Any]) -> None:
        self._base = base
        self.about = about
        self.spool, self._lock = Spool.create(base, about)
        self._writer = Writer(self.spool.folder, self.make_room)
        self._process = os.getpid()
        self._thread = threading.get_ident()
        self._adopted: Adopted | None = None
        self._told = False
        self._look_at = 0.0
        self.run_id: str | None = None
        self.experiment_id: str | None = None
        self.refused = False
        self.params: set[str] = set()

    def write(self, record: list[Any]) -> None:
        self._writer.write(as_json(record))

    def begin(self) -> None:
        """Let the run be made, and wait a moment for it."""
        errand.call(self._base)
        until = time.monotonic() + SECONDS_TO_BEGIN
        called = time.monotonic()
        while time.monotonic() < until:
            if self._read() or self._told:
                return
            if time.monotonic() - called > errand.SECONDS_TO_CALL_AGAIN:
                errand.call(self._base)
                called = time.monotonic()
            time.sleep(errand.SECONDS_BETWEEN_LOOKS)

    def look(self) -> bool:
        """Now and then, see how the run is doing; whether it was time to."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + SECONDS_BETWEEN_LOOKS
        if os.getpid() == self._process and not self.refused:
            self._read()
            if self._writer.waiting:
                self.tell(words.disk_is_full())
            errand.call(self._base)
        return True

    def _read(self) -> bool:
        """Take in what the sender wrote; whether the run is made."""
        state = self.spool.state()
        if state.get("run_id") and self.run_id is None:
            self.run_id, self.experiment_id = state["run_id"], state["experiment_id"]
        if self.run_id and self._adopted is None and threading.get_ident() == self._thread:
            self._adopted = Adopted(
                self.run_id,
                str(self.experiment_id),
                state.get("run_name", ""),
                self.about["start"],
                self.about["aim"]["workspace"],
            )
        trouble, sentence = state.get("trouble"), state.get("sentence", "")
        if trouble and state.get("finished"):
            self.refused = True
            self.tell(words.not_recorded(sentence))
        elif trouble:
            self.tell(words.sent_later(trouble, sentence))
        return self.run_id is not None

    def tell(self, sentence: str) -> None:
        """Say something to the student, unless something was said already."""
        if not self._told:
            self._told = True
            words.tell(sentence)

    def end(self, status: str) -> None:
        """End the run, and wait for what is noted to arrive, though not for long."""
        if os.getpid() != self._process:
            # A process that was forked inside the block: the run is not its to end.
            return
        if self._adopted is not None:
            self._adopted.leave()
        if not self.refused:
            self.write(["e", status, int(time.time() * 1000)])
            if not self._writer.close():
                self.tell(words.disk_is_full())
            errand.call(self._base)
            found = errand.wait(self.spool, self._base)
            self._read()
            if not found.finished:
                self.tell(words.still_sending())
        state = self.spool.state()
        if state.get("refused"):
            self.tell(words.values_refused(state["refused"], state.get("refusal", "")))
        if state.get("finished"):
            self.spool.remove()
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def make_room(self, more: int = 0) -> None:
        """See to it that so many bytes more can wait; the oldest that waits goes."""
        if room.make_room(self._base, self.spool, more):
            self.tell(words.room_was_made())
