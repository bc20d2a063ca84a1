"""A run that is open: its place on the disk, its lock, and what the sender says of it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from ulab.tracking import errand, room, words
from ulab.tracking.plain import Adopted
from ulab.tracking.spool import Spool
from ulab.tracking.writer import PIECE, Writer

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
    writer
        Takes the run's records.
    """

    def __init__(self, base: Path, about: dict[str, Any]) -> None:
        self._base = base
        self.about = about
        self.spool, self._lock = Spool.create(base, about)
        self.writer = Writer(self.spool.folder, self.make_room, self._look)
        self._told = False
        self.make_room()
        self._process = os.getpid()
        self._adopted: Adopted | None = None
        self._look_at = 0.0
        self.run_id: str | None = None
        self.experiment_id: str | None = None
        self.refused = False
        self._name = ""
        self.params: set[str] = set()

    def begin(self) -> None:
        """Let the run be made, and wait a moment for it."""
        self.writer.start()
        errand.call(self._base)
        until = time.monotonic() + SECONDS_TO_BEGIN
        called = time.monotonic()
        while time.monotonic() < until:
            trouble = self._read()
            if trouble or self.run_id is not None:
                break
            if time.monotonic() - called > errand.SECONDS_TO_CALL_AGAIN:
                errand.call(self._base)
                called = time.monotonic()
            time.sleep(errand.SECONDS_BETWEEN_LOOKS)
        if self.run_id is not None:
            where = self.about["aim"]["workspace"]
            start = self.about["start"]
            self._adopted = Adopted(self.run_id, str(self.experiment_id), self._name, start, where)

    def _look(self) -> None:
        """Now and then, see how the run is doing."""
        now = time.monotonic()
        if now < self._look_at or self.refused:
            return
        self._look_at = now + SECONDS_BETWEEN_LOOKS
        self._read()
        if self.writer.stuck:
            self.tell(words.disk_is_full())
        errand.ensure(self._base)

    def _read(self) -> str:
        """Take in what the sender wrote; what it says is in the way."""
        state = self.spool.state()
        if state.get("run_id") and self.run_id is None:
            self.run_id, self.experiment_id = state["run_id"], state["experiment_id"]
            self._name = state.get("run_name", "")
        trouble, sentence = str(state.get("trouble", "")), str(state.get("sentence", ""))
        if trouble and state.get("finished"):
            self.refused = True
            self.writer.discard()
            self.tell(words.not_recorded(sentence))
        elif trouble:
            self.tell(words.sent_later(trouble, sentence))
        return trouble

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
        try:
            if self._adopted is not None:
                self._adopted.leave()
            self._send_the_rest(status)
        finally:
            # Whatever happens, an interrupt too: from here on the sender may end the run.
            with contextlib.suppress(OSError):
                os.close(self._lock)

    def _send_the_rest(self, status: str) -> None:
        if self.refused:
            self.writer.close()
        else:
            self.writer.note(["e", status, int(time.time() * 1000)])
            if not self.writer.close():
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

    def make_room(self, more: int = PIECE) -> None:
        """See to it that so many bytes more can wait; the oldest that waits goes."""
        if room.make_room(self._base, self.spool, more):
            self.tell(words.room_was_made())
