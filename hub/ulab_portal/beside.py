"""Runs a command of the operators' beside the portal, and keeps in a folder what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

REPORT, ERRORS, ENDED = "report.json", "errors.txt", "ended"


def run_beside(
    arguments: Sequence[str],
    folder: Path,
    language: str,
    longest: timedelta,
    ended: Callable[[], None],
) -> None:
    """Start ``ulab …`` and return; it is ended when it takes too long.

    Parameters
    ----------
    folder
        Gets `REPORT` and `ERRORS` while it runs, and `ENDED` with the exit code then.
    ended
        Called when nothing of it runs any more; not when this raises.
    """
    # It has a name in the environment and a floor above: the command that operators run.
    command = [sys.executable, "-m", "ulab_deploy.cli", "--language", language, *arguments]
    with (folder / REPORT).open("wb") as out, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(
            command, env=environment(os.environ), stdin=subprocess.DEVNULL, stdout=out,
            stderr=errors, start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=_wait, args=(process, folder, longest, ended), daemon=True).start()


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The portal's own, without what only the portal may know."""
    return {name: value for name, value in given.items() if not name.startswith("JUPYTERHUB_")}


def said(folder: Path) -> str:
    """The end of what it warned of."""
    return (folder / ERRORS).read_text(encoding="utf-8", errors="replace").strip()[-2000:]


def _wait(
    process: subprocess.Popen[bytes], folder: Path, longest: timedelta, ended: Callable[[], None]
) -> None:
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(longest.total_seconds())
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        (folder / ENDED).write_text(str(process.wait()))
    finally:
        ended()
