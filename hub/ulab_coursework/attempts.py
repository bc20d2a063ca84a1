"""How often one may hand in, and which of several submissions counts: pure decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ulab_core.models import Counts


@dataclass(frozen=True)
class Room:
    """What is left of the attempts.

    Attributes
    ----------
    left
        How many more are taken; None where there is no limit.
    next_at
        Before when nothing is taken, because the last one is too fresh; None when it isn't.
    """

    left: int | None
    next_at: datetime | None

    @property
    def open(self) -> bool:
        return self.left != 0 and self.next_at is None


def room(
    before: Collection[datetime], limit: int | None, cooldown_minutes: int, now: datetime
) -> Room:
    """What is left after the submissions taken at `before`.

    Parameters
    ----------
    limit
        How many are taken; None for any number. It may have been lowered since.
    cooldown_minutes
        How long to wait after one; 0 for not at all.
    """
    left = None if limit is None else max(limit - len(before), 0)
    if left == 0 or not before or not cooldown_minutes:
        return Room(left, None)
    next_at = max(before) + timedelta(minutes=cooldown_minutes)
    return Room(left, next_at if next_at > now else None)


@dataclass(frozen=True)
class Attempt:
    """One submission among those of a student or group.

    Attributes
    ----------
    score
        Its points less what being late costs; None when it isn't graded.
    """

    id: str
    received_at: datetime
    score: float | None


def counting(attempts: Sequence[Attempt], rule: Counts) -> Attempt | None:
    """The one that counts: the last, or the best of the graded ones and of equals the last.

    While none is graded the last one counts.
    """
    graded = [one for one in attempts if one.score is not None]
    if rule is Counts.BEST and graded:
        return max(graded, key=lambda one: (one.score, one.received_at, one.id))
    return max(attempts, key=lambda one: (one.received_at, one.id), default=None)
