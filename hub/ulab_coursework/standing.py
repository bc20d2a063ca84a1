"""Where submissions stand, as pages and the API show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ulab_core.models import (
    Assignment,
    FeedbackPolicy,
    Job,
    JobState,
    Person,
    Submission,
)
from ulab_coursework.courses import find_assignment, find_course
from ulab_coursework.lateness import less_penalty
from ulab_coursework.owners import Owner, of_person, owner_of
from ulab_coursework.tries import ClassTries, Student, Tries, load_class, load_tries
from ulab_coursework.waiting import Wait, wait_of


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
    person, display_name
        Who handed it in, and what they are called; empty for who has no other name.
    score, max_score
        What autograding gave this submission, less what being late costs now; None before, or
        while withheld from a student.
    penalty
        The points that being late costs.
    counts
        Whether it is the one of its student or group that counts.
    entry
        Whose name it has in the gradebook.
    problem
        Why grading failed: an untranslated sentence (a catalogue key).
    feedback
        Whether the reader may open the feedback now.
    withheld
        Graded, but the instructor has not released score and feedback yet.
    wait
        How long it still takes and how far it is; None when it is graded, and where a whole class
        is listed.
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
    display_name: str = ""
    penalty: float = 0.0
    counts: bool = True
    entry: str = ""
    wait: Wait | None = None

    @property
    def pending(self) -> bool:
        """Whether the page should look again soon."""
        return self.state in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class ClassRow:
    """A student of a course with the newest submission of one assignment, and the one that counts.

    Both may be another member's of the student's group.
    """

    person: str
    display_name: str
    college: str
    submissions: int
    newest: Standing | None
    counting: Standing | None
    extended_to: datetime | None = None
    """The deadline of the student's own, or of their group."""
    group: int | None = None
    """The number of the group that the student is in."""


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


def describe(
    session: Session,
    tries: Mapping[int, Tries],
    wanted: ColumnElement[bool],
    for_student: bool = True,
    only: Collection[str] | None = None,
) -> dict[str, Standing]:
    """Say where the wanted submissions stand, by id and oldest first, in two queries.

    Parameters
    ----------
    tries
        By assignment, what was handed in for it by whomever the wanted ones are of.
    only
        Ids of those of them that are of use; None for all. A class has more of them than fit into
        a condition of a query.
    """
    ids = list(tries)
    # Columns, not objects: a class has thousands.
    rows = session.execute(
        select(
            Submission.id,
            Submission.assignment_id,
            Submission.person_id,
            Submission.group_id,
            Person.name.label("person"),
            Person.display_name,
            Submission.sha256,
            Submission.size,
            Submission.via,
            Submission.language,
            Submission.received_at,
            Submission.graded_at,
            Submission.score,
            Submission.max_score,
        )
        .join(Person, Person.id == Submission.person_id)
        .where(Submission.assignment_id.in_(ids), wanted)
        .order_by(Submission.received_at, Submission.id)
    ).all()
    jobs = {
        one: (state, problem)
        for one, state, problem in session.execute(
            select(Job.submission_id, Job.state, Job.problem)
            .join(Submission, Submission.id == Job.submission_id)
            .where(Submission.assignment_id.in_(ids), wanted)
            .order_by(Job.created_at, Job.id)
        )
    }
    every = [(of, owner, mine) for of in tries.values() for owner, mine in of.by_owner.items()]
    taken = {one.id: one.penalty for _, _, mine in every for one in mine}
    counting = {best.id for of, owner, _ in every if (best := of.counting(owner))}
    found = {}
    for row in rows:
        if only is not None and row.id not in only:
            continue
        of = tries[row.assignment_id]
        owner = Owner.of(row.person_id, row.group_id)
        job, counts = jobs.get(row.id), row.id in counting
        found[row.id] = _standing(
            row, job, of.assignment, owner, taken[row.id], counts, for_student
        )
    return found


