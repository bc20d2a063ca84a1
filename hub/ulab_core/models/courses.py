"""The tables of people and courses, and which names they can have."""

from __future__ import annotations

import enum
import re
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ulab_core.i18n import mark
from ulab_core.models.columns import Base, UtcDateTime, enum_column, utc_now

if TYPE_CHECKING:
    from ulab_core.models.assignments import Assignment

# A name is also a folder, a URL segment and an MLflow identity, so it is kept plain.
# Student numbers are names too, so a digit may come first.
PERSON_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
PERSON_NAME_REFUSED = mark(
    "{name} can't be an account: use up to 32 small letters, digits, dots, hyphens and "
    "underscores, with a letter or digit first."
)

# "grade-<course>" must fit JupyterHub's 30 characters for a named server, and a course is an MLflow
# workspace of the same name: two characters at least, no hyphen at the end, none of its own words.
# It is a folder of a home, too, where "teams" is taken.
COURSE_ID = re.compile(
    r"(?!(?:default|workspaces|api|ajax-api|static-files|teams)$)[a-z][a-z0-9-]{0,22}[a-z0-9]"
)


class Role(enum.StrEnum):
    """What a person is in one course."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    """Sees and grades as an instructor does, and changes nothing: `ulab_core.rights`."""
    INSTRUCTOR = "instructor"


class Person(Base):
    """Someone with an account. `id` also gives the host uid their sandbox runs as."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    display_name: Mapped[str] = mapped_column(default="")
    college: Mapped[str] = mapped_column(default="")
    language: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    enrolments: Mapped[list[Enrolment]] = relationship(back_populates="person")


class Course(Base):
    """A curriculum run in a term for a roster."""

    __tablename__ = "courses"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    """Gives the host group that a course's files belong to when the base runs as root."""
    title_zh: Mapped[str]
    title_en: Mapped[str]
    focus_area: Mapped[str] = mapped_column(String(32), index=True)
    curriculum: Mapped[str] = mapped_column(String(64))
    curriculum_version: Mapped[str] = mapped_column(String(64))
    term: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a worker last took a job of it; whose turn was longest ago is next."""

    enrolments: Mapped[list[Enrolment]] = relationship(back_populates="course")
    assignments: Mapped[list[Assignment]] = relationship(
        back_populates="course", order_by="Assignment.position"
    )

    def title(self, language: str) -> str:
        return self.title_zh if language == "zh" else self.title_en


class Enrolment(Base):
    __tablename__ = "enrolments"

    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(enum_column(Role))

    course: Mapped[Course] = relationship(back_populates="enrolments")
    person: Mapped[Person] = relationship(back_populates="enrolments")
