"""Runs the hub, brings it back when it dies, and leaves nothing behind when told to stop."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import adopt_orphans, die_with_parent, end_all

FIRST_TRIES = 3
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
SERVE_PATIENCE_S = 150.0
HUB_PATIENCE_S = 40.0
REST_PATIENCE_S = 10.0
LAST_WORDS = 15
LOG_MAX_BYTES = 20 * 2**20


class HubFailed(UserError):
    """The hub never came to serve: it ended again and again, or nothing answered."""

    exit_code = 4


def pause_before_restart(failures: int) -> float:
    """Seconds to wait after the hub died `failures` times in a row without a steady minute.

    The first comes back at once: a `kill -9` should cost people as little as it can.
    """
    return 0.0 if failures <= 1 else min(LONGEST_PAUSE_S, 2.0 ** (failures - 2))


class Supervisor:
    """One hub and everything below it.

    Parameters
    ----------
    command, env, cwd
        How to start the hub.
    log
        Where it and its services write.
    is_ready
        Whether the base serves; asked a few times a second until it says so.
    on_wait
        Called now and then, with the seconds gone by, until it serves for the first time.
    on_ready, on_death
        Called when it serves for the first time, and when the hub died and will be restarted.
    patience_s
        How long it may take to serve for the first time.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        is_ready: Callable[[], bool],
        on_wait: Callable[[int], None],
        on_ready: Callable[[], None],
        on_death: Callable[[int], None],
        patience_s: float = SERVE_PATIENCE_S,
    ) -> None:
        self._command = list(command)
        self._env = dict(env)
        self._cwd = cwd
        self._log = log
        self._is_ready = is_ready
        self._on_wait = on_wait
        self._on_ready = on_ready
        self._on_death = on_death
        self._patience_s = patience_s
        self._log_start = 0
        self._hub: subprocess.Popen[bytes] | None = None
        self._stops = 0
        self._served = False

    def run(self, on_stop: Callable[[], None]) -> None:
        """Serve until SIGINT or SIGTERM.

        Parameters
        ----------
        on_stop
            Called when the end begins; a second signal shortens it.

        Raises
        ------
        HubFailed
            The hub never came to serve.
        """
        adopt_orphans()
        woken, wakes = os.pipe()
        for end in (woken, wakes):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        before = {
            number: signal.signal(number, handler)
            for number, handler in (
                (signal.SIGINT, self._told_to_stop),
                (signal.SIGTERM, self._told_to_stop),
                (signal.SIGHUP, self._told_to_stop),
                (signal.SIGCHLD, lambda *_: None),
            )
        }
        try:
            self._serve(woken)
            on_stop()
        finally:
            self._end()
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(woken)
            os.close(wakes)

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stops += 1

    def _serve(self, woken: int) -> None:
        failures = 0
        began = started = self._start()
        next_start: float | None = None
        next_word = began + self._patience_s / 10
        while not self._stops:
            select.select([woken], [], [], 0.2 if not self._served or next_start else 1.0)
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            now = time.monotonic()
            status = self._reap()
            if status is not None:
                steady = self._served and now - started > STEADY_S
                failures = 1 if steady else failures + 1
                if not self._served and failures >= FIRST_TRIES:
                    raise self._failed()
                self._on_death(status)
                next_start = now + pause_before_restart(failures)
            if next_start is not None and now >= next_start:
                started, next_start = self._start(), None
            elif not self._served and next_start is None and self._is_ready():
                self._served = True
                self._on_ready()
            if not self._served and now >= next_word:
                if now - began >= self._patience_s:
                    raise self._failed()
                self._on_wait(round(now - began))
                next_word += self._patience_s / 10

    def _failed(self) -> HubFailed:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            said = log.read().decode(errors="replace")
        return HubFailed(
            mark(
                "The hub does not start. It said at last:\n{said}\n"
                "Mend that and start again. The whole story is in {log}."
            ),
            said="\n".join(last_words(said)),
            log=self._log,
        )

    def _start(self) -> float:
        if self._log.exists() and self._log.stat().st_size > LOG_MAX_BYTES:
            self._log.replace(self._log.with_suffix(".old.log"))
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._hub = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches us alone, and we say when the hub is to end.
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        return time.monotonic()

    def _reap(self) -> int | None:
        """Collect whatever died below us; the hub's exit status if it was among it."""
        status = None
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, raw = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if self._hub is not None and pid == self._hub.pid:
                    status = os.waitstatus_to_exitcode(raw)
                    self._hub.returncode = status
                    self._hub = None
        return status

    def _end(self) -> None:
        told = self._stops
        if self._hub is not None:
            with contextlib.suppress(ProcessLookupError):
                self._hub.terminate()
        until = time.monotonic() + HUB_PATIENCE_S
        while self._hub is not None and time.monotonic() < until and self._stops == told:
            time.sleep(0.05)
            self._reap()
        end_all(REST_PATIENCE_S, is_over=lambda: self._stops > max(told, 1))


def last_words(text: str) -> list[str]:
    """What of a log tells a person why: no mere information, no programmer's stack."""
    told: list[str] = []
    stack: int | None = None
    for line in filter(str.strip, text.splitlines()):
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("Traceback (most recent call last)"):
            stack = indent
        elif stack is None or indent <= stack:
            stack = None
            if not line.startswith("[I "):
                told.append(line)
    return told[-LAST_WORDS:]
