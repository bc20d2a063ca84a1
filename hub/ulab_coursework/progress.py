"""How far a class is with each lab of a course, in numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from ulab_core.models import Job, JobState, Submission
from ulab_coursework.tries import ClassTries


@dataclass(frozen=True)
class Progress:
    """How many students of a class have handed in, wait for their grade, or get none.

    Their newest submission decides, or that of their group.
    """

    students: int
    submitted: int = 0
    pending: int = 0
    failed: int = 0


def progress_of(session: Session, known: ClassTries) -> dict[int, Progress]:
    """How far the class is, by assignment: one query more than those that loaded it."""
    open_ = _not_done(session, list(known.tries))
    found = {}
    for number, of in known.tries.items():
        mine = (of.of(student.id) for student in known.students)
        newest = [tries[-1].id for tries in mine if tries]
        states = [open_[one] for one in newest if one in open_]
        failed = states.count(JobState.FAILED)
        found[number] = Progress(len(known.students), len(newest), len(states) - failed, failed)
    return found


def _not_done(session: Session, assignments: list[int]) -> dict[str, JobState]:
    """The state of every submission whose newest job isn't done: few, and none as a rule."""
    later = aliased(Job)
    newer = and_(
        later.submission_id == Job.submission_id,
        or_(
            later.created_at > Job.created_at,
            and_(later.created_at == Job.created_at, later.id > Job.id),
        ),
    )
    rows = session.execute(
        select(Job.submission_id, Job.state)
        .join(Submission, Submission.id == Job.submission_id)
        .where(
            Job.state.in_((JobState.QUEUED, JobState.RUNNING, JobState.FAILED)),
            Submission.assignment_id.in_(assignments),
            ~exists().where(newer),
        )
    )
    return {row.submission_id: row.state for row in rows}
