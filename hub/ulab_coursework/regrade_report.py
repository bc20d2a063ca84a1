"""Whose score a regrade moved, on which question and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from ulab_core.i18n import mark, translations
from ulab_core.models import (
    Assignment,
    Group,
    Job,
    JobState,
    Person,
    Regrade,
    RegradedSubmission,
    Submission,
)
from ulab_coursework.gradebook import harmless_cell

Questions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Move:
    """One question whose points are others than before, with the reasons; None: it wasn't there.

    Attributes
    ----------
    most_before, most_after
        What the question was and is worth.
    """

    question: str
    before: float | None
    after: float | None
    reason_before: str
    reason_after: str
    most_before: float | None = None
    most_after: float | None = None

    @property
    def reweighed(self) -> bool:
        """Whether the question is worth more or less than before."""
        return None not in (self.most_before, self.most_after) and (
            self.most_before != self.most_after
        )


@dataclass(frozen=True)
class Moved:
    """One submission of a regrade.

    Attributes
    ----------
    waits
        Whether it is still to be graded.
    group
        The name of the group whose it is; empty for a student's own.
    """

    submission: str
    person: str
    before: float | None
    after: float | None
    waits: bool
    moves: tuple[Move, ...]
    group: str = ""


def moves(before: Questions | None, after: Questions | None) -> tuple[Move, ...]:
    """The questions that have other points now; none when one side was never kept."""
    if before is None or after is None:
        return ()
    names = dict.fromkeys([*before, *after])
    found = (_move(name, before.get(name), after.get(name)) for name in names)
    return tuple(one for one in found if one.before != one.after)


def _move(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Move:
    return Move(
        name,
        old["points"] if old else None,
        new["points"] if new else None,
        old["reason"] if old else "",
        new["reason"] if new else "",
        old.get("max_points") if old else None,
        new.get("max_points") if new else None,
    )


def report(session: Session, regrade_id: int) -> list[Moved]:
    """The submissions of a regrade that moved or wait, by who handed them in."""
    rows = session.execute(
        select(RegradedSubmission, Person.name, Group.name)
        .join(Submission, Submission.id == RegradedSubmission.submission_id)
        .outerjoin(Group, Group.id == Submission.group_id)
        .join(Person, Person.id == Submission.person_id)
        .where(RegradedSubmission.regrade_id == regrade_id)
        .order_by(Person.name, Submission.received_at)
    )
    found = [
        Moved(
            row.submission_id,
            person,
            row.score_before,
            row.score_after,
            row.graded_at is None,
            moves(row.before, row.after),
            group or "",
        )
        for row, person, group in rows
    ]
    return [one for one in found if one.waits or one.moves or one.before != one.after]


@dataclass(frozen=True)
class Asked:
    """A regrade and how far it is.

    Attributes
    ----------
    submissions, done, failed
        How many were to be graded, have been, and could not be.
    """

    id: int
    asked_at: datetime
    actor: str
    version_before: str
    version_after: str
    submissions: int
    done: int
    failed: int

    @property
    def pending(self) -> bool:
        return self.done + self.failed < self.submissions


def regrades(session: Session, assignment: Assignment, most: int = 10) -> list[Asked]:
    """An assignment's newest regrades, the newest first."""
    waits = exists().where(
        Job.submission_id == RegradedSubmission.submission_id,
        Job.state.in_((JobState.QUEUED, JobState.RUNNING)),
    )
    failed = RegradedSubmission.graded_at.is_(None) & ~waits
    rows = session.execute(
        select(
            Regrade,
            func.count(RegradedSubmission.submission_id),
            func.count(RegradedSubmission.graded_at),
            func.count(case((failed, RegradedSubmission.submission_id))),
        )
        .outerjoin(RegradedSubmission, RegradedSubmission.regrade_id == Regrade.id)
        .where(Regrade.assignment_id == assignment.id)
        .group_by(Regrade.id)
        .order_by(Regrade.id.desc())
        .limit(most)
    )
    return [
        Asked(
            one.id,
            one.asked_at,
            one.actor,
            one.version_before,
            one.version_after,
            submissions,
            done,
            lost,
        )
        for one, submissions, done, lost in rows
    ]


def last_report(session: Session, assignment: Assignment) -> list[Moved]:
    """What the newest regrade of an assignment moved; nothing before the first."""
    newest = session.scalar(
        select(Regrade.id).where(Regrade.assignment_id == assignment.id).order_by(Regrade.id.desc())
    )
    return [] if newest is None else report(session, newest)


HEADINGS = (
    mark("Account"), mark("Score before"), mark("Score after"), mark("Question"),
    mark("Points before"), mark("Points after"), mark("Reason before"), mark("Reason after"),
    mark("Group"),
)  # fmt: skip


def to_csv(found: list[Moved], language: str) -> str:
    """The report for a spreadsheet: a line for each question that moved."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(map(translations(language).gettext, HEADINGS))
    for one in found:
        for move in one.moves or (Move("", None, None, "", ""),):
            texts = map(harmless_cell, (move.question, move.reason_before, move.reason_after))
            question, reason_before, reason_after = texts
            writer.writerow(
                [
                    *(one.person, one.before, one.after, question, move.before, move.after),
                    *(reason_before, reason_after, harmless_cell(one.group)),
                ]
            )
    return out.getvalue()
