"""Runs a command of the operators' beside the portal, and keeps in a folder what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

REPORT, ERRORS, ENDED = "report.json", "errors.txt", "ended"
_ABOUT = "about.json"
# What a command that is told to stop needs to end what it has started, and to remove its files.
_LAST_WORDS_S = 10


def note(folder: Path, **about: str) -> None:
    """Keep what a command is for, with the time, before it is started."""
    unfinished = folder / f".{_ABOUT}"
    unfinished.write_text(
        json.dumps({**about, "at": datetime.now(UTC).isoformat()}), encoding="utf-8"
    )
    unfinished.rename(folder / _ABOUT)


def noted(folder: Path) -> dict[str, Any] | None:
    """What was kept, with ``at`` as a time; None where nothing was, or only half of it."""
    try:
        about: dict[str, Any] = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # the machine went down before it was on the disk
        return None
    return {**about, "at": datetime.fromisoformat(about["at"])}


def state(
    folder: Path, at: datetime, longest: timedelta, now: datetime
) -> Literal["running", "ended", "interrupted"]:
    """How it is with a command that was started at a time and may take so long."""
    if (folder / ENDED).is_file():
        return "ended"
    return "interrupted" if now > at + longest + timedelta(minutes=1) else "running"


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
        try:
            process.wait(longest.total_seconds())
        except subprocess.TimeoutExpired:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_WORDS_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        (folder / ENDED).write_text(str(process.wait()))
    finally:
        ended()
