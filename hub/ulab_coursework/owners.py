"""Whose a submission is, a student's own or a group's, and which deadline holds for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ulab_core.models import Assignment, Extension, Group, GroupMember, Person, Submission
from ulab_coursework.lateness import Deadline, LatePolicy, deadline


class Owner(NamedTuple):
    """A group, or a student who is in none.

    While someone is in a group, its work is theirs; what they handed in alone is there again when
    they leave it.
    """

    person_id: int | None
    group_id: int | None

    @classmethod
    def of(cls, person_id: int, group_id: int | None) -> Owner:
        return cls(person_id, None) if group_id is None else cls(None, group_id)

    @property
    def entry(self) -> str | None:
        """A group's name in the gradebook, which no account can have; None for a student."""
        return None if self.group_id is None else f"_group-{self.group_id}"

    def lock(self, session: Session) -> None:
        """Keep others who hand in for the same student or group waiting until the commit."""
        kind, id_ = (Person, self.person_id) if self.group_id is None else (Group, self.group_id)
        # Not the strongest lock: others may still add rows that refer to this one.
        session.execute(select(kind.id).where(kind.id == id_).with_for_update(key_share=True))

    def submissions(self) -> ColumnElement[bool]:
        """Which submissions are theirs."""
        if self.group_id is not None:
            return Submission.group_id == self.group_id
        return Submission.group_id.is_(None) & (Submission.person_id == self.person_id)


@dataclass
class Owners:
    """The groups and extensions of one assignment."""

    groups: dict[int, int] = field(default_factory=dict)
    """By person, the group they are in."""
    members: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    extensions: dict[int, datetime] = field(default_factory=dict)

    def of(self, person_id: int) -> Owner:
        return Owner.of(person_id, self.groups.get(person_id))

    def deadline(self, assignment: Assignment, owner: Owner) -> Deadline:
        people = [owner.person_id] if owner.group_id is None else self.members[owner.group_id]
        given = [self.extensions[one] for one in people if one in self.extensions]
        return deadline(assignment.due_at, late_policy(assignment), given)


def late_policy(assignment: Assignment) -> LatePolicy:
    """What the assignment says of late submissions."""
    return LatePolicy(
        rule=assignment.late_rule,
        amount=assignment.late_amount,
        unit=assignment.late_unit,
        per=assignment.late_per,
        cap=assignment.late_cap,
        closes_at=assignment.closes_at,
    )


def owners_of(session: Session, assignment_ids: Collection[int]) -> dict[int, Owners]:
    """By assignment, its groups and extensions: two queries, whatever the class's size."""
    found = {one: Owners() for one in assignment_ids}
    members = select(GroupMember.assignment_id, GroupMember.person_id, GroupMember.group_id)
    for assignment, person, group in session.execute(
        members.where(GroupMember.assignment_id.in_(assignment_ids))
    ):
        found[assignment].groups[person] = group
        found[assignment].members[group].append(person)
    extensions = select(Extension.assignment_id, Extension.person_id, Extension.due_at)
    for assignment, person, due_at in session.execute(
        extensions.where(Extension.assignment_id.in_(assignment_ids))
    ):
        found[assignment].extensions[person] = due_at
    return found


def of_person(person_id: int) -> ColumnElement[bool]:
    """Which submissions are a person's or a group's that they are in."""
    groups = select(GroupMember.group_id).where(GroupMember.person_id == person_id)
    return (Submission.person_id == person_id) | Submission.group_id.in_(groups)


def owner_of(session: Session, assignment_id: int, person: str) -> Owner:
    """Whose work a person hands in: their group's, or their own."""
    row = session.execute(
        select(Person.id, GroupMember.group_id)
        .outerjoin(
            GroupMember,
            (GroupMember.person_id == Person.id) & (GroupMember.assignment_id == assignment_id),
        )
        .where(Person.name == person)
    ).first()
    return Owner.of(row[0], row[1]) if row else Owner(-1, None)


def locked_owner_of(session: Session, assignment_id: int, person: str) -> Owner:
    """The same, and nobody changes it or hands in for them until the commit."""
    while True:
        owner = owner_of(session, assignment_id, person)
        owner.lock(session)
        # Someone may have joined or left a group until the lock was there.
        if owner_of(session, assignment_id, person) == owner:
            return owner


def deadline_of(session: Session, assignment: Assignment, person: str) -> Deadline:
    """The deadline that holds for one person."""
    owners = owners_of(session, [assignment.id])[assignment.id]
    return owners.deadline(assignment, owner_of(session, assignment.id, person))


def names_of_group(session: Session, group_id: int) -> tuple[str, list[Person]]:
    """A group's name and who is in it."""
    group = session.get_one(Group, group_id)
    people = session.scalars(
        select(Person)
        .join(GroupMember, GroupMember.person_id == Person.id)
        .where(GroupMember.group_id == group_id)
        .order_by(Person.name)
    )
    return group.name, list(people)


def group_names(session: Session, assignment_id: int) -> dict[int, str]:
    """An assignment's groups' names by number."""
    rows = session.execute(select(Group.id, Group.name).where(Group.assignment_id == assignment_id))
    return {row[0]: row[1] for row in rows}
