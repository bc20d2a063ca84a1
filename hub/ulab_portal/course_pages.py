"""My courses, and a course as its student sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.models import Course, Role, utc_now
from ulab_core.rights import Act, may
from ulab_coursework.courses import courses_of, find_course, people_of, require_member, role_in
from ulab_coursework.gradebook import scores_of
from ulab_coursework.owners import deadline_of
from ulab_coursework.standing import newest_of
from ulab_curricula import load_published
from ulab_portal.areas import Area, area
from ulab_portal.page import Page, reading
from ulab_portal.states import LabRow, LabState, lab_row
from ulab_portal.watching import watched_courses

router = APIRouter()


@dataclass(frozen=True)
class CourseCard:
    """A course in the list of one's courses."""

    id: str
    title: str
    term: str
    area: Area
    teaching: bool
    assists: bool
    labs: int
    done: int
    students: int
    next_due: datetime | None


def course_card(session: Session, course: Course, role: Role, page: Page) -> CourseCard:
    """A course as it stands for whoever asks."""
    rows = student_rows(session, course, page)
    teaching = may(role, Act.SEE)
    open_dues = [row.due_at for row in rows if row.due_at and not row.done]
    now = utc_now()
    return CourseCard(
        id=course.id,
        title=course.title(page.language),
        term=course.term,
        area=area(course.focus_area),
        teaching=teaching,
        assists=role is Role.ASSISTANT,
        labs=len(course.assignments) if teaching else len(rows),
        done=sum(row.done for row in rows),
        students=len(people_of(session, course.id, Role.STUDENT)) if teaching else 0,
        next_due=min((due for due in open_dues if due > now), default=None),
    )


def student_rows(session: Session, course: Course, page: Page) -> list[LabRow]:
    """The published labs of a course, in order, as they stand for whoever asks."""
    person = page.user.name
    newest = newest_of(session, course.id, person)
    now = utc_now()
    rows = [
        lab_row(
            assignment,
            newest.get(assignment.name),
            page.language,
            now,
            deadline_of(session, assignment, person),
        )
        for assignment in course.assignments
        if assignment.published_at is not None
    ]
    if not any(row.state is LabState.GRADED for row in rows):
        return rows
    # The gradebook knows what a person added by hand; the submission alone does not.
    counts = scores_of(page.portal.layout, session, course.id, person)
    return [
        replace(row, score=counts[row.name].points)
        if row.state is LabState.GRADED and row.name in counts
        else row
        for row in rows
    ]


@router.get("/")
def home(page: Annotated[Page, Depends(reading)]) -> Response:
    """My courses by focus area."""
    with page.portal.db.read() as session:
        cards = [
            course_card(session, course, role, page)
            for course, role in courses_of(session, page.user.name)
        ]
        watched = [
            (course.id, course.title(page.language), course.term, area(course.focus_area))
            for course in watched_courses(session, page)
        ]
    groups: dict[str, list[CourseCard]] = {}
    for card in sorted(cards, key=lambda card: card.area.position):
        groups.setdefault(card.area.id, []).append(card)
    return page.answer(
        "home.html", groups=list(groups.values()), watched=watched, current="courses"
    )


@router.get("/courses/{course_id}")
def course(course_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """A course's labs with where I stand; who teaches it goes on to that.

    So does an administrator, who watches there.
    """
    with page.portal.db.read() as session:
        role = role_in(session, course_id, page.user.name)
        if may(role, Act.SEE) or (role is None and page.user.admin):
            return page.go(f"courses/{course_id}/teach")
        require_member(session, course_id, page.user.name)
        found = find_course(session, course_id)
        rows = student_rows(session, found, page)
        return page.answer(
            "course.html",
            course=found,
            title=found.title(page.language),
            area=area(found.focus_area),
            curriculum=load_published(
                page.portal.layout, found.curriculum, found.curriculum_version
            ),
            rows=rows,
            earned=sum(row.score or 0 for row in rows),
            possible=sum(row.max_score for row in rows),
        )
