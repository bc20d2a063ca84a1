"""Publishing an assignment to a course's students, its deadline, and taking it back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.layout import Layout
from ulab_core.models import Assignment, FeedbackPolicy, utc_now
from ulab_coursework import assign
from ulab_coursework.courses import find_assignment
from ulab_coursework.submissions import refuse_unpublished
from ulab_curricula import PublishedLab, load_published


def publish_assignment(
    db: Database,
    layout: Layout,
    course_id: str,
    name: str,
    due_at: datetime | None,
    feedback_policy: FeedbackPolicy | str,
    actor: str,
) -> Assignment:
    """Show an assignment to the course's students; repeating it sets deadline and policy anew.

    The caller has checked that `actor` may do this.

    Parameters
    ----------
    due_at
        The deadline with a zone; None for none.

    Raises
    ------
    NotFound, CellsChanged
        No such assignment, or its lab no longer fits what was handed in.
    """
    with db.read() as session:
        found = find_assignment(session, course_id, name)
        lab = lab_of(layout, found)
        number = found.course.number
    assign.fill_gradebook(layout, course_id, number, lab, due_at)
    with db.write() as session:
        found = find_assignment(session, course_id, name)
        found.published_at = found.published_at or utc_now()
        found.due_at = due_at
        found.feedback_policy = FeedbackPolicy(feedback_policy)
        record(
            session,
            actor,
            "assignment.publish",
            f"{course_id}/{name}",
            due_at=due_at.isoformat() if due_at else None,
            feedback_policy=found.feedback_policy.value,
        )
    return found


def withdraw_assignment(db: Database, course_id: str, name: str, actor: str) -> None:
    """Hide an assignment from students; what they handed in stays."""
    with db.write() as session:
        found = find_assignment(session, course_id, name)
        found.published_at = None
        record(session, actor, "assignment.withdraw", f"{course_id}/{name}")


def released_notebook(
    layout: Layout, session: Session, course_id: str, assignment: str, language: str
) -> bytes:
    """The notebook a student starts from, in `language` or in the one there is.

    Raises
    ------
    NotFound
        No such assignment, or it is not published.
    """
    found = find_assignment(session, course_id, assignment)
    refuse_unpublished(found)
    return lab_of(layout, found).release_notebook(language).read_bytes()


def lab_of(layout: Layout, assignment: Assignment) -> PublishedLab:
    """The lab behind an assignment, in the version its course runs."""
    course = assignment.course
    return load_published(layout, course.curriculum, course.curriculum_version).lab(assignment.name)
