"""Lets Ctrl-C end long work of the command line at once, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType

from ulab_core.process import descendants
from ulab_deploy import console
from ulab_deploy.console import t

# What was found is killed, and once more for what it started meanwhile.
ROUNDS = 5


@contextlib.contextmanager
def ended_at_once() -> Iterator[None]:
    """While the block runs, Ctrl-C and SIGTERM end the command, all it has started and its files.

    Only for the main thread, and for work that leaves nothing half done but temporary files.
    """
    scratch = tempfile.mkdtemp(prefix="ulab-")
    before = tempfile.tempdir
    tempfile.tempdir = scratch

    def end(number: int, frame: FrameType | None) -> None:
        for sent in handlers:
            signal.signal(sent, signal.SIG_IGN)
        # Threads wait for judges and notebooks; no exception could make them stop waiting.
        for _ in range(ROUNDS):
            for process in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
        shutil.rmtree(scratch, ignore_errors=True)
        console.passed()
        console.warn(t("Stopped. Nothing of it is left running."))
        os._exit(128 + number)

    handlers = {sent: signal.signal(sent, end) for sent in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sent, handler in handlers.items():
            signal.signal(sent, handler)
        tempfile.tempdir = before
        shutil.rmtree(scratch, ignore_errors=True)
