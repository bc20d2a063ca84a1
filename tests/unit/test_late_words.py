"""What the portal says of late work, as tables of cases: words, the curve, the form's fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ulab_core.models import Assignment, Counts, LatePer, LateRule, LateUnit
from ulab_coursework.lateness import Deadline, LatePolicy
from ulab_portal.late_curve import HEIGHT, WIDTH, curve
from ulab_portal.late_words import HandedIn, rules, verdict
from ulab_portal.policy_form import Fields, changes, read

DUE = datetime(2026, 9, 1, 15, 59, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")


def lab(**policies: Any) -> Assignment:
    known = {
        **{"due_at": DUE, "closes_at": None, "late_rule": LateRule.STEP, "late_amount": 10.0},
        **{"late_unit": LateUnit.PERCENT, "late_per": LatePer.DAY, "late_cap": None},
        **{"attempts": None, "cooldown_minutes": 0, "counts": Counts.LAST, "max_score": 5},
    }
    return Assignment(**(known | policies))


def day(moment: datetime) -> str:
    return f"{moment.day}."


@pytest.mark.parametrize(
    ("policies", "limits", "said"),
    [
        ({"due_at": None}, (None, None), ()),
        ({"late_rule": LateRule.REFUSED}, (DUE, DUE), ("After the deadline nothing is taken.",)),
        (
            {"late_rule": LateRule.FREE},
            (DUE, None),
            ("You may also hand in after the deadline.", "That costs no points."),
        ),
        (
            {"late_cap": 50.0},
            (DUE + DAY, DUE + 3 * DAY),
            (
                "You were given more time: until 2..",
                "You may also hand in late, until 4..",
                "Each started day costs 10% of the points.",
                "It never costs more than 50% of the points.",
            ),
        ),
        (
            {
                **{"late_rule": LateRule.LINEAR, "late_unit": LateUnit.POINTS},
                **{"late_per": LatePer.HOUR, "late_amount": 0.5},
            },
            (DUE, None),
            (
                "You may also hand in after the deadline.",
                "An hour costs 0.5 points, and a part of an hour its part of them.",
            ),
        ),
    ],
)
def test_what_a_student_reads_of_the_rules(
    policies: dict[str, Any], limits: tuple[Any, Any], said: tuple[str, ...]
) -> None:
    assert rules(lab(**policies), Deadline(*limits), "en", day) == said


@pytest.mark.parametrize(
    ("late", "extended", "taken", "score", "counts", "count", "said"),
    [
        (-DAY, None, 0, 5, True, 1, ()),
        (-DAY, None, 0, 5, True, 2, ("This is the submission that counts: your last one.",)),
        (DAY, None, 0, 5, True, 1, ("It came after the deadline; that costs nothing.",)),
        (
            DAY,
            None,
            0.5,
            4.5,
            False,
            2,
            (
                "It came after the deadline, 1.. Points taken off: 0.5. Left: 4.5 of 5.",
                "This submission does not count: you handed in a later one.",
            ),
        ),
        # Withheld: not a word of points.
        (DAY, None, 0.5, None, True, 1, ()),
        (DAY, 2 * DAY, 0, 5, True, 1, ("It came in time: you were given until 3..",)),
    ],
)
def test_what_a_student_reads_of_one_submission(
    late: timedelta,
    extended: timedelta | None,
    taken: float,
    score: float | None,
    counts: bool,
    count: int,
    said: tuple[str, ...],
) -> None:
    due_at = DUE + (extended or timedelta())
    found = HandedIn(DUE + late, taken, score, 5, counts, count)
    assert verdict(found, lab(), Deadline(due_at, None), "en", day) == said


@pytest.mark.parametrize(
    ("policy", "due_at", "units", "places", "closes"),
    [
        (LatePolicy(), DUE, None, None, None),
        (LatePolicy(LateRule.FREE), None, None, None, None),
        (LatePolicy(LateRule.FREE, closes_at=DUE), DUE, None, None, None),
        (LatePolicy(LateRule.FREE), DUE, 7, ((1, 10), (2, 10), (3, 10), (5, 10), (7, 10)), False),
        (LatePolicy(LateRule.STEP, 20, cap=50), DUE, 4, ((1, 8), (2, 6), (3, 5)), False),
        (LatePolicy(LateRule.LINEAR, 60, closes_at=DUE + DAY), DUE, 1, ((1, 4),), True),
        (
            LatePolicy(LateRule.STEP, 4, LateUnit.POINTS, LatePer.HOUR),
            DUE,
            4,
            ((1, 6), (2, 2), (3, 0)),
            False,
        ),
    ],
)
def test_the_curve_says_what_is_left(
    policy: LatePolicy, due_at: datetime | None, units: Any, places: Any, closes: Any
) -> None:
    found = curve(policy, due_at, 10)
    if units is None:
        assert found is None
        return
    assert found is not None
    assert (found.units, found.places, found.closes) == (units, places, closes)
    points = [tuple(map(float, point.split(","))) for point in found.line.split()]
    assert points[0] == (0, 0)
    assert points[-1][0] == WIDTH
    assert all(0 <= y <= HEIGHT for _, y in points)
    assert [y for _, y in points] == sorted(y for _, y in points), "points only go down"


def test_a_lab_without_points_has_a_curve_too() -> None:
    assert curve(LatePolicy(LateRule.STEP, 10), DUE, 0) is not None


def test_all_that_is_wrong_is_said_at_once() -> None:
    typed = Fields(due_at="x", late_amount="y", attempts="0", counts="w", late_cap="101")
    wrong = {"due_at", "late_amount", "attempts", "counts", "late_cap"}
    assert set(read(typed, ZONE).problems) == wrong


def test_what_was_not_changed_is_no_change() -> None:
    found = lab(due_at=DUE + timedelta(seconds=30))
    typed = Fields(due_at="2026-09-01T23:59", late_rule="step", late_amount="10")
    assert changes(found, read(typed, ZONE).values, ZONE) == {}
    typed.late_cap = "50"
    assert changes(found, read(typed, ZONE).values, ZONE) == {"late_cap": 50.0}
