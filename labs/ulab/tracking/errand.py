"""What a kernel asks of the sender: to be there, to wake up, to be done."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ulab.language import say
from ulab.tracking.spool import Spool, base_for, locked

LOCK, WAKE, LOG = "sender.lock", "wake", "sender.log"
URI_VARIABLE = "MLFLOW_TRACKING_URI"
PERSON_VARIABLE = "JUPYTERHUB_USER"
LONGEST_LOG = 256 * 1024
# A block waits no longer than this for its last numbers to arrive …
SECONDS_AT_MOST = 30.0
# … nor than this without any arriving, …
SECONDS_WITHOUT = 8.0
# … nor than this once the server is known to be away.
SECONDS_IF_AWAY = 1.0
SECONDS_BETWEEN_LOOKS = 0.01
SECONDS_TO_CALL_AGAIN = 1.0

_started: list[subprocess.Popen[bytes]] = []


class Way(NamedTuple):
    """How far a run is on its way, as a waiting kernel sees it."""

    finished: bool
    trouble: str
    left: int


def base() -> Path | None:
    """The folder of this server and person; None where there is no server to send to."""
    uri = os.environ.get(URI_VARIABLE, "")
    if not uri.startswith(("http://", "https://")):
        return None
    return base_for(uri, os.environ.get(PERSON_VARIABLE, ""))


def ensure(base: Path) -> None:
    """See to it that the sender is there; never an error, never a wait."""
    if not locked(base / LOCK):
        # When there is no process or file more, the next call tries again; what is noted stays.
        with contextlib.suppress(OSError):
            _start(base)


def call(base: Path) -> None:
    """See to it that the sender is there and awake, for someone waits."""
    ensure(base)
    try:
        pipe = os.open(base / WAKE, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # Nobody reads yet: who has just been started looks around by itself.
        return
    with contextlib.suppress(OSError):
        os.write(pipe, b".")
    os.close(pipe)


def _start(base: Path) -> None:
    # Those that have ended are let go, so that none stays as a zombie.
    _started[:] = [process for process in _started if process.poll() is None]
    log = base / LOG
    too_long = log.exists() and log.stat().st_size > LONGEST_LOG
    with log.open("wb" if too_long else "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ulab.tracking.sender", str(base)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            # An interrupt from a terminal goes to a whole session.
            start_new_session=True,
        )
    _started.append(process)


def way(spool: Spool) -> Way:
    """How far a run is."""
    state = spool.state()
    left = spool.waiting(state.get("sent", {}))
    return Way(bool(state.get("finished")), str(state.get("trouble", "")), left)


def gives_up(elapsed: float, without: float, trouble: str) -> bool:
    """Whether a block stops waiting, and leaves the rest for later.

    Parameters
    ----------
    elapsed
        Seconds since it began to wait.
    without
        Seconds since anything arrived.
    trouble
        What the sender says is in the way.
    """
    if trouble:
        return elapsed >= SECONDS_IF_AWAY
    return elapsed >= SECONDS_AT_MOST or without >= SECONDS_WITHOUT


def wait(spool: Spool, base: Path) -> Way:
    """Wait for a run's last lines to arrive, with progress, and not for long."""
    start = moved = called = time.monotonic()
    found = way(spool)
    most = least = found.left
    shown = _Progress(start)
    try:
        while not found.finished:
            now = time.monotonic()
            if found.left < least:
                least, moved = found.left, now
            if gives_up(now - start, now - moved, found.trouble):
                break
            if now - called > SECONDS_TO_CALL_AGAIN:
                call(base)
                called = now
            shown.show(now, 1 - least / most if most else 1.0)
            time.sleep(SECONDS_BETWEEN_LOOKS)
            found = way(spool)
    except KeyboardInterrupt:
        # Whoever is tired of waiting has it sent later.
        pass
    shown.close(found.finished)
    return found


class _Progress:
    """A line that shows how much has arrived, for whoever waits longer than two seconds."""

    def __init__(self, start: float) -> None:
        self._next = start + 2.0
        self._shown = False

    def show(self, now: float, part: float) -> None:
        if now < self._next:
            return
        self._next = now + 1.0
        self._shown = True
        self._say(part)

    def close(self, finished: bool) -> None:
        if not self._shown:
            return
        if finished:
            # It stays in the notebook, and one that stopped at less would look like a loss.
            self._say(1.0)
        print(file=sys.stderr)

    @staticmethod
    def _say(part: float) -> None:
        percent = f"{part:.0%}"
        words = say(
            zh=f"\r正在把实验记录发给服务器：{percent}",
            en=f"\rSending what was logged to the server: {percent}",
        )
        print(words, end="", file=sys.stderr, flush=True)


def flush(seconds: float = 60.0) -> int:
    """Send what earlier runs have left, and wait for it.

    Happens by itself with the next `ulab.track()`; for whoever wants to be sure before leaving.

    Parameters
    ----------
    seconds
        How long to wait at most.

    Returns
    -------
    int
        How many runs are still not wholly sent. Open ones are not counted.
    """
    folder = base()
    if folder is None:
        return 0
    until = time.monotonic() + seconds
    called = 0.0
    while True:
        left = list(_left(folder))
        now = time.monotonic()
        if not left or now >= until:
            return len(left)
        if now - called > SECONDS_TO_CALL_AGAIN:
            call(folder)
            called = now
        time.sleep(0.05)


def _left(folder: Path) -> Iterator[Spool]:
    return (spool for spool in Spool.all(folder) if not spool.owned())
