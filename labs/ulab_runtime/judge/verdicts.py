"""What the judge finds about one question, and the points that gives."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """How a question ended. The last four are the controller's words, the others the judge's."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    UNDECIDED = "undecided"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DIED = "died"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Verdict:
    """What was found about one question.

    Attributes
    ----------
    question
        The grade id of its test cell.
    value
        Points, for partial credit alone.
    reason
        Why it isn't passed, as ``ErrorType: message``.
    student_traceback
        The lines of the student's own code where it failed.
    seconds
        How long the test ran.
    """

    question: str
    kind: Kind
    value: float | None = None
    reason: str = ""
    student_traceback: tuple[str, ...] = ()
    seconds: float = 0.0


def points(verdict: Verdict, max_points: float) -> float | None:
    """The points a verdict gives; None when a person decides."""
    if verdict.kind is Kind.UNDECIDED:
        return None
    if verdict.kind is Kind.PASSED:
        return max_points
    if verdict.kind is Kind.PARTIAL and verdict.value is not None:
        return min(max(verdict.value, 0.0), max_points)
    return 0.0
