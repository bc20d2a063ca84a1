"""The mark of a test's helper that runs beside the student's code."""

from __future__ import annotations

from typing import TypeVar

Helper = TypeVar("Helper")


def at_student(helper: Helper) -> Helper:
    """Mark a function or class of a test that the judge is to run in the student's process.

    For what can't be handed to a student's function from outside: a model, an optimizer, a
    function to call. In a notebook it changes nothing. What the helper is given and what it returns
    are data; what is expected stays out of it, for the student's process sees its text.

    Examples
    --------
    >>> @at_student
    ... def applied(x):
    ...     return [value + 1 for value in x]
    >>> applied([1, 2])
    [2, 3]
    """
    return helper
