"""Whether a submission is taken and what being late costs it: decisions from moments alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from ulab_core.models import LatePer, LateRule, LateUnit

_UNITS = {LatePer.DAY: timedelta(days=1), LatePer.HOUR: timedelta(hours=1)}


class Timing(StrEnum):
    IN_TIME = "in_time"
    LATE = "late"
    """Taken, perhaps for fewer points."""
    TOO_LATE = "too_late"


@dataclass(frozen=True)
class LatePolicy:
    """What an instructor has set for late submissions.

    Attributes
    ----------
    rule
        Whether they are taken, and how the penalty grows.
    amount
        The penalty a day or hour, in `unit`.
    cap
        The most that is taken, in percent of the points there are; None for all of them.
    closes_at
        When late submissions are no longer taken either; None for never.
    """

    rule: LateRule = LateRule.REFUSED
    amount: float = 0.0
    unit: LateUnit = LateUnit.PERCENT
    per: LatePer = LatePer.DAY
    cap: float | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Deadline:
    """When one student's, or group's, work is due and until when it is taken."""

    due_at: datetime | None
    closes_at: datetime | None


def deadline(
    due_at: datetime | None, policy: LatePolicy, extensions: Iterable[datetime] = ()
) -> Deadline:
    """The deadline that holds for whoever has these extensions.

    An extension never takes time away, and who has one is given as long to be late in as everyone.
    The extension of one member is the whole group's.
    """
    if due_at is None:
        return Deadline(None, policy.closes_at)
    own = max([due_at, *extensions])
    if policy.rule is LateRule.REFUSED:
        return Deadline(own, own)
    if policy.closes_at is None:
        return Deadline(own, None)
    return Deadline(own, max(own, policy.closes_at + (own - due_at)))


def timing(received_at: datetime, limits: Deadline) -> Timing:
    """Compare the server's clock with the deadline; the deadline itself is still in time.

    Parameters
    ----------
    received_at
        When the whole notebook had arrived, by the server's clock, with a zone.
    """
    if limits.closes_at is not None and received_at > limits.closes_at:
        return Timing.TOO_LATE
    if limits.due_at is not None and received_at > limits.due_at:
        return Timing.LATE
    return Timing.IN_TIME


def penalty(
    received_at: datetime, due_at: datetime | None, policy: LatePolicy, max_points: float
) -> float:
    """The points that being late costs, never more than there are.

    A submission that came when more time was given than now may be later than is taken today; it
    costs what being so late costs, or nothing where nothing late is taken.
    """
    if due_at is None or received_at <= due_at:
        return 0.0
    units = (received_at - due_at) / _UNITS[policy.per]
    match policy.rule:
        case LateRule.STEP:
            units = math.ceil(units)
        case LateRule.LINEAR:
            pass
        case _:
            return 0.0
    each = policy.amount
    if policy.unit is LateUnit.PERCENT:
        each *= max_points / 100
    most = max_points if policy.cap is None else max_points * policy.cap / 100
    return min(units * each, most, max_points)


def less_penalty(points: float, taken: float) -> float:
    """What is left of points, never less than none; points that are negative stay as they are."""
    return max(points - taken, min(points, 0.0))


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as people of the site read it, such as ``2026-09-01 23:59``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
