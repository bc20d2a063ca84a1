"""What the judge says of each question, and the points that it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a question ended."""

    PASSED = "passed"
    PARTIAL = "partial"
    """The test gave a number of points itself."""
    FAILED = "failed"
    UNDECIDED = "undecided"
    """The test asks for what can't be done, which is its author's fault: a person decides."""
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DIED = "died"
    """The student process ended."""
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Verdict:
    """What came of one question.

    Parameters
    ----------
    question
        The test cell's ``grade_id``.
    kind
        How it ended.
    value
        The points that the test gave, of a partial verdict alone; not yet held within bounds.
    reason
        Why it isn't passed: the error's type and message. Empty when there is none.
    student_traceback
        Lines of the student's own code that an error came through; nothing of the test's.
    seconds
        How long the test ran.
    test_lines
        The lines of the test at which it ended, outermost first: for its author alone.
    hint
        What may have made it fail that would pass in a plain notebook: for its author alone.
    """

    question: str
    kind: Kind
    value: float | None = None
    reason: str = ""
    student_traceback: tuple[str, ...] = ()
    seconds: float = 0.0
    test_lines: tuple[int, ...] = ()
    hint: str = ""


def points(verdict: Verdict, max_points: float) -> float | None:
    """The points that a verdict is worth, from 0 to `max_points`; None when a person decides."""
    if verdict.kind is Kind.PASSED:
        return max_points
    if verdict.kind is Kind.UNDECIDED:
        return None
    if verdict.kind is Kind.PARTIAL:
        value = verdict.value
        if value is None or not math.isfinite(value):
            return None
        return min(max(value, 0.0), max_points)
    return 0.0
