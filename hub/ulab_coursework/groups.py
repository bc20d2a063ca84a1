"""The groups of an assignment, as its students and its instructor see them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ulab_core.i18n import mark, translations
from ulab_core.models import Assignment, Enrolment, Group, GroupMember, Person, Role, Submission
from ulab_coursework.courses import find_person, people_of
from ulab_coursework.gradebook import harmless_cell
from ulab_coursework.grouping import Refused, Situation, why_not_join, why_not_leave
from ulab_coursework.lateness import Timing, timing
from ulab_coursework.owners import Owner, deadline_of, owner_of


@dataclass(frozen=True)
class GroupView:
    """One group as its members and instructors see it.

    Attributes
    ----------
    code
        What others join with.
    members
        Those of its members who are in the course, by name.
    handed_in
        How many submissions it has.
    """

    id: int
    name: str
    code: str
    members: tuple[Person, ...]
    handed_in: int

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.members)


@dataclass(frozen=True)
class MyGroup:
    """What a student sees of groups at an assignment.

    Attributes
    ----------
    join, leave
        Why they can't; None if they can.
    """

    group: GroupView | None
    size: int
    offered: bool
    join: Refused | None
    leave: Refused | None


def groups_of(session: Session, assignment: Assignment) -> list[GroupView]:
    """An assignment's groups by name, in three queries, without empty ones that handed in nothing.

    Whoever was taken out of the course keeps their place and is not listed.
    """
    found: dict[int, list[Person]] = {}
    for group_id, person in session.execute(
        select(GroupMember.group_id, Person)
        .join(Person, Person.id == GroupMember.person_id)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(
            GroupMember.assignment_id == assignment.id,
            Enrolment.course_id == assignment.course_id,
            Enrolment.role == Role.STUDENT,
        )
        .order_by(Person.name)
    ):
        found.setdefault(group_id, []).append(person)
    numbers = session.execute(
        select(Submission.group_id, func.count())
        .where(Submission.assignment_id == assignment.id, Submission.group_id.is_not(None))
        .group_by(Submission.group_id)
    )
    counted = {row[0]: row[1] for row in numbers}
    every = session.scalars(
        select(Group).where(Group.assignment_id == assignment.id).order_by(Group.name, Group.id)
    )
    return [
        GroupView(one.id, one.name, one.code or "", tuple(found.get(one.id, ())), handed_in)
        for one in every
        if (handed_in := counted.get(one.id, 0)) or one.id in found
    ]


def my_group(session: Session, assignment: Assignment, person: str, now: datetime) -> MyGroup:
    """Who is in a student's group, and what they may change."""
    groups = groups_of(session, assignment)
    mine = next((one for one in groups if person in one.people), None)
    situation = situation_of(session, assignment, person, now)
    return MyGroup(
        group=mine,
        size=assignment.group_size or 1,
        offered=assignment.own_groups,
        join=why_not_join(situation),
        leave=why_not_leave(with_group(situation, mine)),
    )


def placed(session: Session, assignment: Assignment) -> dict[str, str]:
    """By the name of each student of the course, the group they are in; empty for none."""
    names = {one: group.name for group in groups_of(session, assignment) for one in group.people}
    students = people_of(session, assignment.course_id, Role.STUDENT)
    return {one.name: names.get(one.name, "") for one in students}


HEADINGS = (mark("Account"), mark("Group"), mark("Full name"))


def to_csv(session: Session, assignment: Assignment, language: str) -> str:
    """Every student with their group, in the form that `place` reads."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(map(translations(language).gettext, HEADINGS))
    where = placed(session, assignment)
    for one in people_of(session, assignment.course_id, Role.STUDENT):
        writer.writerow(map(harmless_cell, (one.name, where[one.name], one.display_name)))
    return out.getvalue()


def largest(session: Session, assignment: Assignment) -> int:
    """How many members the largest group has; 0 without groups."""
    return max((len(one.members) for one in groups_of(session, assignment)), default=0)


def situation_of(session: Session, assignment: Assignment, person: str, now: datetime) -> Situation:
    who = find_person(session, person)
    alone = select(Submission.id).where(
        Submission.assignment_id == assignment.id, Owner(who.id, None).submissions()
    )
    limits = deadline_of(session, assignment, person)
    return Situation(
        size=assignment.group_size,
        offered=assignment.own_groups,
        open=timing(now, limits) is not Timing.TOO_LATE,
        grouped=owner_of(session, assignment.id, person).group_id is not None,
        handed_in_alone=session.scalar(alone.limit(1)) is not None,
    )


def with_group(situation: Situation, group: GroupView | None) -> Situation:
    if group is None:
        return situation
    return replace(situation, members=len(group.members), handed_in=group.handed_in > 0)
