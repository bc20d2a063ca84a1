"""What may go wrong when a value crosses between judge and student, and how much may cross."""

from __future__ import annotations

from ulab_core.errors import UserError

DEPTH_LIMIT = 100
INTEGER_BYTES = 128 * 1024


class CannotCross(UserError):
    """The judge was asked to give the student what can't be sent: its test's author's fault."""


class NotPlain(UserError):
    """The student's code gave an object where only a plain value may be asked this."""


class Forged(Exception):
    """The student process answered what no honest one would."""
