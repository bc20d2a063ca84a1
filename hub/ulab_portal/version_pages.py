"""Moving a course to another version of its curriculum, with what that changes said before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.errors import UserError
from ulab_core.i18n import translations
from ulab_core.models import Course, Regrade
from ulab_core.rights import Act
from ulab_coursework.courses import find_course
from ulab_coursework.moving import LabChange, changes, move
from ulab_coursework.publishers import held_by
from ulab_coursework.regrading import to_regrade
from ulab_coursework.tries import load_tries
from ulab_curricula.differences import differences
from ulab_curricula.publication import PublishedCurriculum, load_published, published
from ulab_portal.areas import area
from ulab_portal.page import Page, reading, sentence
from ulab_portal.watching import allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach/version")
Mover = Annotated[Page, allowed(Act.MOVE)]


@dataclass(frozen=True)
class Offer:
    """A version that the course could move to, or why it can't."""

    version: str
    published_at: datetime
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
            regraded=_regraded(session, page, course) if moved else [],
            offers=_offers(session, page, course),
            publishes=page.user.admin
            or (page.may_publish and course.curriculum in held_by(session, page.user.name)),
            running=load_published(
                page.portal.layout, course.curriculum, course.curriculum_version
            ),
        )


@dataclass(frozen=True)
class LabDifferences:
    """What a version has other than the course's, for one lab or, without a title, the curriculum.

    Attributes
    ----------
    sentences
        Each with whether it may change what an answer earns.
    again
        How many submissions a move would grade again.
    """

    title: str
    sentences: tuple[tuple[str, bool], ...]
    again: int


@router.get("/{version}/changes")
def differing(course_id: str, version: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """What a version has other than the course's, in words."""
    with page.portal.db.read() as session:
        viewer_of(session, page, course_id)
        course = find_course(session, course_id)
        layout = page.portal.layout
        now = load_published(layout, course.curriculum, course.curriculum_version)
        then = load_published(layout, course.curriculum, version)
        again = _graded_again(session, page, course, version)
    titles = {lab.id: lab.titles[page.language] for lab in (*now.labs, *then.labs)}
    gettext = translations(page.language).gettext
    groups = itertools.groupby(differences(now, then), key=lambda one: one.lab)
    return page.answer(
        "_version_changes.html",
        groups=[
            LabDifferences(
                titles.get(lab, ""),
                tuple((one.said(gettext), one.tests) for one in ones),
                again.get(lab, 0),
            )
            for lab, ones in groups
        ],
    )


def _graded_again(session: Session, page: Page, course: Course, version: str) -> dict[str, int]:
    """How many submissions a move with a regrade would grade again, by the lab's id."""
    try:
        found = changes(session, page.portal.layout, course.id, version)
    except UserError:
        return {}
    names = {one.name for one in found if one.tests_changed and one.submitted}
    assignments = [one for one in course.assignments if one.name in names]
    tries = load_tries(session, assignments)
    return {one.name: len(to_regrade(tries[one.id])) for one in assignments}


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
    """The other versions, the newest first."""
    others = [
        one
        for one in published(page.portal.layout)
        if one.id == course.curriculum and one.version != course.curriculum_version
    ]
    return [_offer(session, page, course.id, one) for one in reversed(others)]


def _offer(session: Session, page: Page, course_id: str, other: PublishedCurriculum) -> Offer:
    try:
        found = changes(session, page.portal.layout, course_id, other.version)
        return Offer(other.version, other.published_at, found, "")
    except UserError as error:
        return Offer(other.version, other.published_at, (), sentence(error, page.language))


def _regraded(session: Session, page: Page, course: Course) -> list[tuple[str, str]]:
    """The labs whose class the move to the course's version graded again: name and title."""
    ids = session.scalars(
        select(Regrade.assignment_id).where(
            Regrade.version_after == course.curriculum_version,
            Regrade.version_before != course.curriculum_version,
        )
    ).all()
    return [(one.name, one.title(page.language)) for one in course.assignments if one.id in ids]
