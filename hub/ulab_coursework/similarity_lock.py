"""Who makes a similarity report now: one process at a time, and a dead one holds nothing."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import utc_now


class BeingMade(Conflict):
    """Another process is making this report."""


def being_made_since(layout: Layout, course_id: str, assignment: str) -> datetime | None:
    """When some process began with it; None when none is at it, also when it died meanwhile."""
    try:
        with _lock_file(layout, course_id, assignment).open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                since = held.read()
                return datetime.fromisoformat(since) if since else utc_now()
    except FileNotFoundError:
        pass
    return None


def was_cut_off(layout: Layout, course_id: str, assignment: str) -> bool:
    """Whether the last one who began with it died before it was made."""
    try:
        begun = bool(_lock_file(layout, course_id, assignment).read_text())
    except FileNotFoundError:
        return False
    return begun and being_made_since(layout, course_id, assignment) is None


@contextmanager
def locked(layout: Layout, course_id: str, assignment: str) -> Iterator[None]:
    """Let nobody else make this report meanwhile; the lock ends with the process.

    Raises
    ------
    BeingMade
        Somebody else is at it.
    """
    file = _lock_file(layout, course_id, assignment)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as held:
        for left in reversed(range(5)):
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    raise BeingMade(mark("This report is being made already.")) from None
                # A page that looks whether it is being made holds it for a moment.
                time.sleep(0.05)
        held.truncate(0)
        held.write(utc_now().isoformat())
        held.flush()
        try:
            yield
        finally:
            # Only who died leaves it: so the next to look knows.
            held.truncate(0)


def _lock_file(layout: Layout, course_id: str, assignment: str) -> Path:
    return layout.similarity_file(course_id, assignment).with_suffix(".lock")
