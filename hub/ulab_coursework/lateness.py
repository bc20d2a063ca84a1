"""Whether a submission still counts: a decision from two moments, nothing else."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Timing(StrEnum):
    IN_TIME = "in_time"
    TOO_LATE = "too_late"


def timing(received_at: datetime, due_at: datetime | None) -> Timing:
    """Compare the server's clock with the deadline; the deadline itself is still in time.

    Parameters
    ----------
    received_at
        When the whole notebook had arrived, by the server's clock, with a zone.
    due_at
        The deadline with a zone, or None for none.
    """
    if due_at is None or received_at <= due_at:
        return Timing.IN_TIME
    return Timing.TOO_LATE


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as people of the site read it, such as ``2026-09-01 23:59``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
