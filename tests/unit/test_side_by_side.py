"""The histogram of similarities and the lines of a pair, as data for a page."""

from __future__ import annotations

import pytest

from ulab_coursework.ownwork import OwnCell
from ulab_portal.side_by_side import HEIGHT, bars, questions, visible


@pytest.mark.parametrize(
    ("similarities", "expected"),
    [
        ([], [0] * 10),
        ([0.0, 0.05, 0.1], [2, 1] + [0] * 8),
        ([0.99, 1.0], [0] * 9 + [2]),
    ],
)
def test_every_pair_is_in_one_bar(similarities: list[float], expected: list[int]) -> None:
    found = bars(similarities)
    assert [bar.pairs for bar in found] == expected
    assert max(bar.height for bar in found) == pytest.approx(HEIGHT if similarities else 0)


def test_lines_are_numbered_through_all_cells_and_added_cells_come_last() -> None:
    left = [OwnCell("", "mine"), OwnCell("one", "a\nb")]
    right = [OwnCell("one", "b"), OwnCell("two", "c")]
    found = questions((left, right), ([2], [0]))
    assert [each.name for each in found] == ["one", "two", ""]
    first, second = found[0].sides
    assert [(line.number, line.text, line.alike) for line in first] == [
        (2, "a", False),
        (3, "b", True),
    ]
    assert [(line.number, line.alike) for line in second] == [(1, True)]
    assert found[1].sides[0] == []


def test_characters_that_reorder_are_written_out() -> None:
    assert visible("a\u202eb 中文") == "a[U+202E]b 中文"
