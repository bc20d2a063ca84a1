"""How a lab stands for a student, as one word, a colour and a sentence: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ulab_core.i18n import mark
from ulab_core.models import Assignment
from ulab_coursework.lateness import Deadline, deadline
from ulab_coursework.owners import late_policy
from ulab_coursework.standing import Standing, State

SOON = timedelta(days=2)


class LabState(StrEnum):
    """A lab's state for one student; the values name the style of its badge."""

    TO_DO = "to_do"
    MISSED = "missed"
    QUEUED = "queued"
    GRADING = "grading"
    WITHHELD = "withheld"
    GRADED = "graded"
    FAILED = "failed"


WORDS = {
    LabState.TO_DO: mark("Not submitted"),
    LabState.MISSED: mark("Deadline passed"),
    LabState.QUEUED: mark("Waiting to be graded"),
    LabState.GRADING: mark("Being graded"),
    LabState.WITHHELD: mark("Graded, score not released yet"),
    LabState.GRADED: mark("Graded"),
    LabState.FAILED: mark("Grading failed"),
}
STYLES = {
    LabState.TO_DO: "none",
    LabState.MISSED: "bad",
    LabState.QUEUED: "busy",
    LabState.GRADING: "busy",
    LabState.WITHHELD: "note",
    LabState.GRADED: "good",
    LabState.FAILED: "bad",
}


def lab_state(newest: Standing | None, due_at: datetime | None, now: datetime) -> LabState:
    """Decide the state from the newest submission and the deadline."""
    if newest is None:
        return LabState.MISSED if due_at is not None and now > due_at else LabState.TO_DO
    if newest.state is State.QUEUED:
        return LabState.QUEUED
    if newest.state is State.RUNNING:
        return LabState.GRADING
    if newest.state is State.FAILED:
        return LabState.FAILED
    return LabState.WITHHELD if newest.withheld else LabState.GRADED


@dataclass(frozen=True)
class LabRow:
    """One lab of a course as its student sees it."""

    name: str
    title: str
    minutes: int
    profile: str
    due_at: datetime | None
    state: LabState
    score: float | None
    max_score: float
    closing_soon: bool

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def style(self) -> str:
        return STYLES[self.state]

    @property
    def done(self) -> bool:
        return self.state not in (LabState.TO_DO, LabState.MISSED)


def lab_row(
    assignment: Assignment,
    newest: Standing | None,
    language: str,
    now: datetime,
    limits: Deadline | None = None,
) -> LabRow:
    """One lab as it stands for whoever these limits are for; None for those of everyone."""
    limits = limits or deadline(assignment.due_at, late_policy(assignment))
    state = lab_state(newest, limits.closes_at, now)
    due = limits.due_at
    return LabRow(
        name=assignment.name,
        title=assignment.title(language),
        minutes=assignment.minutes,
        profile=assignment.profile,
        due_at=due,
        state=state,
        score=newest.score if newest else None,
        max_score=newest.max_score if newest and newest.max_score else assignment.max_score,
        closing_soon=due is not None and state is LabState.TO_DO and now < due < now + SOON,
    )


def points(value: float | None) -> str:
    """Points without needless digits: ``8``, ``7.5``, and a dash for none."""
    return "–" if value is None else f"{round(value, 2):g}"


def percent(score: float | None, max_score: float | None) -> int | None:
    """Whole percent of the points, None without a score or points to get."""
    if score is None or not max_score:
        return None
    return round(100 * score / max_score)


def distribution(percents: list[int], bins: int = 10) -> list[int]:
    """How many scores lie in each of `bins` equal steps; 100 % counts in the last.

    Examples
    --------
    >>> distribution([0, 55, 59, 100], bins=10)
    [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    """
    counts = [0] * bins
    for value in percents:
        counts[min(max(value, 0) * bins // 100, bins - 1)] += 1
    return counts
