"""What everyone handed in for some assignments, with what being late costs, and what counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from ulab_core.models import Assignment, Enrolment, Person, Role, Submission
from ulab_coursework.attempts import Attempt, counting
from ulab_coursework.lateness import less_penalty, penalty
from ulab_coursework.owners import Owner, Owners, late_policy, owners_of


class Try(NamedTuple):
    """One submission: what autograding gave, and what being late takes away now."""

    id: str
    received_at: datetime
    score: float | None
    penalty: float

    @property
    def attempt(self) -> Attempt:
        counted = None if self.score is None else less_penalty(self.score, self.penalty)
        return Attempt(self.id, self.received_at, counted)


@dataclass
class Tries:
    """All submissions of one assignment, by whose they are, oldest first."""

    assignment: Assignment
    owners: Owners
    by_owner: dict[Owner, list[Try]] = field(default_factory=lambda: defaultdict(list))

    def of(self, person_id: int) -> Sequence[Try]:
        return self.by_owner.get(self.owners.of(person_id), ())

    def with_score(self, owner: Owner, submission_id: str, score: float) -> Tries:
        """The same with another score of one submission."""
        tries = [
            one._replace(score=score) if one.id == submission_id else one
            for one in self.by_owner.get(owner, ())
        ]
        return replace(self, by_owner={**self.by_owner, owner: tries})

    def counting(self, owner: Owner) -> Try | None:
        """The one that counts for a student or group."""
        tries = self.by_owner.get(owner, ())
        if self.assignment.counts == "last":
            return tries[-1] if tries else None
        chosen = counting([one.attempt for one in tries], self.assignment.counts)
        return next((one for one in tries if chosen is not None and one.id == chosen.id), None)


class Student(NamedTuple):
    """A student of a course; a page about a class needs no more of them."""

    id: int
    name: str
    display_name: str
    college: str


@dataclass(frozen=True)
class ClassTries:
    """A course's students by name, and by assignment what was handed in."""

    students: list[Student]
    tries: dict[int, Tries]


def load_class(session: Session, course_id: str, assignments: Collection[Assignment]) -> ClassTries:
    """What a class handed in for some assignments: four queries, whatever its size."""
    students = session.execute(
        select(Person.id, Person.name, Person.display_name, Person.college)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(Enrolment.course_id == course_id, Enrolment.role == Role.STUDENT)
        .order_by(Person.name)
    )
    return ClassTries([Student(*row) for row in students], load_tries(session, assignments))


def load_tries(
    session: Session,
    assignments: Collection[Assignment],
    only: ColumnElement[bool] | None = None,
) -> dict[int, Tries]:
    """By assignment, what was handed in: three queries, whatever the class's size.

    Parameters
    ----------
    only
        Which submissions are looked at; None for all. All of an owner's must be among them.
    """
    known = {one.id: one for one in assignments}
    owners = owners_of(session, known)
    found = {one.id: Tries(one, owners[one.id]) for one in assignments}
    rows = session.execute(
        select(
            Submission.assignment_id,
            Submission.person_id,
            Submission.group_id,
            Submission.id,
            Submission.received_at,
            Submission.score,
        )
        .where(Submission.assignment_id.in_(known), true() if only is None else only)
        .order_by(Submission.received_at, Submission.id)
    )
    for assignment_id, person_id, group_id, one, received_at, score in rows:
        whose = Owner.of(person_id, group_id)
        taken = penalty_of(known[assignment_id], owners[assignment_id], whose, received_at)
        found[assignment_id].by_owner[whose].append(Try(one, received_at, score, taken))
    return found


def penalty_of(
    assignment: Assignment, owners: Owners, owner: Owner, received_at: datetime
) -> float:
    """The points that a submission loses for being late, as things are set now."""
    if assignment.due_at is None or received_at <= assignment.due_at:
        return 0.0
    due_at = owners.deadline(assignment, owner).due_at
    return penalty(received_at, due_at, late_policy(assignment), assignment.max_score)
