"""The error a notebook shows: what is wrong, and what to do."""

from __future__ import annotations


class ULabError(Exception):
    """Something the student, or the instructor for them, can mend."""
