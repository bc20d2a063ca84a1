"""Forming groups: who may join and leave as a table, and what a file of groups changes."""

from __future__ import annotations

from typing import Any

import pytest

from ulab_coursework.csv_rows import BadFile
from ulab_coursework.grouping import (
    CODE_LENGTH,
    Move,
    Placed,
    Refused,
    Situation,
    clean_name,
    new_code,
    parse_groups,
    plan,
    why_not_join,
    why_not_leave,
)


def situation(**other: Any) -> Situation:
    return Situation(**{"size": 3, "offered": True, **other})


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (situation(), None),
        (situation(members=2), None),
        (situation(members=3), Refused.FULL),
        # The instructor made the limit smaller.
        (situation(members=4), Refused.FULL),
        (situation(size=None), Refused.NOT_OFFERED),
        (situation(offered=False), Refused.NOT_OFFERED),
        (situation(open=False), Refused.CLOSED),
        (situation(grouped=True, members=1), Refused.IN_ONE),
        # Fresh attempts, or a score without work, are the instructor's to give.
        (situation(handed_in_alone=True), Refused.HANDED_IN_ALONE),
        (situation(members=1, handed_in=True), Refused.GROUP_HANDED_IN),
    ],
)
def test_who_may_join(now: Situation, expected: Refused | None) -> None:
    assert why_not_join(now) is expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (situation(grouped=True, members=2), None),
        (situation(grouped=True, members=1), None),
        # What they did before they joined is theirs; it does not keep them.
        (situation(grouped=True, members=2, handed_in_alone=True), None),
        (situation(), Refused.IN_NONE),
        (situation(grouped=True, members=2, handed_in=True), Refused.GROUP_HANDED_IN),
        (situation(grouped=True, members=2, open=False), Refused.CLOSED),
        (situation(grouped=True, members=2, offered=False), Refused.NOT_OFFERED),
    ],
)
def test_who_may_leave(now: Situation, expected: Refused | None) -> None:
    assert why_not_leave(now) is expected


GROUPS = {"ann": "A", "bea": "A", "cui": "B", "dan": ""}


@pytest.mark.parametrize(
    ("rows", "moves"),
    [
        ([], []),
        ([Placed(2, "ann", "A")], []),
        ([Placed(2, "dan", "B")], [Move("dan", "", "B")]),
        ([Placed(2, "dan", "new  one")], [Move("dan", "", "new one")]),
        ([Placed(2, "ann", "")], [Move("ann", "A", "")]),
        # Full only while someone still has to go.
        (
            [Placed(2, "dan", "A"), Placed(3, "ann", "B")],
            [Move("ann", "A", "B"), Move("dan", "", "A")],
        ),
    ],
)
def test_only_who_stands_in_the_file_moves(rows: list[Placed], moves: list[Move]) -> None:
    assert plan(rows, GROUPS, 2) == moves


def test_every_bad_line_is_named_and_nothing_is_planned() -> None:
    rows = [
        Placed(2, "dan", "A"),
        Placed(3, "eve", "A"),
        Placed(4, "cui", "x" * 41),
        Placed(5, "dan", "B"),
        Placed(6, "", "B"),
    ]
    with pytest.raises(BadFile) as caught:
        plan(rows, GROUPS, 2)
    assert [one.sentence() for one in caught.value.problems] == [
        "Line 2: the group A would have 3 members; 2 is the most.",
        "Line 3: eve is no student of this course.",
        "Line 4: a group's name has 40 characters at most.",
        "Line 5: dan stands on line 2 already.",
        "Line 6: the name is missing.",
    ]


def test_a_group_that_is_too_large_by_now_may_stay_or_shrink() -> None:
    large = dict.fromkeys(("ann", "bea", "cui", "dan"), "A")
    assert plan([Placed(2, "ann", "A"), Placed(3, "bea", "")], large, 2) == [Move("bea", "A", "")]


@pytest.mark.parametrize(
    "text",
    ["name,group\nAnn,A\n", "账号；小组".replace("；", ";") + "\nann;Ａ\n", "group\tname\nA\tann"],
)
def test_files_are_read_as_spreadsheets_write_them(text: str) -> None:
    assert parse_groups(text.encode()) == [Placed(2, "ann", "A")]
    assert parse_groups(text.encode("gb18030")) == [Placed(2, "ann", "A")]


def test_a_file_without_groups_is_refused() -> None:
    with pytest.raises(BadFile, match="“group”"):
        parse_groups(b"name\nann\n")


@pytest.mark.parametrize(
    ("typed", "name"),
    [("  第 1   组 ", "第 1 组"), ("", ""), ("x" * 40, "x" * 40), ("x" * 41, ""), ("a\0b", "")],
)
def test_names_are_short_and_printable(typed: str, name: str) -> None:
    assert clean_name(typed) == name


def test_codes_are_short_and_none_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("A" * CODE_LENGTH + "B" * CODE_LENGTH)
    monkeypatch.setattr("ulab_coursework.grouping.secrets.choice", lambda _: next(letters))
    assert new_code(["A" * CODE_LENGTH]) == "B" * CODE_LENGTH