def _standing(
    row: Any,
    job: tuple[JobState, str | None] | None,
    assignment: Assignment,
    owner: Owner,
    taken: float,
    counts: bool,
    for_student: bool,
) -> Standing:
    state = State.GRADED if job is None or job[0] is JobState.DONE else State(job[0].value)
    graded = row.graded_at is not None
    withheld = graded and for_student and not feedback_is_open(assignment)
    score = None if row.score is None or withheld else less_penalty(row.score, taken)
    return Standing(
        id=row.id,
        person=row.person,
        assignment=assignment.name,
        sha256=row.sha256,
        size=row.size,
        via=row.via,
        language=row.language,
        received_at=row.received_at,
        state=state,
        graded_at=row.graded_at,
        score=score,
        max_score=row.max_score,
        display_name=row.display_name,
        penalty=taken,
        counts=counts,
        entry=owner.entry or row.person,
        problem=job[1] if job is not None and state is State.FAILED else None,
        feedback=graded and not withheld,
        withheld=withheld,
    )


def standing_of(session: Session, submission: Submission, for_student: bool = True) -> Standing:
    """Where one submission stands."""
    owner = Owner.of(submission.person_id, submission.group_id)
    tries = load_tries(session, [submission.assignment], owner.submissions())
    wanted = Submission.id == submission.id
    return describe(session, tries, wanted, for_student)[submission.id]


def history(
    session: Session, course_id: str, assignment: str, person: str, for_student: bool = True
) -> list[Standing]:
    """Everything a person, or their group, handed in for an assignment, newest first."""
    found = find_assignment(session, course_id, assignment)
    owner = owner_of(session, found.id, person)
    tries = load_tries(session, [found], owner.submissions())
    rows = describe(session, tries, owner.submissions(), for_student)
    return [waiting(session, one) for one in list(rows.values())[::-1]]


def waiting(session: Session, found: Standing) -> Standing:
    """The same with what is known about a submission that is not graded yet."""
    if not found.pending:
        return found
    newest = _newest_job(session.get_one(Submission, found.id))
    return found if newest is None else replace(found, wait=wait_of(session, newest))


def newest_of(session: Session, course_id: str, person: str) -> dict[str, Standing]:
    """A person's, or their group's, newest submission of each assignment, by assignment name."""
    found: dict[str, Standing] = {}
    for one in _all_of(session, find_course(session, course_id).assignments, person):
        found[one.assignment] = one
    return found


def counting_of(session: Session, assignment: Assignment, owner: Owner) -> Standing | None:
    """The submission of a student or group that counts."""
    wanted = owner.submissions()
    found = describe(session, load_tries(session, [assignment], wanted), wanted).values()
    return next((one for one in found if one.counts), None)


def _all_of(
    session: Session, assignments: Collection[Assignment], person: str
) -> Collection[Standing]:
    id_ = session.scalar(select(Person.id).where(Person.name == person))
    if id_ is None:
        return ()
    tries = load_tries(session, assignments, of_person(id_))
    mine = [one.id for of in tries.values() for one in of.of(id_)]
    return describe(session, tries, Submission.id.in_(mine)).values()


def class_standing(session: Session, course_id: str, assignment: str) -> list[ClassRow]:
    """Every student of a course with what they handed in, for an instructor."""
    found = find_assignment(session, course_id, assignment)
    return class_rows(session, load_class(session, course_id, [found]), found)


def class_rows(session: Session, known: ClassTries, assignment: Assignment) -> list[ClassRow]:
    """The same of a class whose submissions were loaded before."""
    of = known.tries[assignment.id]
    owners = {of.owners.of(one.id) for one in known.students}
    listed = {of.by_owner[owner][-1].id for owner in owners if owner in of.by_owner}
    listed |= {best.id for owner in owners if (best := of.counting(owner))}
    wanted = {assignment.id: of}
    shown = describe(session, wanted, Submission.id.is_not(None), for_student=False, only=listed)
    return [_row(one, of, shown) for one in known.students]


def _row(person: Student, of: Tries, shown: Mapping[str, Standing]) -> ClassRow:
    owner = of.owners.of(person.id)
    mine, counts = of.by_owner.get(owner, ()), of.counting(owner)
    due_at = of.owners.deadline(of.assignment, owner).due_at
    return ClassRow(
        person=person.name,
        display_name=person.display_name,
        college=person.college,
        submissions=len(mine),
        newest=shown[mine[-1].id] if mine else None,
        counting=shown[counts.id] if counts else None,
        extended_to=due_at if due_at != of.assignment.due_at else None,
        group=owner.group_id,
    )
