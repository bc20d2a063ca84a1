"""Setting an assignment's policies and single students' extensions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Extension, Role
from ulab_coursework.courses import find_assignment, find_person, role_in

SETTABLE = (
    "due_at", "closes_at", "late_rule", "late_amount", "late_unit", "late_per", "late_cap",
    "attempts", "cooldown_minutes", "counts",
)  # fmt: skip


class BadPolicy(UserError):
    """A number that makes no sense for what it is to mean."""


def set_policy(
    session: Session, course_id: str, name: str, wanted: Mapping[str, Any], actor: str
) -> Assignment:
    """Change some of an assignment's policies; the others stay. Scores follow at once.

    The caller has checked that `actor` may do this.

    Raises
    ------
    BadPolicy
        Nothing was changed.
    """
    found = find_assignment(session, course_id, name)
    for key, value in wanted.items():
        if key not in SETTABLE:
            raise KeyError(key)
        setattr(found, key, value)
    refuse_senseless(found)
    said = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in wanted.items()
    }
    record(session, actor, "assignment.policy", f"{course_id}/{name}", **said)
    return found


def refuse_senseless(assignment: Assignment) -> None:
    """Refuse amounts below zero, a cap over 100 percent and a limit of no attempts."""
    cap, attempts = assignment.late_cap, assignment.attempts
    if assignment.late_amount < 0 or (cap is not None and not 0 <= cap <= 100):
        raise BadPolicy(
            mark("A penalty can't be below 0, and its most lies between 0 and 100 percent.")
        )
    if (attempts is not None and attempts < 1) or assignment.cooldown_minutes < 0:
        raise BadPolicy(
            mark("There must be at least one attempt, and the time between two can't be below 0.")
        )


def extend(
    session: Session,
    course_id: str,
    name: str,
    person: str,
    due_at: datetime | None,
    reason: str,
    actor: str,
) -> None:
    """Give a student a deadline of their own, or take it back.

    Parameters
    ----------
    due_at
        With a zone; None takes the extension back.

    Raises
    ------
    BadPolicy
        The person is no student of the course.
    """
    found = find_assignment(session, course_id, name)
    student = find_person(session, person)
    if role_in(session, course_id, person) is not Role.STUDENT:
        raise BadPolicy(
            mark("{name} is no student of the course {course}."), name=person, course=course_id
        )
    given = session.get(Extension, (found.id, student.id))
    if due_at is None:
        if given is not None:
            session.delete(given)
    elif given is None:
        session.add(
            Extension(assignment_id=found.id, person_id=student.id, due_at=due_at, reason=reason)
        )
    else:
        given.due_at, given.reason = due_at, reason
    record(
        session,
        actor,
        "assignment.extend",
        f"{course_id}/{name}/{person}",
        due_at=due_at.isoformat() if due_at else None,
        reason=reason,
    )
