"""The grading queue: jobs in the database that outlive whoever does them.

A worker takes a job on a lease and renews it while it works. When the worker dies, the lease
runs out and another worker takes the job. Grading is idempotent, so doing a job twice is safe.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from ulab_core.database import Database
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Course, Job, JobState, Lane, Submission, utc_now

LEASE = timedelta(seconds=15)
HEARTBEAT_S = 5.0
MAX_ATTEMPTS = 3
MAX_TAKES = 12
"""A worker that dies before the cells run is hardly the job's fault, but might be."""


def _replaced() -> ColumnElement[bool]:
    """Whether the same student, or group, has handed in a later one."""
    later = aliased(Submission)
    newer = exists().where(
        later.assignment_id == Submission.assignment_id,
        later.received_at > Submission.received_at,
    )
    alone = newer.where(
        later.person_id == Submission.person_id,
        later.group_id.is_(None),
        Submission.group_id.is_(None),
    )
    # Two questions, each with an index of its own: asked as one, each job looked at the class.
    return or_(alone, newer.where(later.group_id == Submission.group_id))


# Made once: making and naming a statement anew takes longer than the database does.
_FREE = or_(
    Job.state == JobState.QUEUED,
    (Job.state == JobState.RUNNING) & (Job.leased_until < bindparam("now")),
)
_ANY_FREE = select(Job.id).where(_FREE).limit(1)
_NEXT = (
    select(Job, Course)
    .join(Submission, Submission.id == Job.submission_id)
    .join(Assignment, Assignment.id == Submission.assignment_id)
    .join(Course, Course.id == Assignment.course_id)
    .where(_FREE)
    .order_by(Job.lane, _replaced(), Course.served_at.asc().nulls_first(), Job.created_at, Job.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=Job)
)
_OF_LEASE = (
    (Job.id == bindparam("job_id"))
    & (Job.worker == bindparam("of_worker"))
    & (Job.takes == bindparam("take"))
    & (Job.state == JobState.RUNNING)
)
_HELD = select(Job).where(_OF_LEASE).with_for_update()
_IS_HELD = select(Job.id).where(_OF_LEASE)
_CHANGE = update(Job).where(_OF_LEASE).execution_options(synchronize_session=False)

INTERRUPTED = mark(
    "Grading was interrupted again and again, so it was given up. Your submission is stored; your "
    "instructor can have it graded again."
)


@dataclass(frozen=True)
class Lease:
    """The right of one worker to do one job for a while."""

    job_id: str
    submission_id: str
    worker: str
    take: int
    forced: bool = False


@dataclass(frozen=True)
class Progress:
    """How far the tests of a submission are: the question they are at, and how many are done."""

    question: str
    done: int
    questions: int


def enqueue(
    session: Session, submission: Submission, lane: Lane = Lane.LIVE, *, forced: bool = False
) -> None:
    """Ask for a submission to be graded; see `enqueue_all`."""
    session.flush()
    enqueue_all(session, [submission.id], lane, forced=forced)


def enqueue_all(
    session: Session, submission_ids: Collection[str], lane: Lane, *, forced: bool = False
) -> None:
    """Ask for submissions to be graded, in the transaction that gives the reason to.

    A job that still waits is enough.

    Parameters
    ----------
    forced
        Grade also what was graded with the same tests before.
    """
    waiting = session.scalars(
        select(Job).where(Job.submission_id.in_(submission_ids), Job.state == JobState.QUEUED)
    ).all()
    for job in waiting:
        job.forced = job.forced or forced
    missing = set(submission_ids) - {job.submission_id for job in waiting}
    # In the order that was asked for: the first is the first to be graded.
    session.add_all(
        Job(submission_id=one, state=JobState.QUEUED, lane=lane, forced=forced)
        for one in submission_ids
        if one in missing
    )
    session.flush()


def clock(session: Session) -> datetime:
    """The time by which leases run: the server's, since machines' clocks may disagree.

    SQLite has no server, and all of its workers are on one machine.
    """
    if session.get_bind().dialect.name == "sqlite":
        return utc_now()
    return session.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)


