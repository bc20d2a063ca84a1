"""The grading queue: jobs in the database that outlive whoever does them.

A worker takes a job on a lease and renews it while it works. When the worker dies, the lease
runs out and another worker takes the job. Grading is idempotent, so doing a job twice is safe.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from ulab_core.database import Database
from ulab_core.i18n import mark
from ulab_core.models import Job, JobState, Submission, utc_now

LEASE = timedelta(seconds=15)
HEARTBEAT_S = 5.0
MAX_ATTEMPTS = 3

INTERRUPTED = mark(
    "Grading was interrupted three times, so it was given up. Your submission is stored; your "
    "instructor can have it graded again."
)


@dataclass(frozen=True)
class Lease:
    """The right of one worker to do one job for a while."""

    job_id: str
    submission_id: str
    worker: str
    attempt: int


def enqueue(session: Session, submission: Submission) -> Job:
    """Ask for a submission to be graded; a job that still waits is enough."""
    waiting = session.scalar(
        select(Job).where(Job.submission_id == submission.id, Job.state == JobState.QUEUED)
    )
    if waiting is not None:
        return waiting
    job = Job(submission_id=submission.id, state=JobState.QUEUED, attempts=0)
    session.add(job)
    session.flush()
    return job


def enqueue_all(session: Session, submission_ids: Collection[str]) -> None:
    """Ask for many submissions to be graded, each as `enqueue` does."""
    waiting = set(
        session.scalars(
            select(Job.submission_id).where(
                Job.submission_id.in_(submission_ids), Job.state == JobState.QUEUED
            )
        )
    )
    session.add_all(
        Job(submission_id=submission_id, state=JobState.QUEUED, attempts=0)
        for submission_id in submission_ids
        if submission_id not in waiting
    )


def lease(db: Database, worker: str, now: datetime | None = None) -> Lease | None:
    """Take the next job, or None when nothing waits.

    A submission that was never graded goes before a regrade, and one that counts before those its
    student has replaced, so that nobody holds up a class by handing in again and again. A job
    whose lease ran out `MAX_ATTEMPTS` times is failed here.
    """
    now = now or utc_now()
    with db.read() as session:
        if session.scalar(select(Job.id).where(_free(now)).limit(1)) is None:
            return None
    with db.write() as session:
        # One free job more may be a worn-out one, so look on until one can be taken.
        while True:
            job = session.scalar(
                select(Job)
                .join(Submission)
                .where(_free(now))
                .order_by(Submission.graded_at.is_not(None), _replaced(), Job.created_at, Job.id)
                .limit(1)
                .with_for_update(skip_locked=True, of=Job)
            )
            if job is None:
                return None
            if job.attempts < MAX_ATTEMPTS:
                break
            _finish(job, JobState.FAILED, INTERRUPTED, now)
            session.flush()
        job.state = JobState.RUNNING
        job.worker = worker
        job.attempts += 1
        job.leased_until = now + LEASE
        return Lease(job.id, job.submission_id, worker, job.attempts)


def _replaced() -> ColumnElement[bool]:
    """Whether the same student has handed in a later one."""
    later = aliased(Submission)
    return exists().where(
        later.assignment_id == Submission.assignment_id,
        later.person_id == Submission.person_id,
        later.received_at > Submission.received_at,
    )


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(
        Job.state == JobState.QUEUED,
        (Job.state == JobState.RUNNING) & (Job.leased_until < now),
    )


def heartbeat(db: Database, held: Lease, now: datetime | None = None) -> bool:
    """Renew a lease; False when the job is no longer this worker's."""
    now = now or utc_now()
    with db.write() as session:
        renewed = session.execute(
            update(Job)
            .where(
                Job.id == held.job_id,
                Job.worker == held.worker,
                Job.attempts == held.attempt,
                Job.state == JobState.RUNNING,
            )
            .values(leased_until=now + LEASE)
        )
        return bool(renewed.rowcount)  # type: ignore[attr-defined]


def done(session: Session, held: Lease) -> bool:
    """Mark a job as done in the transaction that stores its result; False when it was lost."""
    return _end(session, held, JobState.DONE, None)


def fail(session: Session, held: Lease, problem: str) -> bool:
    """Give a job up with a sentence (a catalogue key without places)."""
    return _end(session, held, JobState.FAILED, problem)


def put_back(session: Session, held: Lease) -> bool:
    """Return a job unfinished, without counting the attempt: the worker was asked to stop."""
    job = _held(session, held)
    if job is None:
        return False
    job.state = JobState.QUEUED
    job.worker = job.leased_until = None
    job.attempts -= 1
    return True


def _end(session: Session, held: Lease, state: JobState, problem: str | None) -> bool:
    job = _held(session, held)
    if job is None:
        return False
    _finish(job, state, problem, utc_now())
    return True


def _held(session: Session, held: Lease) -> Job | None:
    job = session.get(Job, held.job_id, with_for_update=True)
    if job is None or job.state is not JobState.RUNNING:
        return None
    return job if (job.worker, job.attempts) == (held.worker, held.attempt) else None


def _finish(job: Job, state: JobState, problem: str | None, now: datetime) -> None:
    job.state = state
    job.problem = problem
    job.finished_at = now
    job.worker = job.leased_until = None
