"""How often one may hand in, and which submission counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ulab_core.models import Counts
from ulab_coursework.attempts import Attempt, Room, counting, room

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("minutes_ago", "limit", "cooldown", "expected"),
    [
        ([], None, 0, Room(None, None)),
        ([], 3, 10, Room(3, None)),
        ([60, 5], 3, 0, Room(1, None)),
        ([60, 30, 5], 3, 0, Room(0, None)),
        # The limit was lowered after four were taken.
        ([60, 30, 20, 5], 3, 0, Room(0, None)),
        ([60, 5], None, 10, Room(None, NOW + 5 * MINUTE)),
        ([60, 5], 3, 10, Room(1, NOW + 5 * MINUTE)),
        ([10], 3, 10, Room(2, None)),
        # None is left: waiting would not help, so nothing is said of it.
        ([5], 1, 10, Room(0, None)),
    ],
)
def test_what_is_left(
    minutes_ago: list[int], limit: int | None, cooldown: int, expected: Room
) -> None:
    found = room([NOW - ago * MINUTE for ago in minutes_ago], limit, cooldown, NOW)
    assert found == expected
    assert found.open is (expected.left != 0 and expected.next_at is None)


def _attempts(*scores: float | None) -> list[Attempt]:
    return [Attempt(f"s{n}", NOW + n * MINUTE, score) for n, score in enumerate(scores)]


@pytest.mark.parametrize(
    ("scores", "rule", "expected"),
    [
        ((), Counts.LAST, None),
        ((), Counts.BEST, None),
        ((8, 3), Counts.LAST, "s1"),
        ((8, None), Counts.LAST, "s1"),
        ((8, 3), Counts.BEST, "s0"),
        ((8, 3, None), Counts.BEST, "s0"),
        ((8, 8), Counts.BEST, "s1"),
        ((None, None), Counts.BEST, "s1"),
        ((None, 0), Counts.BEST, "s1"),
        ((0, None), Counts.BEST, "s0"),
    ],
)
def test_which_one_counts(
    scores: tuple[float | None, ...], rule: Counts, expected: str | None
) -> None:
    attempts = _attempts(*scores)
    found = counting(attempts, rule)
    assert (found.id if found else None) == expected
    assert counting(attempts[::-1], rule) == found, "the order they come in does not matter"


def test_of_two_at_the_same_moment_one_is_chosen_always() -> None:
    twins = [Attempt("a", NOW, None), Attempt("b", NOW, None)]
    assert counting(twins, Counts.LAST) == counting(twins[::-1], Counts.LAST)
