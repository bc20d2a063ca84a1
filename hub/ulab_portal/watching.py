"""Administrators who look at courses they do not teach: all is shown, nothing changes."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.models import Course, Role
from ulab_coursework.courses import courses_of, find_course, require_instructor, role_in
from ulab_portal.page import Page


def only_watches(session: Session, page: Page, course_id: str) -> bool:
    """Whether whoever asks looks on as an administrator; False for the course's instructors.

    Raises
    ------
    NotAllowed
        They are neither.
    """
    if page.user.admin and role_in(session, course_id, page.user.name) is not Role.INSTRUCTOR:
        find_course(session, course_id)
        return True
    require_instructor(session, course_id, page.user.name)
    return False


def watched_courses(session: Session, page: Page) -> list[Course]:
    """The courses that an administrator is not in, newest term first; none for anyone else."""
    if not page.user.admin:
        return []
    own = [course.id for course, _ in courses_of(session, page.user.name)]
    order = (Course.term.desc(), Course.id)
    return list(session.scalars(select(Course).where(Course.id.not_in(own)).order_by(*order)))
