"""Runs a command of the operators' beside the portal, and keeps in a folder what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal

from ulab_core.process import die_with_parent
from ulab_portal import turns

REPORT, ERRORS, ENDED = "report.json", "errors.txt", "ended"
GIVEN = "given.zip"
"""What the command reads, if anything; nothing of it is kept."""
_ABOUT, _RUNNING = "about.json", "running"
# What a command that is told to stop needs to end what it has started, and to remove its files.
_LAST_WORDS_S = 10


def run_beside(
    arguments: Sequence[str],
    folder: Path,
    language: str,
    longest: timedelta,
    turn: IO[str],
    **about: str,
) -> None:
    """Start ``ulab …`` and return; it is ended when it takes too long.

    What becomes of the portal meanwhile does not matter: a process of its own waits for it.

    Parameters
    ----------
    folder
        Gets `REPORT` and `ERRORS` while it runs, and `ENDED` with the exit code then.
    turn
        A lock that is held as long as it runs (see `ulab_portal.turns`).
    about
        What it is for; `noted` finds it.
    """
    # It has a name in the environment and a floor above: the command that operators run.
    command = [sys.executable, "-m", "ulab_deploy.cli", "--language", language, *arguments]
    waiting = [sys.executable, "-m", __name__, str(folder), str(longest.total_seconds())]
    with turns.take(folder / _RUNNING) as running:
        _note(folder, about)
        subprocess.Popen(
            [*waiting, *command], env=environment(os.environ), stdin=subprocess.DEVNULL,
            pass_fds=(turn.fileno(), running.fileno()), start_new_session=True,
        )  # fmt: skip


def _note(folder: Path, about: Mapping[str, str]) -> None:
    unfinished = folder / f".{_ABOUT}"
    unfinished.write_text(
        json.dumps({**about, "at": datetime.now(UTC).isoformat()}), encoding="utf-8"
    )
    unfinished.rename(folder / _ABOUT)


def noted(folder: Path) -> dict[str, Any] | None:
    """What a command is for, and since when as ``at``; None where none was ever started."""
    try:
        about: dict[str, Any] = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # the machine went down before it was on the disk
        return None
    return {**about, "at": datetime.fromisoformat(about["at"])}


def state(folder: Path) -> Literal["running", "ended", "interrupted"]:
    """How it is with a command that was started."""
    # In this order: it ends between two looks, but never after both.
    if turns.is_held(folder / _RUNNING):
        return "running"
    return "ended" if (folder / ENDED).is_file() else "interrupted"


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The portal's own, without what only the portal may know."""
    return {name: value for name, value in given.items() if not name.startswith("JUPYTERHUB_")}


def said(folder: Path) -> str:
    """The end of what it warned of."""
    return (folder / ERRORS).read_text(encoding="utf-8", errors="replace").strip()[-2000:]


def wait(folder: Path, longest_s: float, command: Sequence[str]) -> None:
    """Run a command to its end, or as long as it may, and keep what it says and how it ended."""
    with (folder / REPORT).open("wb") as out, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
            start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip
    try:
        process.wait(longest_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    (folder / GIVEN).unlink(missing_ok=True)
    (folder / ENDED).write_text(str(code))


if __name__ == "__main__":
    wait(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
