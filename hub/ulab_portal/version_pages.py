"""Moving a course to another version of its curriculum, with what that changes said before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.errors import UserError
from ulab_core.models import Course
from ulab_core.rights import Act
from ulab_coursework.courses import find_course
from ulab_coursework.moving import LabChange, changes, move
from ulab_curricula.publication import published
from ulab_portal.areas import area
from ulab_portal.page import Page, reading, sentence
from ulab_portal.watching import allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach/version")
Mover = Annotated[Page, allowed(Act.MOVE)]


@dataclass(frozen=True)
class Offer:
    """A version that the course could move to, or why it can't."""

    version: str
    labs: tuple[LabChange, ...]
    refusal: str

    @property
    def regrades(self) -> bool:
        """Whether anything handed in would be graded by other tests."""
        return any(one.tests_changed and one.submitted for one in self.labs)


@router.get("")
def versions(
    course_id: str, page: Annotated[Page, Depends(reading)], moved: bool = False
) -> Response:
    """The course's version, and what each other one would change."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        course = find_course(session, course_id)
        return page.answer(
            "version.html",
            course=course,
            course_title=course.title(page.language),
            area=area(course.focus_area),
            viewer=viewer,
            moved=moved,
            offers=_offers(session, page, course),
        )


@router.post("")
def go(
    course_id: str,
    page: Mover,
    version: Annotated[str, Form()],
    regrades: Annotated[bool, Form()] = False,
) -> Response:
    """Move the course."""
    portal = page.portal
    move(portal.db, portal.layout, course_id, version, page.user.name, regrades=regrades)
    return page.go(f"courses/{course_id}/teach/version?moved=1")


def _offers(session: Session, page: Page, course: Course) -> list[Offer]:
    others = [
        one.version
        for one in published(page.portal.layout)
        if one.id == course.curriculum and one.version != course.curriculum_version
    ]
    return [_offer(session, page, course.id, version) for version in sorted(others, reverse=True)]


def _offer(session: Session, page: Page, course_id: str, version: str) -> Offer:
    try:
        return Offer(version, changes(session, page.portal.layout, course_id, version), "")
    except UserError as error:
        return Offer(version, (), sentence(error, page.language))
