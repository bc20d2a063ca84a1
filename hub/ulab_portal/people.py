"""The people of a course: added by pasted names or a roster file, listed, and taken out again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, UploadFile
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ulab_core.errors import NotFound, TooLarge, UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Person, Role
from ulab_core.rights import Act
from ulab_core.signing_in import names_with_account
from ulab_coursework.courses import enrol_all, people_of, remove, require_right
from ulab_coursework.roster import parse_roster
from ulab_coursework.roster_rows import apply_rows
from ulab_portal.page import Page, acting, reading
from ulab_portal.watching import viewer_of

router = APIRouter()
MAX_ROSTER_BYTES = 2 * 1024 * 1024


class UnknownPeople(NotFound):
    """Names that belong to nobody here; nobody of the list was added."""


def split_names(text: str) -> list[str]:
    """Names parted by spaces, line ends, commas or semicolons, Chinese ones too; each once.

    Examples
    --------
    >>> split_names("liwei, zhang.min；liwei")
    ['liwei', 'zhang.min']
    """
    return list(dict.fromkeys(name.lower() for name in re.split(r"[\s,;，；、]+", text) if name))


@router.get("/courses/{course_id}/teach/people")
def listed(course_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """Everyone in the course, for the part of its page that is closed at first."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        people = members(session, page.portal.layout, course_id)
    return page.answer("_members.html", course_id=course_id, viewer=viewer, people=people)


@router.post("/courses/{course_id}/teach/people")
async def add(
    course_id: str,
    page: Annotated[Page, Depends(acting)],
    names: Annotated[str, Form()] = "",
    role: Annotated[Role, Form()] = Role.STUDENT,
    roster: UploadFile | None = None,
) -> Response:
    """Add the people whose names were pasted, and those of a roster file."""
    content = await roster.read(MAX_ROSTER_BYTES + 1) if roster and roster.filename else b""
    if len(content) > MAX_ROSTER_BYTES:
        raise TooLarge(mark("A roster file may have 2 MB at most."))
    wanted = split_names(names)
    if roster and roster.filename and not content:
        raise UserError(mark("The roster file {file} is empty."), file=roster.filename)
    if not wanted and not content:
        raise UserError(mark("Paste names or choose a roster file first."))
    added = await run_in_threadpool(_add, page, course_id, wanted, role, content)
    return page.go(f"courses/{course_id}/teach?added={added}")


@router.post("/courses/{course_id}/teach/people/remove")
async def take_out(
    course_id: str, page: Annotated[Page, Depends(acting)], name: Annotated[str, Form()]
) -> Response:
    """Take someone out of the course; what they handed in stays."""
    await run_in_threadpool(_take_out, page, course_id, name)
    if name == page.user.name:
        return page.go("")
    return page.go(f"courses/{course_id}/teach")


def _take_out(page: Page, course_id: str, name: str) -> None:
    with page.portal.db.write() as session:
        require_right(session, course_id, page.user.name, Act.PEOPLE)
        remove(session, course_id, name, page.user.name)


@dataclass(frozen=True)
class Member:
    """Someone in a course.

    Attributes
    ----------
    account
        Whether they can sign in; None where that isn't known.
    """

    name: str
    display_name: str
    college: str
    role: Role
    account: bool | None


def members(session: Session, layout: Layout, course_id: str) -> list[Member]:
    """Everyone in a course, instructors first, then assistants."""
    accounts = names_with_account(layout)
    return [
        Member(
            person.name,
            person.display_name,
            person.college,
            role,
            None if accounts is None else person.name in accounts,
        )
        for role in (Role.INSTRUCTOR, Role.ASSISTANT, Role.STUDENT)
        for person in people_of(session, course_id, role)
    ]


def _add(page: Page, course_id: str, names: list[str], role: Role, roster: bytes) -> int:
    """How many are new in the course."""
    with page.portal.db.write() as session:
        require_right(session, course_id, page.user.name, Act.PEOPLE)
        before = len(people_of(session, course_id))
        if names:
            add_known(session, course_id, names, role, page.user.name)
        if roster:
            add_roster(session, course_id, roster, page.user.name)
        return len(people_of(session, course_id)) - before


def add_known(session: Session, course_id: str, names: list[str], role: Role, actor: str) -> None:
    """Enrol people who are known here, all of them or nobody.

    Raises
    ------
    UnknownPeople
        With every name that nobody has.
    """
    known = list(session.scalars(select(Person).where(Person.name.in_(names))))
    unknown = set(names).difference(person.name for person in known)
    if unknown:
        raise UnknownPeople(
            mark(
                "Nobody here is called {names}, so nobody was added. Check the names, or use a "
                "roster file for people who have not signed in yet."
            ),
            names=", ".join(name for name in names if name in unknown),
        )
    enrol_all(session, course_id, [(person, role) for person in known], actor)


def add_roster(session: Session, course_id: str, content: bytes, actor: str) -> None:
    """Enrol the people of a roster; who is new here is noted, who is known keeps their details.

    Raises
    ------
    BadRoster
        With every bad line; nobody was added then.
    """
    apply_rows(session, parse_roster(content, [course_id]), actor, keep_details=True)
