"""Refusing a submission that is too late, too many or too soon: sentences for the decisions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Submission
from ulab_core.settings import Settings
from ulab_coursework.attempts import Room, room
from ulab_coursework.lateness import Timing, shown, timing
from ulab_coursework.owners import Owner, owners_of


class AfterDeadline(Conflict):
    """The submission arrived when nothing was taken any more."""


class NoAttempt(Conflict):
    """The attempts are used up, or the last one is too fresh."""


def refuse_now(
    session: Session, assignment: Assignment, owner: Owner, now: datetime, settings: Settings
) -> Room:
    """Refuse what a student or group hands in now, unless it may be taken.

    Returns
    -------
    Room
        What was left of the attempts.

    Raises
    ------
    AfterDeadline, NoAttempt
        With the deadline, or when to come again.
    """
    limits = owners_of(session, [assignment.id])[assignment.id].deadline(assignment, owner)
    zone = settings.site
    if limits.closes_at is not None and timing(now, limits) is Timing.TOO_LATE:
        raise AfterDeadline(
            mark(
                "The deadline of {assignment} was {deadline} ({zone}), so this was not taken. "
                "Ask your instructor if you need more time."
            ),
            assignment=assignment.titles,
            deadline=shown(limits.closes_at, zone.zone),
            zone=zone.time_zone,
        )
    found = room_of(session, assignment, owner, now)
    if found.left == 0:
        raise NoAttempt(
            mark(
                "All {limit} attempts at {assignment} are used up, so this was not taken. What "
                "you handed in before still counts. Ask your instructor if you need another one."
            ),
            assignment=assignment.titles,
            limit=assignment.attempts,
        )
    if found.next_at is not None:
        raise NoAttempt(
            mark(
                "There must be {minutes} minutes between two attempts at {assignment}, so this "
                "was not taken. Hand it in again after {moment} ({zone})."
            ),
            assignment=assignment.titles,
            minutes=assignment.cooldown_minutes,
            moment=found.next_at.astimezone(zone.zone).strftime("%Y-%m-%d %H:%M:%S"),
            zone=zone.time_zone,
        )
    return found


def room_of(session: Session, assignment: Assignment, owner: Owner, now: datetime) -> Room:
    """What is left of the attempts of a student or group."""
    before = session.scalars(
        select(Submission.received_at).where(
            Submission.assignment_id == assignment.id, owner.submissions()
        )
    )
    return room(before.all(), assignment.attempts, assignment.cooldown_minutes, now)
