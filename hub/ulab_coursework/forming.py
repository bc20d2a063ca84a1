"""Forming an assignment's groups: by its students, or by their instructor, and all audited."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotFound, UserError
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Group, GroupMember, Person, Role, Submission
from ulab_coursework.courses import find_assignment, find_person, people_of, require_member
from ulab_coursework.grouping import (
    LONGEST_NAME,
    Move,
    Placed,
    Refused,
    clean_name,
    new_code,
    plan,
    why_not_join,
    why_not_leave,
)
from ulab_coursework.groups import GroupView, groups_of, placed, situation_of, with_group
from ulab_coursework.owners import owner_of

SENTENCES = {
    Refused.NOT_OFFERED: mark("Students don't form groups themselves here. Ask your instructor."),
    Refused.CLOSED: mark("Nothing is taken any more, so groups stay as they are."),
    Refused.IN_ONE: mark("You are in a group already. Leave it first."),
    Refused.IN_NONE: mark("You are in no group."),
    Refused.HANDED_IN_ALONE: mark(
        "You have handed in on your own already. Ask your instructor to put you into a group."
    ),
    Refused.GROUP_HANDED_IN: mark(
        "This group has handed in already, so only your instructor changes who is in it."
    ),
    Refused.FULL: mark("This group is full."),
}


class GroupRefused(Conflict):
    """The student can't change groups now."""


class BadGroup(UserError):
    """A name that can't be a group's, or an assignment without groups."""


def make(
    session: Session, course_id: str, name: str, person: str, group: str, now: datetime
) -> Group:
    """Make a group with one student in it.

    Raises
    ------
    GroupRefused, BadGroup, NotAllowed
        Nothing was changed.
    """
    found = _for_student(session, course_id, name, person)
    _refuse(why_not_join(situation_of(session, found, person, now)))
    made = _new_group(session, found, group)
    session.add(_member(found, find_person(session, person), made))
    record(session, person, "group.make", f"{course_id}/{name}", group=made.name)
    session.flush()
    return made


def join(
    session: Session, course_id: str, name: str, person: str, code: str, now: datetime
) -> GroupView:
    """Put a student into the group with a code.

    Raises
    ------
    NotFound, GroupRefused, NotAllowed
        Nothing was changed.
    """
    found = _for_student(session, course_id, name, person)
    wanted = code.strip().upper()
    target = next((one for one in groups_of(session, found) if one.code == wanted), None)
    if not wanted or target is None:
        raise NotFound(
            mark("No group of this lab has the code {code}. Ask its members for it."), code=wanted
        )
    _lock(session, Group, [target.id])
    # Read again: it may have handed in until the lock was there.
    target = next(one for one in groups_of(session, found) if one.id == target.id)
    _refuse(why_not_join(with_group(situation_of(session, found, person, now), target)))
    session.add(_member(found, find_person(session, person), session.get_one(Group, target.id)))
    record(session, person, "group.join", f"{course_id}/{name}", group=target.name)
    session.flush()
    return target


def leave(session: Session, course_id: str, name: str, person: str, now: datetime) -> None:
    """Take a student out of their group; the last one takes the group along.

    Raises
    ------
    GroupRefused, NotAllowed
        Nothing was changed.
    """
    found = _for_student(session, course_id, name, person)
    mine = owner_of(session, found.id, person)
    if mine.group_id is not None:
        _lock(session, Group, [mine.group_id])
    group = next((one for one in groups_of(session, found) if one.id == mine.group_id), None)
    _refuse(why_not_leave(with_group(situation_of(session, found, person, now), group)))
    assert group is not None
    session.delete(session.get_one(GroupMember, (found.id, find_person(session, person).id)))
    _drop_empty(session, found)
    record(session, person, "group.leave", f"{course_id}/{name}", group=group.name)


