"""Who looks at a course's pages of teaching: who teaches it, or an administrator who looks on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core import rights
from ulab_core.models import Course, Role
from ulab_core.rights import Act
from ulab_coursework.courses import courses_of, find_course, require_right, role_in
from ulab_portal.page import Page, acting


@dataclass(frozen=True)
class Viewer:
    """What a page of teaching shows and offers.

    Attributes
    ----------
    role
        What they are in the course; None for an administrator, who sees numbers and names and
        changes nothing.
    """

    role: Role | None

    @property
    def watches(self) -> bool:
        return self.role is None

    @property
    def assists(self) -> bool:
        return self.role is Role.ASSISTANT

    def may(self, act: str) -> bool:
        """Whether they may do this; a template names the act by its word."""
        return rights.may(self.role, Act(act))


def viewer_of(session: Session, page: Page, course_id: str) -> Viewer:
    """Whoever asks, as someone who looks at a course's pages of teaching.

    Raises
    ------
    NotAllowed
        They neither teach the course nor are an administrator.
    """
    if page.user.admin and not rights.may(role_in(session, course_id, page.user.name), Act.SEE):
        find_course(session, course_id)
        return Viewer(None)
    return Viewer(require_right(session, course_id, page.user.name, Act.SEE))


def allowed(act: Act) -> Any:
    """A dependency: a request that changes something, of someone who may do this in the course."""

    def check(course_id: str, page: Annotated[Page, Depends(acting)]) -> Page:
        with page.portal.db.read() as session:
            require_right(session, course_id, page.user.name, act)
        return page

    return Depends(check)


def watched_courses(session: Session, page: Page) -> list[Course]:
    """The courses that an administrator is not in, newest term first; none for anyone else."""
    if not page.user.admin:
        return []
    own = [course.id for course, _ in courses_of(session, page.user.name)]
    order = (Course.term.desc(), Course.id)
    return list(session.scalars(select(Course).where(Course.id.not_in(own)).order_by(*order)))
