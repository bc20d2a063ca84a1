"""How long a submission still waits: its place in the queue, and an estimate from the last jobs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from ulab_core.models import Job, JobState, Lane

LAST = 20


@dataclass(frozen=True)
class Wait:
    """What a page can say of a submission that is not graded yet.

    Attributes
    ----------
    ahead
        Jobs that are before it in the queue; those being done are not counted. Courses take
        turns, so it is a good guess and no promise.
    seconds
        About how long until its grading begins; None when nothing was graded lately.
    question, done, questions
        The test that is running, how many are done, and how many there are; None while it
        waits, or when grading does not tell.
    """

    ahead: int = 0
    seconds: int | None = None
    question: str | None = None
    done: int | None = None
    questions: int | None = None


def wait_of(session: Session, job: Job) -> Wait:
    """Where an unfinished job stands."""
    if job.state is not JobState.QUEUED:
        return Wait(question=job.question, done=job.questions_done, questions=job.questions)
    earlier = Job.created_at < job.created_at
    first: ColumnElement[bool] = (Job.lane == job.lane) & earlier
    if job.lane is not Lane.LIVE:
        first = or_(Job.lane == Lane.LIVE, first)
    ahead = _count(session, (Job.state == JobState.QUEUED) & first)
    running = _count(session, Job.state == JobState.RUNNING)
    last = session.execute(
        select(Job.started_at, Job.finished_at)
        .where(Job.state == JobState.DONE, Job.started_at.is_not(None))
        .order_by(Job.created_at.desc())
        .limit(LAST)
    )
    took = [(end - begin).total_seconds() for begin, end in last if begin and end]
    return Wait(ahead=ahead, seconds=estimate(ahead, running, took))


def _count(session: Session, wanted: ColumnElement[bool]) -> int:
    return len(session.scalars(select(Job.id).where(wanted)).all())


def estimate(ahead: int, running: int, took: Sequence[float]) -> int | None:
    """Seconds until a job begins.

    Parameters
    ----------
    ahead
        Jobs before it that wait.
    running
        Jobs being done now, which is how many are done at once while others wait.
    took
        Seconds that the last jobs took.

    Examples
    --------
    >>> estimate(ahead=5, running=2, took=[10, 10, 60])
    30
    """
    if not took:
        return None
    return math.ceil((ahead // max(running, 1) + 1) * statistics.median(took))
