"""What is left of a lab's points over the time that a submission is late, as a plot and a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ulab_core.models import LatePer, LateRule
from ulab_coursework.lateness import LatePolicy, penalty

WIDTH, HEIGHT = 320.0, 120.0
_SAMPLES = 480
_DUE = datetime(2000, 1, 1, tzinfo=UTC)
_UNIT = {LatePer.DAY: timedelta(days=1), LatePer.HOUR: timedelta(hours=1)}
MOST_UNITS = 60


@dataclass(frozen=True)
class Curve:
    """A plot of `WIDTH` × `HEIGHT` and some of its places.

    Attributes
    ----------
    line
        The points of an SVG polyline: full marks are at the top.
    places
        How late, in whole days or hours, and how many points are left then.
    closes
        Whether nothing is taken after the plot's end.
    """

    per: LatePer
    units: float
    line: str
    places: tuple[tuple[int, float], ...]
    closes: bool


def curve(policy: LatePolicy, due_at: datetime | None, max_points: float) -> Curve | None:
    """The points left for perfect work that is late; None where nothing late is taken."""
    if policy.rule is LateRule.REFUSED or due_at is None:
        return None
    unit = _UNIT[policy.per]
    taken_for = policy.closes_at - due_at if policy.closes_at is not None else None
    if taken_for is not None and taken_for <= timedelta():
        return None
    units = min(taken_for / unit if taken_for else _until_flat(policy, max_points), MOST_UNITS)

    def left(late: float) -> float:
        taken = penalty(_DUE + late * unit, _DUE, policy, max_points)
        return max_points - taken

    most = max_points or 1.0
    line = " ".join(
        f"{WIDTH * n / _SAMPLES:.1f},{HEIGHT * (1 - left(units * n / _SAMPLES) / most):.1f}"
        for n in range(_SAMPLES + 1)
    )
    places = [n for n in (1, 2, 3, 5, 7, 14, 30) if n <= units][:5]
    return Curve(
        policy.per,
        units,
        line,
        tuple((n, left(n)) for n in places),
        taken_for is not None,
    )


def _until_flat(policy: LatePolicy, max_points: float) -> float:
    """After how many units nothing more is taken, and a little on; a week when it never is."""
    steps = [penalty(_DUE + n * _UNIT[policy.per], _DUE, policy, max_points) for n in range(61)]
    last = next((n for n, taken in enumerate(steps) if taken == steps[-1]), 0)
    return last + 1.0 if last else 7.0
