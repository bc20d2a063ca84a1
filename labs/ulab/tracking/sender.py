"""The process that sends what is noted: one for a person and server, gone when nothing is left.

``python -m ulab.tracking.sender FOLDER``. It is a process of its own, so that neither its work nor
a slow server takes time from training, and so that it may go on when a kernel is killed. When it is
killed itself, the next one goes on where its last request ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import select
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from ulab.tracking.delivery import Delivery
from ulab.tracking.errand import LOCK, WAKE
from ulab.tracking.server import Server
from ulab.tracking.spool import Spool
from ulab.tracking.system import Watcher
from ulab.tracking.trouble import Refusal, Trouble

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_BATCHES = 2.0
# So much is sent at once: about a batch.
BYTES_AT_ONCE = 48 * 1024
# Stays for the next cell's run.
SECONDS_IDLE = 30.0
LONGEST_PAUSE = 30.0
# When nobody is in a block any more, a later sender may go on.
SECONDS_ALONE = 3600.0
DAYS_KEPT = 30


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row, before some chance is added.

    Examples
    --------
    >>> [pause(failures) for failures in (1, 2, 3, 9)]
    [0.5, 1.0, 2.0, 30.0]
    """
    return min(LONGEST_PAUSE, 0.5 * 2.0 ** (failures - 1))


def is_due(waiting: int, since: float, owned: bool) -> bool:
    """Whether to send now.

    Parameters
    ----------
    waiting
        Bytes that are noted and not sent.
    since
        Seconds since the last request for this run.
    """
    return (
        not owned or waiting >= BYTES_AT_ONCE or (waiting > 0 and since > SECONDS_BETWEEN_BATCHES)
    )


class Sender:
    """The loop."""

    def __init__(self, base: Path, server: Server) -> None:
        self._base = base
        self._server = server
        self._deliveries: dict[str, Delivery] = {}
        self._watchers: dict[str, Watcher] = {}
        self._failures = 0
        self._away: Refusal | None = None
        self._again_at = 0.0
        self._blocked: dict[str, float] = {}
        self._busy_at = self._owned_at = time.monotonic()
        with contextlib.suppress(FileExistsError):
            os.mkfifo(base / WAKE, 0o600)
        # Open for writing too, so that it is not at its end whenever a kernel has written.
        self._wake = os.open(base / WAKE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        self._forget_the_old()
        while not self._over():
            self.look()
            ready, _, _ = select.select([self._wake], [], [], SECONDS_BETWEEN_LOOKS)
            if ready:
                os.read(self._wake, 4096)
                # A block has begun or ended: someone waits, so the server is asked at once.
                self._again_at = min(self._again_at, time.monotonic() + 0.1)

    def look(self) -> None:
        """Send what is due of every run."""
        spools = Spool.all(self._base)
        for gone in set(self._deliveries) - {spool.key for spool in spools}:
            self._leave(gone)
        if spools:
            self._busy_at = time.monotonic()
        for spool in spools:
            owned = spool.owned()
            if owned:
                self._owned_at = time.monotonic()
            try:
                self._look_at(spool, owned)
            except FileNotFoundError:
                # Given up to make room, or tidied up by its kernel.
                self._leave(spool.key)
            except Exception:
                # One run must not keep the others from being sent.
                traceback.print_exc()
                self._blocked[spool.key] = time.monotonic() + LONGEST_PAUSE

    def _look_at(self, spool: Spool, owned: bool) -> None:
        delivery = self._deliveries.get(spool.key)
        if delivery is None:
            delivery = self._deliveries[spool.key] = Delivery(spool, self._server)
        if not delivery.about:
            # Not even its beginning could be read: a disk that was full, or damage.
            if not owned:
                spool.remove()
            return
        if delivery.finished:
            # The kernel reads how it went, and removes it.
            if not owned:
                spool.remove()
                self._leave(spool.key)
            return
        if owned and "end" not in delivery.state:
            self._watch(spool, delivery)
        now = time.monotonic()
        unmade = "run_id" not in delivery.state
        ended = "end" in delivery.state
        due = is_due(delivery.waiting(), now - delivery.sent_at, owned) or unmade or ended
        if not due or now < self._blocked.get(spool.key, 0.0):
            return
        if self._away is not None and now < self._again_at:
            # What one run has met is true of all: whoever waits for this one need not try.
            delivery.note(self._away)
            return
        try:
            delivery.send(owned, self._parent_of(delivery))
            self._failures, self._away = 0, None
            self._blocked.pop(spool.key, None)
        except Refusal as refusal:
            print(spool.key, refusal, file=sys.stderr, flush=True)
            if refusal.trouble is Trouble.AWAY:
                self._away = refusal
                self._failures += 1
                wait = pause(self._failures) * random.uniform(0.8, 1.2)
                self._again_at = time.monotonic() + wait
            else:
                self._blocked[spool.key] = time.monotonic() + LONGEST_PAUSE

    def _parent_of(self, delivery: Delivery) -> str | None:
        parent = delivery.about.get("parent") or {}
        if parent.get("run_id"):
            return str(parent["run_id"])
        # Made before this one, for it began before.
        above = self._deliveries.get(parent.get("key", ""))
        return above.state.get("run_id") if above else None

    def _watch(self, spool: Spool, delivery: Delivery) -> None:
        if not delivery.about.get("watch"):
            return
        watcher = self._watchers.get(spool.key)
        if watcher is None:
            watcher = self._watchers[spool.key] = Watcher(spool, delivery.about)
        watcher.look()

    def _leave(self, key: str) -> None:
        self._deliveries.pop(key, None)
        self._watchers.pop(key, None)
        self._blocked.pop(key, None)

    def _over(self) -> bool:
        now = time.monotonic()
        if not (self._base / LOCK).exists():
            # The folder was removed; another sender would lock another file.
            return True
        if now - self._busy_at > SECONDS_IDLE or now - self._owned_at > SECONDS_ALONE:
            return True
        # Only runs that wait for rights or a new login, and nobody who waits for them.
        return (
            bool(self._deliveries)
            and set(self._blocked) == set(self._deliveries)
            and now - self._owned_at > SECONDS_IDLE
        )

    def _forget_the_old(self) -> None:
        for spool in Spool.all(self._base):
            try:
                age = time.time() - spool.folder.stat().st_mtime
            except OSError:
                continue
            if age > DAYS_KEPT * 86400 and not spool.owned():
                spool.remove()
        for half_made in self._base.glob(".*-*"):
            # The kernel died between the first file and the last.
            with contextlib.suppress(OSError):
                if time.time() - half_made.stat().st_mtime > 60:
                    shutil.rmtree(half_made, ignore_errors=True)


def main() -> None:
    # A Ctrl-C or "interrupt kernel" is meant for the training.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    base = Path(sys.argv[1])
    lock = os.open(base / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    # For whoever looks for the process.
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    with contextlib.suppress(OSError):
        # Training first, should there be too few cores for both.
        os.nice(5)
    Sender(base, Server.of_environment()).run()


if __name__ == "__main__":
    main()
