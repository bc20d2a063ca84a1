"""What a lab's tests mark so that the judge knows where it is to run."""

from __future__ import annotations

from typing import TypeVar

Helper = TypeVar("Helper")


def at_student(helper: Helper) -> Helper:
    """Mark a test's helper as one that runs beside the student's code when it is graded.

    Needed for what hands a model, an optimizer or a callback to the student's function. The
    student's code can see the helper's text, so it must hold no expected values. Anywhere else
    than in the judge it changes nothing.
    """
    return helper
