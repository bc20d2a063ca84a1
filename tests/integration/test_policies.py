"""Policies through the whole base: what is taken, what counts, and what a regrade moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import nbformat
import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    Base,
    answer,
    grade_all,
    hand_in,
    newest,
    set_deadline,
)
from nbgrader.api import Gradebook
from sqlalchemy import func, select

from ulab_core.models import AuditEntry, Counts, LateRule, Submission, utc_now
from ulab_coursework import gradebook
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courses import find_assignment
from ulab_coursework.policies import BadPolicy, extend, set_policy
from ulab_coursework.regrade_report import last_report
from ulab_coursework.regrading import follow, grade_again
from ulab_coursework.taking import AfterDeadline, NoAttempt

HOUR = timedelta(hours=1)


def policy(base: Base, **wanted: Any) -> None:
    with base.db.write() as session:
        set_policy(session, COURSE, LAB, wanted, "carol")


def give(base: Base, due_at: datetime | None, person: str = "alice") -> None:
    with base.db.write() as session:
        extend(session, COURSE, LAB, person, due_at, "ill", "carol")


def points(base: Base, person: str = "alice") -> float:
    with base.db.read() as session:
        found = gradebook.score_of(base.layout, session, COURSE, person, LAB)
        table = gradebook.class_scores(base.layout, session, COURSE)
    assert found is not None
    [row] = [row for row in table.rows if row.person == person]
    assert row.scores[LAB].points == found.points, "the class page and the CSV say the same"
    return found.points


def test_a_moved_deadline_and_an_extension_are_right_at_once(base: Base) -> None:
    set_deadline(base, utc_now() - HOUR)
    policy(base, late_rule=LateRule.STEP, late_amount=20.0)
    hand_in(base, answer())
    grade_all(base)
    assert points(base) == newest(base).score == 4
    policy(base, due_at=utc_now() - 25 * HOUR)
    assert points(base) == newest(base).score == 3
    policy(base, late_cap=10.0)
    assert points(base) == newest(base).score == 4.5
    give(base, utc_now() + HOUR)
    assert points(base) == newest(base).score == 5
    give(base, None)
    assert points(base) == 4.5
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as book:
        assert book.find_submission(LAB, "alice").score == 5, "the gradebook keeps raw points"
    with base.db.read() as session:
        given = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "assignment.extend")
        ).all()
    assert [(one.actor, one.detail["reason"]) for one in given] == [("carol", "ill")] * 2


def test_only_who_has_more_time_hands_in_after_the_deadline(base: Base) -> None:
    set_deadline(base, utc_now() - HOUR)
    give(base, utc_now() + HOUR)
    assert hand_in(base, answer()).attempts_left is None
    with pytest.raises(AfterDeadline):
        hand_in(base, answer(), "bob")
    with pytest.raises(BadPolicy, match="no student"):
        give(base, utc_now(), "carol")


def test_late_ones_are_taken_until_the_closing(base: Base) -> None:
    set_deadline(base, utc_now() - 2 * HOUR)
    policy(base, late_rule=LateRule.FREE, closes_at=utc_now() + HOUR)
    hand_in(base, answer())
    policy(base, closes_at=utc_now() - HOUR)
    with pytest.raises(AfterDeadline):
        hand_in(base, answer("return 1"))


def test_attempts_and_cooldown_are_refused_before_anything_is_stored(base: Base) -> None:
    policy(base, attempts=2, cooldown_minutes=10)
    assert hand_in(base, answer("return 1")).attempts_left == 1
    with pytest.raises(NoAttempt, match="10 minutes"):
        hand_in(base, answer("return 2"))
    assert hand_in(base, answer("return 1")).again, "the same bytes are no attempt"
    policy(base, cooldown_minutes=0)
    assert hand_in(base, answer("return 2")).attempts_left == 0
    with pytest.raises(NoAttempt, match="All 2 attempts"):
        hand_in(base, answer("return 3"))
    with base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 2
    stored = list(base.layout.submission_file("0" * 64).parent.parent.rglob("*"))
    assert sum(path.is_file() for path in stored) == 2
    with pytest.raises(BadPolicy):
        policy(base, attempts=0)


def test_the_best_counts_and_the_gradebook_follows(base: Base) -> None:
    policy(base, counts=Counts.BEST)
    hand_in(base, answer())
    hand_in(base, answer("return 3"))
    grade_all(base)
    assert (points(base), newest(base).score, newest(base).counts) == (5, 2, False)
    policy(base, counts=Counts.LAST)
    assert points(base) == 2, "at once, before the gradebook has it"
    assert follow(base.db, base.layout, COURSE, LAB) == 1
    grade_all(base)
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as book:
        assert book.find_submission(LAB, "alice").score == 2


def test_a_regrade_says_whose_score_moved_where_and_why(base: Base) -> None:
    hand_in(base, answer())
    hand_in(base, answer("return 3"), "bob")
    grade_all(base)
    lab = base.layout.curriculum_version("sums-foundations", "1") / "labs" / LAB
    source = lab / "source" / f"{LAB}.ipynb"
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("== 3,", "== 4,")
    nbformat.write(notebook, source)
    set_deadline(base, datetime(2999, 1, 1, tzinfo=UTC))
    assert grade_again(base.db, COURSE, LAB, "carol") == 2
    with base.db.read() as session:
        target = find_assignment(session, COURSE, LAB)
        assert [one.waits for one in last_report(session, target)] == [True, True]
    grade_all(base)
    with base.db.read() as session:
        found = {
            one.person: one for one in last_report(session, find_assignment(session, COURSE, LAB))
        }
    assert (found["alice"].before, found["alice"].after) == (5, 3)
    [move] = found["alice"].moves
    assert (move.question, move.before, move.after) == ("sums-visible", 2, 0)
    assert (move.reason_before, "AssertionError" in move.reason_after) == ("", True)
    assert found["bob"].after == 0
