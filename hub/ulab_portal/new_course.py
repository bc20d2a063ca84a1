"""Making a course from a published curriculum."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ulab_core.errors import NotAllowed, UserError
from ulab_core.i18n import mark
from ulab_core.models import Role, utc_now
from ulab_coursework.courses import create_course, enrol
from ulab_coursework.publishers import publishers
from ulab_curricula.publication import published
from ulab_portal.areas import area
from ulab_portal.called import called
from ulab_portal.page import Page, acting, reading

router = APIRouter()


def _require_creator(page: Page) -> None:
    if not page.may_create:
        raise NotAllowed(mark("Only instructors and administrators make courses."))


@router.get("/new-course")
def form(page: Annotated[Page, Depends(reading)]) -> Response:
    """The form, with every published curriculum."""
    _require_creator(page)
    found = published(page.portal.layout)[::-1]
    found.sort(key=lambda one: (area(one.focus_area).position, one.id))
    newest = [next(of_one) for _, of_one in groupby(found, key=lambda one: one.id)]
    older = [one for one in found if one not in newest]
    with page.portal.db.read() as session:
        by = publishers(session)
        names = called(session, by.values())
    return page.answer(
        "new_course.html",
        choices=newest,
        older=older,
        by={key: names[publisher] for key, publisher in by.items()},
        area=area,
        year=utc_now().year,
    )


@router.post("/new-course")
def create(
    page: Annotated[Page, Depends(acting)],
    course_id: Annotated[str, Form()] = "",
    curriculum: Annotated[str, Form()] = "",
    term: Annotated[str, Form()] = "",
    title_zh: Annotated[str, Form()] = "",
    title_en: Annotated[str, Form()] = "",
) -> Response:
    """Make the course, with whoever made it as its instructor."""
    _require_creator(page)
    name, _, version = curriculum.partition("@")
    if not version:
        raise UserError(mark("Choose a curriculum first."))
    with page.portal.db.write() as session:
        course = create_course(
            session,
            page.portal.layout,
            course_id.strip(),
            name,
            version,
            {"zh": title_zh.strip(), "en": title_en.strip()},
            term.strip(),
            page.user.name,
        )
        enrol(session, course, page.user.name, Role.INSTRUCTOR, page.user.name)
    return page.go(f"courses/{course.id}/teach")
