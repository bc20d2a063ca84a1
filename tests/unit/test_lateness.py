"""Deadlines and penalties: the decisions as tables, and how a moment is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ulab_core.models import LatePer, LateRule, LateUnit
from ulab_coursework.lateness import (
    Deadline,
    LatePolicy,
    Timing,
    deadline,
    less_penalty,
    penalty,
    shown,
    timing,
)

DUE = datetime(2026, 9, 1, 15, 59, 59, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
TAKEN = LatePolicy(LateRule.FREE)


@pytest.mark.parametrize(
    ("after", "decided"),
    [
        (-SECOND, Timing.IN_TIME),
        (timedelta(0), Timing.IN_TIME),
        (timedelta(microseconds=1), Timing.LATE),
        (2 * DAY, Timing.LATE),
        (2 * DAY + timedelta(microseconds=1), Timing.TOO_LATE),
    ],
)
def test_the_deadline_itself_is_in_time(after: timedelta, decided: Timing) -> None:
    assert timing(DUE + after, Deadline(DUE, DUE + 2 * DAY)) is decided


@pytest.mark.parametrize(
    ("due", "closes", "late_rule", "extensions", "expected"),
    [
        (None, None, LateRule.REFUSED, [], Deadline(None, None)),
        (None, 3 * DAY, LateRule.FREE, [DAY], Deadline(None, DUE + 3 * DAY)),
        (DAY, None, LateRule.REFUSED, [], Deadline(DUE + DAY, DUE + DAY)),
        (DAY, 3 * DAY, LateRule.REFUSED, [2 * DAY], Deadline(DUE + 2 * DAY, DUE + 2 * DAY)),
        (DAY, None, LateRule.STEP, [], Deadline(DUE + DAY, None)),
        (DAY, 3 * DAY, LateRule.STEP, [], Deadline(DUE + DAY, DUE + 3 * DAY)),
        # Who has more time may be late for as long as everyone.
        (DAY, 3 * DAY, LateRule.STEP, [5 * DAY], Deadline(DUE + 5 * DAY, DUE + 7 * DAY)),
        # The class's deadline moved past the extension.
        (4 * DAY, 6 * DAY, LateRule.FREE, [2 * DAY], Deadline(DUE + 4 * DAY, DUE + 6 * DAY)),
        # Moved past the moment that nothing is taken after.
        (4 * DAY, 2 * DAY, LateRule.FREE, [], Deadline(DUE + 4 * DAY, DUE + 4 * DAY)),
        # The longest extension of a group's members is the group's.
        (DAY, None, LateRule.FREE, [2 * DAY, 3 * DAY], Deadline(DUE + 3 * DAY, None)),
    ],
)
def test_whose_deadline_it_is(
    due: timedelta | None,
    closes: timedelta | None,
    late_rule: LateRule,
    extensions: list[timedelta],
    expected: Deadline,
) -> None:
    policy = LatePolicy(late_rule, closes_at=None if closes is None else DUE + closes)
    given = None if due is None else DUE + due
    assert deadline(given, policy, [DUE + one for one in extensions]) == expected


def _policy(rule: str, amount: float, unit: str, per: str, cap: float | None) -> LatePolicy:
    return LatePolicy(LateRule(rule), amount, LateUnit(unit), LatePer(per), cap)


@pytest.mark.parametrize(
    ("policy", "late_by", "expected"),
    [
        (_policy("step", 10, "percent", "day", None), timedelta(0), 0),
        (_policy("step", 10, "percent", "day", None), -DAY, 0),
        (_policy("step", 10, "percent", "day", None), SECOND, 2),
        (_policy("step", 10, "percent", "day", None), DAY, 2),
        (_policy("step", 10, "percent", "day", None), DAY + SECOND, 4),
        (_policy("step", 10, "percent", "day", None), 30 * DAY, 20),
        (_policy("step", 10, "percent", "day", 50), 30 * DAY, 10),
        (_policy("step", 3, "points", "day", None), 2 * DAY, 6),
        (_policy("step", 3, "points", "hour", None), HOUR + SECOND, 6),
        (_policy("step", 3, "points", "hour", 20), HOUR + SECOND, 4),
        (_policy("linear", 10, "percent", "day", None), DAY / 2, 1),
        (_policy("linear", 10, "percent", "hour", None), 90 * timedelta(minutes=1), 3),
        (_policy("linear", 4, "points", "day", None), DAY / 4, 1),
        (_policy("linear", 4, "points", "day", None), 90 * DAY, 20),
        (_policy("linear", 4, "points", "day", 0), 90 * DAY, 0),
        (_policy("free", 4, "points", "day", None), 90 * DAY, 0),
        # Taken before the rule was changed: not punished for that.
        (_policy("refused", 4, "points", "day", None), DAY, 0),
    ],
)
def test_what_being_late_costs_of_20_points(
    policy: LatePolicy, late_by: timedelta, expected: float
) -> None:
    assert penalty(DUE + late_by, DUE, policy, 20) == pytest.approx(expected)


def test_without_a_deadline_nothing_is_late() -> None:
    policy = _policy("step", 10, "percent", "day", None)
    assert penalty(DUE, None, policy, 20) == 0
    assert timing(DUE, Deadline(None, None)) is Timing.IN_TIME


@pytest.mark.parametrize(
    ("points", "taken", "left"), [(8, 0, 8), (8, 3, 5), (8, 9, 0), (0, 1, 0), (-1, 1, -1)]
)
def test_a_penalty_takes_no_more_than_there_is(points: float, taken: float, left: float) -> None:
    assert less_penalty(points, taken) == left


def test_zones_are_compared_as_moments() -> None:
    beijing = datetime(2026, 9, 1, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert timing(beijing, Deadline(DUE, DUE)) is Timing.IN_TIME


def test_a_day_is_24_hours_where_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    due = datetime(2026, 10, 24, 23, 59, tzinfo=berlin)
    same_clock_a_day_later = datetime(2026, 10, 25, 23, 59, tzinfo=berlin)
    policy = _policy("step", 1, "points", "day", None)
    assert penalty(same_clock_a_day_later.astimezone(UTC), due.astimezone(UTC), policy, 20) == 2


def test_a_moment_is_shown_in_the_sites_zone() -> None:
    assert shown(DUE, ZoneInfo("Asia/Shanghai")) == "2026-09-01 23:59"
