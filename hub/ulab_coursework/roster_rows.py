"""Bringing the people of a roster into a base, with few queries, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.models import Person, Role
from ulab_coursework.courses import enrol_all
from ulab_coursework.roster import Row


@dataclass
class Applied:
    """What a roster changed, by account name.

    Attributes
    ----------
    enrolled
        Name, course and role of each enrolment that is new or has another role now.
    """

    people_added: list[str] = field(default_factory=list)
    people_changed: list[str] = field(default_factory=list)
    enrolled: list[tuple[str, str, str]] = field(default_factory=list)


def apply_rows(
    session: Session, rows: Sequence[Row], actor: str, keep_details: bool = False
) -> Applied:
    """Add the people of `rows` and give them their roles; nobody is removed.

    Parameters
    ----------
    keep_details
        Whether names and colleges of people who were known before stay as they are.
    """
    people = {person.name: person for person in session.scalars(select(Person))}
    known = frozenset(people)
    changed: dict[str, None] = {}
    for row in rows:
        if row.name not in people:
            people[row.name] = Person(name=row.name, display_name="", college="")
            session.add(people[row.name])
        if row.name not in known:
            _take_details(people[row.name], row)
        elif not keep_details and _take_details(people[row.name], row):
            changed[row.name] = None
    # Now the new people have the numbers that enrolments refer to.
    session.flush()
    wanted: dict[str, list[tuple[Person, Role]]] = defaultdict(list)
    for row in rows:
        if row.course is not None and row.role is not None:
            wanted[row.course].append((people[row.name], row.role))
    return Applied(
        people_added=[name for name in people if name not in known],
        people_changed=list(changed),
        enrolled=[
            (person.name, course_id, role.value)
            for course_id, roles in wanted.items()
            for person, role in enrol_all(session, course_id, roles, actor)
        ],
    )


def _take_details(person: Person, row: Row) -> bool:
    """Give a person the row's details; whether that changed any."""
    before = (person.display_name, person.college)
    person.display_name = row.display_name or person.display_name
    person.college = row.college or person.college
    return before != (person.display_name, person.college)
