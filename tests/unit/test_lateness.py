"""Deadlines: the decision and how it is shown."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ulab_coursework.lateness import Timing, shown, timing

DUE = datetime(2026, 9, 1, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "decided"),
    [
        (timedelta(seconds=-1), Timing.IN_TIME),
        (timedelta(0), Timing.IN_TIME),
        (timedelta(microseconds=1), Timing.TOO_LATE),
    ],
)
def test_the_deadline_itself_is_in_time(after: timedelta, decided: Timing) -> None:
    assert timing(DUE + after, DUE) is decided


def test_without_a_deadline_everything_is_in_time() -> None:
    assert timing(DUE, None) is Timing.IN_TIME


def test_zones_are_compared_as_moments() -> None:
    beijing = datetime(2026, 9, 1, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert timing(beijing, DUE) is Timing.IN_TIME


def test_a_moment_is_shown_in_the_sites_zone() -> None:
    assert shown(DUE, ZoneInfo("Asia/Shanghai")) == "2026-09-01 23:59"
