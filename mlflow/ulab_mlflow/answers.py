"""Reads moments and numbers as MLflow writes them in its answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def moment(milliseconds: Any) -> datetime | None:
    """A moment that MLflow writes as milliseconds, or as nothing.

    Examples
    --------
    >>> moment("1000").isoformat()
    '1970-01-01T00:00:01+00:00'
    >>> moment(None) is None
    True
    """
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def number(value: Any) -> float:
    """A metric's value: JSON has no word for what is no number, so MLflow writes it as text.

    Examples
    --------
    >>> number(0.5), number("Infinity"), number(None)
    (0.5, inf, 0.0)
    """
    return float(value) if value is not None else 0.0