def lease(db: Database, worker: str, now: datetime | None = None) -> Lease | None:
    """Take the next job, or None when nothing waits.

    The live lane goes before regrades, and a submission that counts before those its student or
    group has replaced, so that nobody holds up a class by handing in again and again. Then courses
    take turns. A job that `is_worn_out` is failed here.
    """
    given = now
    with db.read() as session:
        now = given or clock(session)
        if session.scalar(_ANY_FREE, {"now": now}) is None:
            return None
    with db.write() as session:
        now = given or clock(session)
        # One free job more may be a worn-out one, so look on until one can be taken.
        while True:
            found = session.execute(_NEXT, {"now": now}).first()
            if found is None:
                return None
            job, course = found
            if not is_worn_out(job.attempts, job.takes):
                break
            _finish(job, JobState.FAILED, INTERRUPTED, now)
            session.flush()
        job.state = JobState.RUNNING
        job.worker = worker
        job.takes += 1
        job.leased_until = now + LEASE
        job.started_at = now
        job.begun_at = None
        job.question = job.questions_done = job.questions = None
        course.served_at = now
        return Lease(job.id, job.submission_id, worker, job.takes, job.forced)


def is_worn_out(attempts: int, takes: int) -> bool:
    """Whether a job was interrupted so often that it may be what ends its workers."""
    return attempts >= MAX_ATTEMPTS or takes >= MAX_TAKES


def renew(db: Database, held: Collection[Lease], now: datetime | None = None) -> None:
    """Renew leases; those that were lost stay lost."""
    with db.write() as session:
        now = now or clock(session)
        for one in held:
            session.execute(_CHANGE.values(leased_until=now + LEASE), _of(one))


def begin(db: Database, held: Lease) -> bool:
    """Note that a job's cells run from now on, so that a death counts; False when it was lost."""
    with db.write() as session:
        begun = _CHANGE.values(attempts=Job.attempts + 1, begun_at=clock(session))
        return bool(session.execute(begun, _of(held)).rowcount)  # type: ignore[attr-defined]


def is_held(db: Database, held: Lease) -> bool:
    """Whether the job is still this worker's."""
    with db.read() as session:
        return session.scalar(_IS_HELD, _of(held)) is not None


def report(db: Database, held: Lease, progress: Progress) -> None:
    """Say how far a job is."""
    with db.write() as session:
        values = _CHANGE.values(
            question=progress.question[:128],
            questions_done=progress.done,
            questions=progress.questions,
        )
        session.execute(values, _of(held))


def _of(held: Lease) -> dict[str, str | int]:
    """The parameters of `_OF_LEASE`."""
    return {"job_id": held.job_id, "of_worker": held.worker, "take": held.take}


def release_dead(db: Database, workers: str) -> int:
    """End at once the leases of workers that are known to be dead.

    Parameters
    ----------
    workers
        What their names begin with.

    Returns
    -------
    int
        How many jobs are free now.
    """
    with db.write() as session:
        freed = session.execute(
            update(Job)
            .where(Job.state == JobState.RUNNING, Job.worker.startswith(workers, autoescape=True))
            .values(state=JobState.QUEUED, worker=None, leased_until=None)
        )
        return int(freed.rowcount)  # type: ignore[attr-defined]


def done(session: Session, held: Lease) -> bool:
    """Mark a job as done in the transaction that stores its result; False when it was lost."""
    return _end(session, held, JobState.DONE, None)


def fail(session: Session, held: Lease, problem: str) -> bool:
    """Give a job up with a sentence (a catalogue key without places)."""
    return _end(session, held, JobState.FAILED, problem)


def put_back(session: Session, held: Lease, *, counted: bool = False) -> bool:
    """Return a job unfinished; the try counts only when the job itself may be at fault."""
    job = _held(session, held)
    if job is None:
        return False
    job.state = JobState.QUEUED
    job.worker = job.leased_until = None
    if not counted:
        job.takes -= 1
        job.attempts -= 1 if job.begun_at else 0
    return True


def _end(session: Session, held: Lease, state: JobState, problem: str | None) -> bool:
    job = _held(session, held)
    if job is None:
        return False
    _finish(job, state, problem, clock(session))
    return True


def _held(session: Session, held: Lease) -> Job | None:
    return session.scalar(_HELD, _of(held))


def _finish(job: Job, state: JobState, problem: str | None, now: datetime) -> None:
    job.state = state
    job.problem = problem
    job.finished_at = now
    job.worker = job.leased_until = None
