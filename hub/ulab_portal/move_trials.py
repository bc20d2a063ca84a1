"""Trying out what moving a course would do to its scores: started, how far, and what came of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_portal import turns
from ulab_portal.beside import REPORT, noted, run_beside, said, state

LONGEST = timedelta(minutes=60)
_TURN = ".turn"


@dataclass(frozen=True)
class Trial:
    """A trial of a move, or what came of it.

    Attributes
    ----------
    state
        ``running``, ``done``, ``failed`` or ``interrupted``.
    done, all
        How many submissions were graded so far, of how many; `all` is None before that is known.
    rows
        Each submission that would be other than now, as ``ulab course move --preview --json`` has
        it.
    said
        Why it failed, in the language of whoever asked.
    """

    person: str
    at: datetime
    state: str
    done: int = 0
    all: int | None = None
    rows: tuple[dict[str, Any], ...] = ()
    said: str = ""


def start(
    layout: Layout, course: str, before: str, version: str, person: str, language: str
) -> None:
    """Start to grade what the course has by the other version's tests, changing nothing.

    Raises
    ------
    Conflict
        Another trial is running.
    """
    try:
        turn = turns.take(layout.move_trials(course).parent / _TURN, person)
    except turns.Taken:
        raise Conflict(
            mark("Another move is being tried out. Try again when that is done.")
        ) from None
    with turn:
        folder = layout.move_trials(course) / version
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        arguments = ["course", "move", course, version, "--preview", "--json", "--progress"]
        run_beside(arguments, folder, language, LONGEST, turn, before=before, person=person)


def find(layout: Layout, course: str, before: str, version: str) -> Trial | None:
    """The newest trial of moving from the course's version to another one; None without one."""
    folder = layout.move_trials(course) / version
    about = noted(folder)
    if about is None or about["before"] != before:
        return None
    known = (about["person"], about["at"])
    how = state(folder)
    last = _last(folder / REPORT)
    if how != "ended":
        return Trial(*known, how, last.get("done", 0), last.get("all"))
    if "submissions" not in last:
        return Trial(*known, "failed", said=said(folder))
    tried = last["submissions"]
    rows = tuple(
        one for one in tried if one["problem"] or one["moves"] or one["before"] != one["after"]
    )
    return Trial(*known, "done", len(tried), len(tried), rows)


def _last(report: Path) -> dict[str, Any]:
    """The last whole line of a report that may be being written."""
    try:
        lines = report.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return {}
    whole = [line for line in lines if line.endswith("\n")]
    found: dict[str, Any] = json.loads(whole[-1]) if whole else {}
    return found
