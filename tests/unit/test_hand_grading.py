"""Why an answer waits for a person, and what the overview makes of it."""

from __future__ import annotations

import pytest

from ulab_coursework.hand_grading import Reason, Waiting, reason_of
from ulab_portal.hand_pages import by_question


@pytest.mark.parametrize(
    ("auto", "manual", "open_question", "empty", "reason"),
    [
        (None, None, True, False, Reason.ANSWER),
        (None, None, True, True, Reason.EMPTY),
        (None, None, False, False, Reason.UNDECIDED),
        (None, 3.0, True, False, Reason.AGAIN),
        (None, 0.0, True, True, Reason.AGAIN),
        (2.0, 3.0, False, False, Reason.AGAIN),
    ],
)
def test_why_it_waits(
    auto: float | None, manual: float | None, open_question: bool, empty: bool, reason: Reason
) -> None:
    assert reason_of(auto, manual, open_question=open_question, empty=empty) is reason


def test_questions_stand_in_the_labs_order_and_who_left_is_not_there() -> None:
    found = [
        Waiting("lab", "alice", "gone", Reason.ANSWER, "n1", "g1"),
        Waiting("lab", "alice", "why", Reason.EMPTY, "n1", "g2"),
        Waiting("lab", "_group-1", "why", Reason.ANSWER, "n2", "g3"),
        Waiting("lab", "left", "what", Reason.ANSWER, "n3", "g4"),
    ]
    titles = {"what": "What?", "why": "Why?"}
    called = {"alice": ["Alice"], "_group-1": ["Bob", "Erin"]}
    first, last = by_question(found, titles, called, "carol", "c")
    assert (first.title, last.title) == ("Why?", "gone")
    assert [one.called for one in first.answers] == ["Alice", "Bob, Erin"]
    assert first.reasons == {Reason.ANSWER: 1, Reason.EMPTY: 1}
    assert list(first.reasons) == [Reason.ANSWER, Reason.EMPTY]
    assert first.answers[0].address.endswith("formgrader%2Fsubmissions%2Fn1%23why")
