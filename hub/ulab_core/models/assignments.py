"""The tables of assignments: when they are due, what being late costs, who works together."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ulab_core.errors import Titles
from ulab_core.models.columns import Base, UtcDateTime, enum_column
from ulab_core.models.courses import Course, Person

if TYPE_CHECKING:
    from ulab_core.models.submissions import Submission


class FeedbackPolicy(enum.StrEnum):
    """When a student sees the feedback of a graded submission."""

    AT_ONCE = "at_once"
    ON_RELEASE = "on_release"


class LateRule(enum.StrEnum):
    """What being late costs."""

    REFUSED = "refused"
    """Nothing is taken after the deadline."""
    FREE = "free"
    STEP = "step"
    """An amount for each started day or hour."""
    LINEAR = "linear"
    """An amount a day or hour, by the second."""


class LateUnit(enum.StrEnum):
    """What a penalty's amount is: points, or percent of the points there are."""

    PERCENT = "percent"
    POINTS = "points"


class LatePer(enum.StrEnum):
    DAY = "day"
    HOUR = "hour"


class Counts(enum.StrEnum):
    """Which of several submissions counts."""

    LAST = "last"
    BEST = "best"


class Assignment(Base):
    """A lab in a course. Students see it once `published_at` is set."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("course_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id"))
    name: Mapped[str] = mapped_column(String(64))
    """nbgrader's assignment name, which is the lab's id; its notebook is ``<name>.ipynb``."""
    position: Mapped[int]
    title_zh: Mapped[str]
    title_en: Mapped[str]
    profile: Mapped[str] = mapped_column(String(16), default="cpu")
    minutes: Mapped[int]
    max_score: Mapped[float]
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    feedback_policy: Mapped[FeedbackPolicy] = mapped_column(
        enum_column(FeedbackPolicy), default=FeedbackPolicy.AT_ONCE
    )
    feedback_released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When late submissions are no longer taken either; None for never."""
    late_rule: Mapped[LateRule] = mapped_column(enum_column(LateRule), default=LateRule.REFUSED)
    late_amount: Mapped[float] = mapped_column(default=0.0)
    late_unit: Mapped[LateUnit] = mapped_column(enum_column(LateUnit), default=LateUnit.PERCENT)
    late_per: Mapped[LatePer] = mapped_column(enum_column(LatePer), default=LatePer.DAY)
    late_cap: Mapped[float | None]
    """The most a penalty takes, in percent of the points there are."""
    attempts: Mapped[int | None]
    cooldown_minutes: Mapped[int] = mapped_column(default=0)
    counts: Mapped[Counts] = mapped_column(enum_column(Counts), default=Counts.LAST)
    group_size: Mapped[int | None]
    """How many students hand in together at most; None where everyone works alone."""
    own_groups: Mapped[bool] = mapped_column(default=False)
    """Whether students form their groups themselves."""

    course: Mapped[Course] = relationship(back_populates="assignments")
    submissions: Mapped[list[Submission]] = relationship(back_populates="assignment")

    @property
    def titles(self) -> Titles:
        """What a refusal calls it."""
        return Titles(zh=self.title_zh, en=self.title_en)

    def title(self, language: str) -> str:
        return self.title_zh if language == "zh" else self.title_en


class Extension(Base):
    """A deadline of one student's own; the audit log says who gave it."""

    __tablename__ = "extensions"

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(default="")

    person: Mapped[Person] = relationship()


class Group(Base):
    """Students who hand in one assignment together."""

    __tablename__ = "groups"
    __table_args__ = (
        UniqueConstraint("assignment_id", "name"),
        Index(None, "assignment_id", "code", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    name: Mapped[str] = mapped_column(String(64))
    code: Mapped[str | None] = mapped_column(String(8))
    """What a member tells others to join with."""

    members: Mapped[list[GroupMember]] = relationship(back_populates="group")


class GroupMember(Base):
    """Someone in a group; nobody is in two groups of an assignment."""

    __tablename__ = "group_members"

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)

    group: Mapped[Group] = relationship(back_populates="members")
    person: Mapped[Person] = relationship()
