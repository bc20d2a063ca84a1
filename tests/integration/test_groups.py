"""Groups through the whole base: one hands in, all have it, and nobody else."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    Base,
    answer,
    grade_all,
    hand_in,
    make_base,
    newest,
    set_deadline,
)
from nbgrader.api import Gradebook
from sqlalchemy import select

from ulab_core.errors import NotAllowed, NotFound
from ulab_core.models import AuditEntry, Counts, GroupMember, LateRule, Role, utc_now
from ulab_coursework import forming, gradebook, queue, submissions
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courses import enrol, ensure_person, find_assignment, remove
from ulab_coursework.csv_rows import BadFile
from ulab_coursework.feedback import feedback_html
from ulab_coursework.forming import BadGroup, GroupRefused
from ulab_coursework.grouping import Move, parse_groups
from ulab_coursework.groups import groups_of, my_group, to_csv
from ulab_coursework.policies import BadPolicy, extend, set_policy
from ulab_coursework.regrade_report import last_report
from ulab_coursework.regrading import follow, grade_again
from ulab_coursework.standing import class_standing, history
from ulab_coursework.taking import AfterDeadline, NoAttempt

HOUR = timedelta(hours=1)
TEAM = "Team"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    """A base with a fourth student, where up to three form a group themselves."""
    made = make_base(tmp_path, monkeypatch)
    with made.db.write() as session:
        for name in ("erin", "fred"):
            ensure_person(session, name)
            enrol(session, COURSE, name, Role.STUDENT, "carol")
    policy(made, group_size=3, own_groups=True)
    return made


def policy(base: Base, **wanted: Any) -> None:
    with base.db.write() as session:
        set_policy(session, COURSE, LAB, wanted, "carol")


def place(base: Base, text: str) -> list[Move]:
    with base.db.write() as session:
        rows = parse_groups(f"name,group\n{text}".encode())
        moves = forming.place(session, COURSE, LAB, rows, "carol")
    follow(base.db, base.layout, COURSE, LAB)
    return moves


def make(base: Base, person: str, name: str = TEAM) -> str:
    with base.db.write() as session:
        return forming.make(session, COURSE, LAB, person, name, utc_now()).code or ""


def join(base: Base, person: str, code: str) -> None:
    with base.db.write() as session:
        forming.join(session, COURSE, LAB, person, code, utc_now())


def leave(base: Base, person: str) -> None:
    with base.db.write() as session:
        forming.leave(session, COURSE, LAB, person, utc_now())


def members(base: Base) -> dict[str, tuple[str, ...]]:
    with base.db.read() as session:
        found = groups_of(session, find_assignment(session, COURSE, LAB))
    return {one.name: one.people for one in found}


def points(base: Base, person: str) -> float | None:
    with base.db.read() as session:
        found = gradebook.score_of(base.layout, session, COURSE, person, LAB)
        table = gradebook.class_scores(base.layout, session, COURSE)
    [row] = [row for row in table.rows if row.person == person]
    assert row.scores.get(LAB) == found, "the class page and the CSV say the same"
    return found.points if found else None


def past(base: Base, person: str) -> list[str]:
    with base.db.read() as session:
        return [one.id for one in history(session, COURSE, LAB, person)]


def test_one_hands_in_and_all_get_it_and_nobody_else(base: Base) -> None:
    join(base, "bob", make(base, "alice").lower())
    receipt = hand_in(base, answer(), "bob")
    assert hand_in(base, answer(), "alice").id == receipt.id, "the same bytes are one attempt"
    grade_all(base)
    assert [points(base, one) for one in ("alice", "bob", "erin")] == [5, 5, None]
    assert past(base, "alice") == past(base, "bob") == [receipt.id]
    assert past(base, "erin") == []
    with base.db.read() as session:
        rows = {one.person: one for one in class_standing(session, COURSE, LAB)}
        table = gradebook.class_scores(base.layout, session, COURSE)
    assert rows["alice"].newest == rows["bob"].newest
    assert (rows["alice"].group, rows["erin"].group) == (rows["bob"].group, None)
    lines = csv.reader(io.StringIO(gradebook.to_csv(table, "en").lstrip("\ufeff")))
    assert {line[0]: line[3] for line in lines if line[0] in rows} == {
        "alice": "5", "bob": "5", "erin": "", "fred": "",
    }  # fmt: skip
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as book:
        [entry] = book.assignment_submissions(LAB)
        assert entry.student.first_name == "Team (alice, bob)"


def test_feedback_and_notebook_are_for_exactly_the_members(base: Base) -> None:
    place(base, "alice,Team\nbob,Team\n")
    receipt = hand_in(base, answer(), "alice")
    grade_all(base)

    def reads(person: str) -> bool:
        try:
            page = feedback_html(base.db, base.layout, receipt.id, person)
            content = submissions.notebook_bytes(base.db, base.layout, receipt.id, person)
        except NotFound:
            return False
        return bool(page and content)

    assert {one: reads(one) for one in ("alice", "bob", "carol", "erin", "dave")} == {
        "alice": True, "bob": True, "carol": True, "erin": False, "dave": False,
    }  # fmt: skip
    # Whoever handed it in has left, and another one came.
    place(base, "alice,\nerin,Team\n")
    assert [reads(one) for one in ("alice", "bob", "erin")] == [False, True, True]
    with base.db.write() as session:
        remove(session, COURSE, "bob", "carol")
    assert not reads("bob")


def test_who_comes_has_the_score_and_who_goes_has_their_own_again(base: Base) -> None:
    hand_in(base, answer("return 3"), "erin")
    hand_in(base, answer("return 1"), "bob")
    place(base, "alice,Team\nbob,Team\n")
    assert past(base, "bob") == [], "what was done alone waits"
    hand_in(base, answer(), "alice")
    grade_all(base)
    assert [points(base, one) for one in ("alice", "bob", "erin")] == [5, 5, 2]
    assert place(base, "erin,Team\nbob,\n") == [Move("bob", TEAM, ""), Move("erin", "", TEAM)]
    grade_all(base)
    assert [points(base, one) for one in ("alice", "bob", "erin")] == [5, 0, 5]
    place(base, "alice,\nerin,\n")
    assert [points(base, one) for one in ("alice", "erin")] == [None, 2]
    place(base, "fred,Team\n")
    assert points(base, "fred") == 5, "the group keeps what it handed in"


def test_students_change_groups_only_before_anything_is_handed_in(base: Base) -> None:
    code = make(base, "alice")
    join(base, "bob", code)
    leave(base, "bob")
    join(base, "bob", code)
    hand_in(base, answer(), "bob")
    with pytest.raises(GroupRefused, match="has handed in already"):
        leave(base, "alice")
    with pytest.raises(GroupRefused, match="has handed in already"):
        join(base, "erin", code)
    hand_in(base, answer("return 1"), "erin")
    with pytest.raises(GroupRefused, match="on your own"):
        make(base, "erin", "Other")
    assert members(base) == {TEAM: ("alice", "bob")}


def test_the_last_one_takes_the_group_along(base: Base) -> None:
    make(base, "alice")
    leave(base, "alice")
    assert members(base) == {}
    make(base, "bob")
    assert members(base) == {TEAM: ("bob",)}


def test_what_students_may_not(base: Base) -> None:
    code = make(base, "alice")
    with pytest.raises(BadGroup, match="called Team already"):
        make(base, "bob")
    with pytest.raises(BadGroup, match="40 characters"):
        make(base, "bob", " ")
    with pytest.raises(GroupRefused, match="in a group already"):
        make(base, "alice", "Second")
    with pytest.raises(NotFound, match="code"):
        join(base, "bob", "")
    for person, refusal in (("dave", NotAllowed), ("carol", GroupRefused)):
        with pytest.raises(refusal):
            join(base, person, code)
    join(base, "bob", code)
    join(base, "erin", code)
    with pytest.raises(GroupRefused, match="full"):
        join(base, "fred", code)
    policy(base, own_groups=False)
    with pytest.raises(GroupRefused, match="Ask your instructor"):
        leave(base, "erin")
    policy(base, own_groups=True)
    set_deadline(base, utc_now() - HOUR)
    with pytest.raises(GroupRefused, match="Nothing is taken"):
        leave(base, "erin")
    with base.db.read() as session:
        assert len(session.scalars(select(GroupMember)).all()) == 3


def test_limits_of_size_hold_for_instructors_too(base: Base) -> None:
    with pytest.raises(BadFile, match=r"Line 5: the group Team would have 4 members"):
        place(base, "alice,Team\nbob,Team\nerin,Team\nfred,Team\n")
    with pytest.raises(BadFile, match=r"Line 3: dave is no student"):
        place(base, "alice,Team\ndave,Team\ncarol,Team\n")
    assert members(base) == {}
    place(base, "alice,Team\nbob,Team\nerin,Team\n")
    for size in (1, 2, None):
        with pytest.raises(BadPolicy):
            policy(base, group_size=size)
    place(base, "alice,\nbob,\nerin,\n")
    policy(base, group_size=None)
    with pytest.raises(BadGroup, match="greatest group size"):
        place(base, "alice,Team\n")


def test_the_extension_of_one_is_the_groups(base: Base) -> None:
    place(base, "alice,Team\nbob,Team\n")
    set_deadline(base, utc_now() - HOUR)
    with base.db.write() as session:
        extend(session, COURSE, LAB, "alice", utc_now() + HOUR, "ill", "carol")
    hand_in(base, answer(), "bob")
    with pytest.raises(AfterDeadline):
        hand_in(base, answer(), "erin")
    policy(base, late_rule=LateRule.STEP, late_amount=20.0)
    grade_all(base)
    assert points(base, "bob") == 5
    place(base, "alice,\n")
    assert points(base, "bob") == 4, "the extension left with its owner"


def test_attempts_and_waiting_are_counted_for_the_group(base: Base) -> None:
    policy(base, attempts=2, cooldown_minutes=10)
    place(base, "alice,Team\nbob,Team\n")
    assert hand_in(base, answer("return 1"), "alice").attempts_left == 1
    with pytest.raises(NoAttempt, match="10 minutes"):
        hand_in(base, answer("return 2"), "bob")
    assert hand_in(base, answer("return 2"), "erin").attempts_left == 1
    policy(base, cooldown_minutes=0)
    assert hand_in(base, answer("return 2"), "bob").attempts_left == 0
    with pytest.raises(NoAttempt, match="All 2 attempts"):
        hand_in(base, answer("return 3"), "alice")


def test_a_groups_replaced_submissions_wait_for_those_that_count(base: Base) -> None:
    place(base, "alice,Team\nbob,Team\n")
    replaced = hand_in(base, answer("return 1"), "alice").id
    other = hand_in(base, answer("return 2"), "erin").id
    counts = hand_in(base, answer(), "bob").id
    order = [queue.lease(base.db, f"w{number}") for number in range(3)]
    assert [one.submission_id for one in order if one] == [other, counts, replaced]


def test_the_best_of_a_group_counts_for_all_and_manual_points_stay(base: Base) -> None:
    policy(base, counts=Counts.BEST)
    place(base, "alice,Team\nbob,Team\n")
    hand_in(base, answer(), "alice")
    hand_in(base, answer("return 3"), "bob")
    grade_all(base)
    assert [points(base, one) for one in ("alice", "bob")] == [5, 5]
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as book:
        [entry] = book.assignment_submissions(LAB)
        [notebook] = entry.notebooks
        grade = next(one for one in notebook.grades if one.name == "sums-hidden")
        grade.manual_score = 1
        comment = notebook.comments[0]
        comment.manual_comment = "well thought"
        book.db.commit()
    assert grade_again(base.db, COURSE, LAB, "carol", "bob") == 1
    grade_all(base)
    assert [points(base, one) for one in ("alice", "bob")] == [3, 3]
    shown = newest(base, "alice"), newest(base, "bob")
    assert shown[0] == shown[1]
    best = next(one for one in past(base, "bob") if one != shown[0].id)
    for person in ("alice", "bob"):
        assert "well thought" in feedback_html(base.db, base.layout, best, person)


def test_a_regrade_grades_a_groups_work_once(base: Base) -> None:
    place(base, "alice,Team\nbob,Team\n")
    hand_in(base, answer(), "alice")
    grade_all(base)
    assert grade_again(base.db, COURSE, LAB, "carol") == 1
    with base.db.read() as session:
        [waits] = last_report(session, find_assignment(session, COURSE, LAB))
    assert waits.waits
    assert waits.group == TEAM
    grade_all(base)
    assert [points(base, one) for one in ("alice", "bob")] == [5, 5]


def test_groups_go_out_and_come_in_as_csv(base: Base) -> None:
    place(base, "alice,=1+1\nbob,Team\n")
    with base.db.read() as session:
        text = to_csv(session, find_assignment(session, COURSE, LAB), "zh")
    assert "'=1+1" in text, "a spreadsheet takes no name for a formula"
    with base.db.write() as session:
        assert forming.place(session, COURSE, LAB, parse_groups(text.encode()), "carol") == []


def test_who_did_what_is_in_the_audit_log(base: Base) -> None:
    join(base, "bob", make(base, "alice"))
    leave(base, "alice")
    place(base, "bob,New\n")
    with base.db.read() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.startswith("group.")).order_by(AuditEntry.id)
        ).all()
    place_ = f"{COURSE}/{LAB}"
    assert [(one.actor, one.action, one.target, one.detail) for one in entries] == [
        ("alice", "group.make", place_, {"group": TEAM}),
        ("bob", "group.join", place_, {"group": TEAM}),
        ("alice", "group.leave", place_, {"group": TEAM}),
        ("carol", "group.move", f"{place_}/bob", {"before": TEAM, "after": "New"}),
    ]


def test_a_student_sees_who_is_in_theirs(base: Base) -> None:
    place(base, "alice,Team\nbob,Team\nerin,Other\n")
    with base.db.read() as session:
        target = find_assignment(session, COURSE, LAB)
        mine = my_group(session, target, "bob", utc_now())
        none = my_group(session, target, "fred", utc_now())
    assert mine.group is not None
    assert (mine.group.people, mine.leave) == (("alice", "bob"), None)
    assert (none.group, none.join) == (None, None)
