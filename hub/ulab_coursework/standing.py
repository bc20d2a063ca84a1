"""Where submissions stand, as pages and the API show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, selectinload

from ulab_core.models import (
    Assignment,
    FeedbackPolicy,
    Job,
    JobState,
    Person,
    Role,
    Submission,
)
from ulab_coursework.courses import find_assignment, find_course, people_of


class State(StrEnum):
    """A submission's state in one word."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    FAILED = "failed"


@dataclass(frozen=True)
class Standing:
    """One submission as its owner or an instructor sees it.

    Attributes
    ----------
    score, max_score
        What autograding gave this submission; None before, or while withheld from a student.
    problem
        Why grading failed: an untranslated sentence (a catalogue key).
    feedback
        Whether the reader may open the feedback now.
    withheld
        Graded, but the instructor has not released score and feedback yet.
    """

    id: str
    person: str
    assignment: str
    sha256: str
    size: int
    via: str
    language: str
    received_at: datetime
    state: State
    graded_at: datetime | None
    score: float | None
    max_score: float | None
    problem: str | None
    feedback: bool
    withheld: bool

    @property
    def pending(self) -> bool:
        """Whether the page should look again soon."""
        return self.state in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class ClassRow:
    """A student of a course with the newest submission of one assignment."""

    person: str
    display_name: str
    college: str
    submissions: int
    newest: Standing | None


def feedback_is_open(assignment: Assignment) -> bool:
    """Whether students may see scores and feedback of graded submissions."""
    return (
        assignment.feedback_policy is FeedbackPolicy.AT_ONCE
        or assignment.feedback_released_at is not None
    )


def state_of(submission: Submission) -> State:
    """The state that follows from a submission's jobs; the newest job decides."""
    newest = _newest_job(submission)
    if newest is None or newest.state is JobState.DONE:
        return State.GRADED
    return State(newest.state.value)


def _newest_job(submission: Submission) -> Job | None:
    return max(submission.jobs, key=lambda job: (job.created_at, job.id), default=None)


def standing(submission: Submission, for_student: bool = True) -> Standing:
    """Describe one submission whose `jobs`, `person` and `assignment` can be loaded."""
    state = state_of(submission)
    graded = submission.graded_at is not None
    open_ = feedback_is_open(submission.assignment)
    withheld = graded and for_student and not open_
    newest = _newest_job(submission)
    return Standing(
        id=submission.id,
        person=submission.person.name,
        assignment=submission.assignment.name,
        sha256=submission.sha256,
        size=submission.size,
        via=submission.via,
        language=submission.language,
        received_at=submission.received_at,
        state=state,
        graded_at=submission.graded_at,
        score=None if withheld else submission.score,
        max_score=submission.max_score,
        problem=newest.problem if newest is not None and state is State.FAILED else None,
        feedback=graded and not withheld,
        withheld=withheld,
    )


def history(
    session: Session, course_id: str, assignment: str, person: str, for_student: bool = True
) -> list[Standing]:
    """Everything a person handed in for an assignment, newest first."""
    found = find_assignment(session, course_id, assignment)
    rows = session.scalars(
        _loaded()
        .join(Person, Person.id == Submission.person_id)
        .where(Submission.assignment_id == found.id, Person.name == person)
        .order_by(Submission.received_at.desc(), Submission.id.desc())
    )
    return [standing(row, for_student) for row in rows]


def newest_of(session: Session, course_id: str, person: str) -> dict[str, Standing]:
    """A person's newest submission of each assignment of a course, by assignment name."""
    rows = session.scalars(
        _loaded()
        .join(Person, Person.id == Submission.person_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.course_id == course_id, Person.name == person)
        .order_by(Submission.received_at, Submission.id)
    )
    return {row.assignment.name: standing(row) for row in rows}


def class_standing(session: Session, course_id: str, assignment: str) -> list[ClassRow]:
    """Every student of a course with the newest submission, for an instructor."""
    found = find_assignment(session, course_id, assignment)
    newest = _newest(session, Submission.assignment_id == found.id)
    students = people_of(session, course_id, Role.STUDENT)
    return [_row(one, newest.get((found.id, one.id))) for one in students]


def course_standing(session: Session, course_id: str) -> dict[str, list[ClassRow]]:
    """What `class_standing` says of each assignment of a course, in as few queries as for one."""
    course = find_course(session, course_id)
    ids = [assignment.id for assignment in course.assignments]
    newest = _newest(session, Submission.assignment_id.in_(ids))
    students = people_of(session, course_id, Role.STUDENT)
    return {
        assignment.name: [_row(one, newest.get((assignment.id, one.id))) for one in students]
        for assignment in course.assignments
    }


def _newest(
    session: Session, wanted: ColumnElement[bool]
) -> dict[tuple[int, int], tuple[Submission, int]]:
    """By assignment and person: the newest of the wanted submissions, and how many there are."""
    of_one = (Submission.assignment_id, Submission.person_id)
    newest_first = (Submission.received_at.desc(), Submission.id.desc())
    ranked = (
        select(
            Submission.id,
            func.row_number().over(partition_by=of_one, order_by=newest_first).label("rank"),
            func.count().over(partition_by=of_one).label("count"),
        )
        .where(wanted)
        .subquery()
    )
    rows = session.execute(
        _loaded()
        .add_columns(ranked.c.count)
        .join(ranked, ranked.c.id == Submission.id)
        .where(ranked.c.rank == 1)
    )
    return {(one.assignment_id, one.person_id): (one, count) for one, count in rows}


def _row(person: Person, newest: tuple[Submission, int] | None) -> ClassRow:
    submission, count = newest or (None, 0)
    shown = standing(submission, for_student=False) if submission is not None else None
    return ClassRow(person.name, person.display_name, person.college, count, shown)


def _loaded() -> Select[Submission]:
    return select(Submission).options(
        selectinload(Submission.jobs).load_only(
            Job.id, Job.submission_id, Job.state, Job.problem, Job.created_at
        ),
        selectinload(Submission.person),
        selectinload(Submission.assignment),
    )
