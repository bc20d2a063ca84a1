"""The tables of what is handed in, of grading it, and of grading it again."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ulab_core.models.assignments import Assignment, Group
from ulab_core.models.columns import Base, UtcDateTime, enum_column, new_id, utc_now
from ulab_core.models.courses import Person


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
