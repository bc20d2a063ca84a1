"""The tables of U Lab's own database; nbgrader, JupyterHub and MLflow keep theirs."""

from __future__ import annotations

import enum
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from ulab_core.errors import Titles
from ulab_core.i18n import mark

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


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return uuid.uuid4().hex


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite drops the zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Role(enum.StrEnum):
    """What a person is in one course."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    """Sees and grades as an instructor does, and changes nothing: `ulab_core.rights`."""
    INSTRUCTOR = "instructor"


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


class JobState(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Lane(enum.StrEnum):
    """Who is served first: in the order of these words, which is the database's too."""

    LIVE = "live"
    """Just handed in; a student waits."""
    REGRADE = "regrade"


def enum_column(kind: type[enum.StrEnum]) -> Enum:
    """A column that holds the words of an enumeration, and is plain text to the database."""
    return Enum(kind, native_enum=False, values_callable=lambda members: [m.value for m in members])


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


class Submission(Base):
    """One notebook handed in; never changed, a resubmission is a row of its own."""

    __tablename__ = "submissions"
    __table_args__ = (Index(None, "assignment_id", "person_id", "received_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    """Whoever handed it in."""
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"), index=True)
    """Whose it is, if a group's; None for the person's own."""
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    language: Mapped[str] = mapped_column(String(8), default="zh")
    via: Mapped[str] = mapped_column(String(16))
    """`jupyterlab` or `portal`."""
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    graded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    score: Mapped[float | None]
    max_score: Mapped[float | None]
    """What autograding gave this very submission; the gradebook holds the score that counts."""
    questions: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """By the test's grade id: its ``points``, ``max_points`` and ``reason``."""
    graded_version: Mapped[str | None] = mapped_column(String(64))
    """The version of the curriculum that it was graded with."""
    tests_digest: Mapped[str | None] = mapped_column(String(64))
    """The SHA-256 of the tests that it was graded with."""

    assignment: Mapped[Assignment] = relationship(back_populates="submissions")
    person: Mapped[Person] = relationship()
    group: Mapped[Group | None] = relationship()
    jobs: Mapped[list[Job]] = relationship(back_populates="submission", order_by="Job.created_at")


class Job(Base):
    """Work that survives the death of whoever does it."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), index=True)
    state: Mapped[JobState] = mapped_column(enum_column(JobState), default=JobState.QUEUED)
    lane: Mapped[Lane] = mapped_column(enum_column(Lane), default=Lane.LIVE)
    forced: Mapped[bool] = mapped_column(default=False)
    """Grade also what was graded with the same tests before."""
    takes: Mapped[int] = mapped_column(default=0)
    """How often a worker took it; tells a lease from a former one."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often its cells began to run."""
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When they did for whoever has it now; None while it is got ready."""
    worker: Mapped[str | None] = mapped_column(String(128))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None]
    """An untranslated sentence (a catalogue key) that says why the job failed."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    question: Mapped[str | None] = mapped_column(String(128))
    """The test that a running job is at, by its grade id."""
    questions_done: Mapped[int | None]
    questions: Mapped[int | None]

    submission: Mapped[Submission] = relationship(back_populates="jobs")


class Regrade(Base):
    """A whole class graded again, so that it can be said whose score moved."""

    __tablename__ = "regrades"

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    actor: Mapped[str] = mapped_column(String(64))
    version_before: Mapped[str] = mapped_column(String(64))
    version_after: Mapped[str] = mapped_column(String(64))

    assignment: Mapped[Assignment] = relationship()


class RegradedSubmission(Base):
    """What one submission of a regrade scored before and after, question by question."""

    __tablename__ = "regraded_submissions"

    regrade_id: Mapped[int] = mapped_column(ForeignKey("regrades.id"), primary_key=True)
    submission_id: Mapped[str] = mapped_column(
        ForeignKey("submissions.id"), primary_key=True, index=True
    )
    score_before: Mapped[float | None]
    score_after: Mapped[float | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    graded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the regrade was done; None while it is not."""

    submission: Mapped[Submission] = relationship()


class AuditEntry(Base):
    """Who did what to what; rows are only ever added."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
