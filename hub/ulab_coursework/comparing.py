"""Making a similarity report in the background: who asked, and why the last one failed."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from pathlib import Path

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.rights import Act
from ulab_core.settings import Settings
from ulab_coursework.courses import find_assignment, require_right
from ulab_coursework.graded import replace_file
from ulab_coursework.similarity import make_locked
from ulab_coursework.similarity_lock import locked, was_cut_off

log = logging.getLogger(__name__)
FAILED = mark(
    "The submissions could not be compared. The administrator finds the reason in the log."
)

CUT_OFF = mark("The site was restarted while the submissions were compared. Start it again.")


def start(
    db: Database, layout: Layout, settings: Settings, course_id: str, assignment: str, person: str
) -> threading.Thread:
    """Begin to compare the newest submissions; the thread that does it.

    When this process dies, so do the comparison and its lock, and it can be started anew.

    Raises
    ------
    NotAllowed
        `person` neither teaches this course nor assists in it.
    BeingMade
        It is being made already.
    """
    with ExitStack() as stack:
        with db.write() as session:
            require_right(session, course_id, person, Act.COMPARE)
            find_assignment(session, course_id, assignment)
            stack.enter_context(locked(layout, course_id, assignment))
            record(session, person, "similarity.start", f"{course_id}/{assignment}")
        _failed_file(layout, course_id, assignment).unlink(missing_ok=True)
        held = stack.pop_all()

    def make() -> None:
        with held:
            try:
                make_locked(db, layout, settings, course_id, assignment)
            except Exception as error:
                log.exception("comparing %s/%s", course_id, assignment)
                told = error.message if isinstance(error, UserError) else FAILED
                replace_file(_failed_file(layout, course_id, assignment), told.encode())

    thread = threading.Thread(target=make, name="similarity", daemon=True)
    thread.start()
    return thread


def failure(layout: Layout, course_id: str, assignment: str) -> str | None:
    """Why the last one was not made: an untranslated sentence (a catalogue key)."""
    if was_cut_off(layout, course_id, assignment):
        return CUT_OFF
    try:
        return _failed_file(layout, course_id, assignment).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _failed_file(layout: Layout, course_id: str, assignment: str) -> Path:
    return layout.similarity_file(course_id, assignment).with_suffix(".failed")
