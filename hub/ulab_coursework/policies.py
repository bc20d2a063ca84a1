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
from ulab_coursework.groups import largest

SETTABLE = (
    "due_at", "closes_at", "late_rule", "late_amount", "late_unit", "late_per", "late_cap",
    "attempts", "cooldown_minutes", "counts", "group_size", "own_groups",
)  # fmt: skip


NOTHING_TO_EXTEND = mark("This lab has no deadline, so nobody needs one.")
NOT_LATER = mark("This is not later than the deadline of everyone.")
MOST = 100_000
"""No amount, number of attempts or minutes is larger; a number that is was mistyped."""


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
    before = {key: getattr(found, key) for key in wanted}
    for key, value in wanted.items():
        if key not in SETTABLE:
            raise KeyError(key)
        setattr(found, key, value)
    for sentence in senseless({key: getattr(found, key) for key in SETTABLE}).values():
        raise BadPolicy(sentence)
    if "group_size" in wanted:
        refuse_smaller(session, found)
    record(
        session,
        actor,
        "assignment.policy",
        f"{course_id}/{name}",
        **_plain(wanted),
        before=_plain(before),
    )
    return found


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
    }


def senseless(policy: Mapping[str, Any]) -> dict[str, str]:
    """What makes no sense in a policy: by its name in `SETTABLE`, a sentence (a catalogue key)."""
    amount, cap = policy["late_amount"], policy["late_cap"]
    attempts, cooldown = policy["attempts"], policy["cooldown_minutes"]
    due_at, closes_at = policy["due_at"], policy["closes_at"]
    # Asked what must hold, so that a number which is none is refused too.
    holds = {
        "late_amount": 0 <= amount <= MOST,
        "late_cap": cap is None or 0 <= cap <= 100,
        "attempts": attempts is None or 1 <= attempts <= MOST,
        "cooldown_minutes": 0 <= cooldown <= MOST,
        "closes_at": None in (due_at, closes_at) or closes_at >= due_at,
    }
    return {key: _SENTENCES[key] for key, fine in holds.items() if not fine}


_SENTENCES = {
    "late_amount": mark("A penalty lies between 0 and 100000."),
    "late_cap": mark("The most that a penalty takes lies between 0 and 100 percent."),
    "attempts": mark("There must be at least one attempt and at most 100000."),
    "cooldown_minutes": mark("The minutes between two attempts lie between 0 and 100000."),
    "closes_at": mark("Late submissions can't end before the deadline."),
}


def refuse_smaller(session: Session, assignment: Assignment) -> None:
    """Refuse a greatest group size that is below 2 or below the size of a group there is."""
    size, held = assignment.group_size, largest(session, assignment)
    if size is not None and size < 2:
        raise BadPolicy(mark("A group has at least 2 members; leave groups out instead."))
    if held > (size or 0):
        raise BadPolicy(
            mark("There is a group of {members}. Take it apart before you allow only less."),
            members=held,
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
        The person is no student of the course, or the moment gives no time.
    """
    found = find_assignment(session, course_id, name)
    if due_at is not None and found.due_at is None:
        raise BadPolicy(NOTHING_TO_EXTEND)
    if due_at is not None and found.due_at is not None and due_at <= found.due_at:
        raise BadPolicy(NOT_LATER)
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