def place(
    session: Session, course_id: str, name: str, rows: Sequence[Placed], actor: str
) -> list[Move]:
    """Put students where rows say, whatever was handed in; nobody else moves.

    The caller has checked that `actor` may do this.

    Raises
    ------
    BadFile, BadGroup
        With every bad line; nothing was changed.
    """
    found = locked_assignment(session, course_id, name)
    if found.group_size is None:
        raise BadGroup(
            mark("{assignment} has no groups. Set the greatest group size first."),
            assignment=found.titles,
        )
    moves = plan(rows, placed(session, found), found.group_size)
    return move(session, found, moves, actor)


def move(session: Session, assignment: Assignment, moves: Sequence[Move], actor: str) -> list[Move]:
    """Carry out what was planned, with an audit entry for each student who moves."""
    people = {one.name: one for one in people_of(session, assignment.course_id, Role.STUDENT)}
    names = select(Group).where(Group.assignment_id == assignment.id)
    groups = {one.name: one for one in session.scalars(names)}
    _lock(session, Group, [one.id for one in groups.values()])
    _lock(session, Person, [people[one.person].id for one in moves])
    for one in moves:
        held = session.get(GroupMember, (assignment.id, people[one.person].id))
        if one.after and one.after not in groups:
            groups[one.after] = _new_group(session, assignment, one.after)
        if one.after and held is not None:
            held.group_id = groups[one.after].id
        elif one.after:
            session.add(_member(assignment, people[one.person], groups[one.after]))
        elif held is not None:
            session.delete(held)
        record(
            session,
            actor,
            "group.move",
            f"{assignment.course_id}/{assignment.name}/{one.person}",
            before=one.before,
            after=one.after,
        )
    _drop_empty(session, assignment)
    return list(moves)


def locked_assignment(session: Session, course_id: str, name: str) -> Assignment:
    """The assignment, whose groups nobody else changes until the commit."""
    found = find_assignment(session, course_id, name)
    _lock(session, Assignment, [found.id])
    return found


def _for_student(session: Session, course_id: str, name: str, person: str) -> Assignment:
    if require_member(session, course_id, person) is not Role.STUDENT:
        raise GroupRefused(mark("Only students of the course are in groups."))
    found = locked_assignment(session, course_id, name)
    if found.published_at is None:
        raise NotFound(
            mark("{assignment} is not published in this course."), assignment=found.titles
        )
    _lock(session, Person, [find_person(session, person).id])
    return found


def _lock(session: Session, kind: type[Assignment | Group | Person], ids: Collection[int]) -> None:
    # In one order, and not the strongest lock: others may still add rows that refer to these.
    rows: ColumnElement[bool] = kind.id.in_(ids)
    session.execute(select(kind.id).where(rows).order_by(kind.id).with_for_update(key_share=True))


def _refuse(why: Refused | None) -> None:
    if why is not None:
        raise GroupRefused(SENTENCES[why])


def _new_group(session: Session, assignment: Assignment, name: str) -> Group:
    wanted = clean_name(name)
    if not wanted:
        raise BadGroup(
            mark("Give the group a name of {most} characters at most."), most=LONGEST_NAME
        )
    rows = session.execute(
        select(Group.name, Group.code).where(Group.assignment_id == assignment.id)
    ).all()
    if any(wanted == known for known, _ in rows):
        raise BadGroup(mark("There is a group called {name} already."), name=wanted)
    made = Group(
        assignment_id=assignment.id,
        name=wanted,
        code=new_code([code for _, code in rows if code]),
    )
    session.add(made)
    session.flush()
    return made


def _member(assignment: Assignment, person: Person, group: Group) -> GroupMember:
    return GroupMember(assignment_id=assignment.id, person_id=person.id, group_id=group.id)


def _drop_empty(session: Session, assignment: Assignment) -> None:
    """Forget groups that nobody is in and that handed in nothing."""
    session.flush()
    used = select(GroupMember.group_id).where(GroupMember.group_id == Group.id)
    handed_in = select(Submission.id).where(Submission.group_id == Group.id)
    for one in session.scalars(
        select(Group).where(
            Group.assignment_id == assignment.id, ~used.exists(), ~handed_in.exists()
        )
    ).all():
        session.delete(one)
    session.flush()
