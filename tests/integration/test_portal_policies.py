"""The portal's pages for policies, extensions, regrades and versions: who may, and what is said."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    OTHER_LAB,
    answer,
    grade_all,
    publish_version,
)
from integration.portal_support import PREFIX, Portal, make_portal
from sqlalchemy import func, select

from ulab_core.models import (
    Assignment,
    AuditEntry,
    Course,
    Extension,
    Job,
    Regrade,
    Role,
    Submission,
    utc_now,
)
from ulab_coursework.courses import create_course, enrol, ensure_person, find_assignment
from ulab_coursework.policies import SETTABLE

TEACH = f"courses/{COURSE}/teach"
TEACH_LAB = f"{TEACH}/labs/{LAB}"
LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"
PAGES = (
    *(f"{TEACH_LAB}/policy", f"{TEACH_LAB}/regrade", f"{TEACH_LAB}/regrade/report"),
    *(f"{TEACH_LAB}/regrade/report.csv", f"{TEACH}/version"),
)
FORM = {
    "due_at": "2126-09-01T23:59",
    "closes_at": "2126-09-08T23:59",
    "late_rule": "step",
    "late_amount": "10",
    "late_unit": "percent",
    "late_per": "day",
    "late_cap": "50",
    "attempts": "3",
    "cooldown_minutes": "5",
    "counts": "best",
}
UNTIL = "2126-09-03T23:59"
ACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    (f"{TEACH_LAB}/policy", FORM),
    (f"{TEACH_LAB}/policy/preview", FORM),
    (f"{TEACH_LAB}/extensions", {"people": ["alice"], "until": UNTIL}),
    (f"{TEACH_LAB}/extensions/remove", {"person": "alice"}),
    (f"{TEACH_LAB}/regrade", {"force": "true"}),
    (f"{TEACH}/version", {"version": "2"}),
)


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    found = make_portal(tmp_path, monkeypatch)
    with found.base.db.write() as session:
        ensure_person(session, "erin", "Erin", "Mechanics")
        ensure_person(session, "frank", "Frank", "Medicine")
        for id_, teacher in (("other-2026", "erin"), ("foreign-2026", "frank")):
            create_course(
                session, found.base.layout, id_, "sums-foundations", "1", None, "2026", teacher
            )
            enrol(session, id_, teacher, Role.INSTRUCTOR, teacher)
        # A student here teaches elsewhere: that gives no right here.
        enrol(session, COURSE, "frank", Role.STUDENT, "carol")
    return found


def policy_of(portal: Portal) -> dict[str, Any]:
    with portal.base.db.read() as session:
        found = find_assignment(session, COURSE, LAB)
        return {name: getattr(found, name) for name in SETTABLE}


def everything(portal: Portal) -> list[Any]:
    with portal.base.db.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(kind))
            for kind in (AuditEntry, Extension, Job, Regrade)
        ]
        course = session.get_one(Course, COURSE)
        return [policy_of(portal), course.curriculum_version, *counts]


def harder(lab: str, notebook: Any) -> None:
    for cell in notebook.cells if lab == LAB else ():
        cell.source = cell.source.replace("== 3,", "== 4,")


def test_who_may_look(portal: Portal) -> None:
    for path in PAGES:
        for language in ("zh", "en"):
            for person in ("carol", "root"):
                found = portal.browser(person, language).see(path)
                assert found.status_code == 200, (person, path, found.text)
            for person in ("alice", "dave", "erin", "frank"):
                assert portal.browser(person, language).see(path).status_code == 403, (person, path)
    looked = portal.browser("root").see(f"{TEACH_LAB}/policy").text
    assert 'id="watching"' in looked
    assert 'id="save-policy"' not in looked
    assert 'id="give-extension"' not in looked
    assert 'id="regrade-all"' not in portal.browser("root").see(f"{TEACH_LAB}/regrade").text


@pytest.mark.parametrize(("path", "form"), ACTS, ids=[path for path, _ in ACTS])
def test_who_may_act(portal: Portal, path: str, form: dict[str, Any]) -> None:
    portal.browser("carol").act(f"{TEACH_LAB}/policy", due_at="2126-09-01T23:59")
    publish_version(portal.base.layout, "2")
    before = everything(portal)
    for person in ("alice", "dave", "erin", "frank", "root"):
        assert portal.browser(person).act(path, **form).status_code == 403, person
    carol = portal.browser("carol")
    for token in ("", portal.browser("erin").token()):
        sent = carol.post(f"{PREFIX}/{path}", data=form, headers={"x-csrf-token": token})
        assert sent.status_code == 403
    assert everything(portal) == before
    assert carol.act(path, **form).status_code in (200, 204)


def test_settings_are_saved_shown_and_noted(portal: Portal) -> None:
    carol = portal.browser("carol")
    done = carol.act(f"{TEACH_LAB}/policy", **FORM)
    assert done.headers["hx-redirect"] == f"{PREFIX}/{TEACH_LAB}/policy?saved=1"
    now = policy_of(portal)
    assert now["due_at"] == datetime(2126, 9, 1, 15, 59, tzinfo=UTC), "in the site's zone"
    assert (now["late_rule"], now["late_cap"], now["attempts"]) == ("step", 50, 3)
    page = carol.see(f"{TEACH_LAB}/policy").text
    assert 'value="2126-09-01T23:59"' in page
    assert "<strong>Carol</strong> changed the settings" in page
    assert "Deadline: none → 2126-09-01 23:59" in page
    assert "3.5 / 5" in page, "three days late"
    with portal.base.db.read() as session:
        noted = session.scalar(select(func.count()).select_from(AuditEntry))
    carol.act(f"{TEACH_LAB}/policy", **FORM)
    with portal.base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == noted, "no change"
    student = portal.browser("alice").see(LAB_PAGE).text
    assert "Each started day costs 10% of the points." in student
    assert "It never costs more than 50% of the points." in student
    assert "3 attempts are left." in student
    chinese = portal.browser("alice", "zh").see(LAB_PAGE).text
    assert "每迟交一天扣总分的 10%，不足一天按一天计。" in chinese


def test_a_deadline_that_has_passed_is_asked_about_first(portal: Portal) -> None:
    carol, path, before = portal.browser("carol"), f"{TEACH_LAB}/policy", policy_of(portal)
    form = FORM | {"due_at": "2020-09-01T23:59", "late_rule": "refused", "closes_at": ""}
    asked = carol.act(path, **form)
    assert (asked.status_code, asked.headers["hx-retarget"]) == (200, "#policy-answer")
    assert "nobody will be able to hand in" in asked.text
    assert "Save it all the same" in asked.text
    late = carol.act(path, **(form | {"late_rule": "free"}))
    assert "whatever is handed in from now on is late" in late.text
    closed = carol.act(path, **(form | {"late_rule": "free", "closes_at": "2020-09-02T00:00"}))
    assert "nobody will be able to hand in" in closed.text
    plain = carol.post(
        f"{PREFIX}/{path}",
        data=form | {"csrf_token": carol.token()},
        headers={"x-csrf-token": carol.token()},
    )
    assert plain.status_code == 409
    assert policy_of(portal) == before
    assert carol.act(path, past="true", **form).status_code == 204
    assert policy_of(portal)["due_at"] == datetime(2020, 9, 1, 15, 59, tzinfo=UTC)
    # The old deadline stays; only what is new is asked about.
    assert carol.act(path, **(form | {"attempts": "7"})).status_code == 204
    assert policy_of(portal)["attempts"] == 7


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("due_at", "soon", "soon is not a date and time"),
        ("due_at", "0001-01-01T00:00", "is not a date and time"),
        ("closes_at", "2126-08-01T00:00", "before the deadline"),
        ("late_rule", "hang", "Choose one of these."),
        ("late_amount", "ten", "ten is no number."),
        ("late_amount", "-1", "A penalty lies between 0 and 100000."),
        ("late_amount", "nan", "A penalty lies between 0 and 100000."),
        ("late_amount", "1e400", "A penalty lies between 0 and 100000."),
        ("late_cap", "101", "between 0 and 100 percent"),
        ("attempts", "0", "at least one attempt"),
        ("attempts", "2.5", "2.5 is no whole number."),
        ("attempts", "9" * 30, "at most 100000"),
        ("cooldown_minutes", "-3", "between 0 and 100000"),
        ("counts", "<script>", "Choose one of these."),
    ],
)
def test_bad_input_is_said_at_its_field_and_changes_nothing(
    portal: Portal, field: str, typed: str, sentence: str
) -> None:
    before = everything(portal)
    refused = portal.browser("carol").act(f"{TEACH_LAB}/policy", **{**FORM, field: typed})
    assert refused.status_code == 422
    assert refused.headers["hx-retarget"] == "#policy"
    said = refused.text.split(f'id="{field}-problem">')[1].split("</div>")[0]
    assert sentence in said.replace("&#39;", "'")
    assert refused.text.count("-problem") == 2, "beside this field alone"
    assert 'value="50"' in refused.text or field == "late_cap", "what was typed stays"
    assert "<script>" not in refused.text
    assert everything(portal) == before
    preview = portal.browser("carol").act(f"{TEACH_LAB}/policy/preview", **{**FORM, field: typed})
    assert "Fill in the fields for a preview." in preview.text


def test_extensions_are_given_listed_and_taken_back(portal: Portal) -> None:
    carol = portal.browser("carol")
    with portal.base.db.write() as session:
        ensure_person(session, "bob", display_name="王磊")
    carol.act(f"{TEACH_LAB}/policy", **FORM)
    give = {"people": ["alice", "bob"], "until": UNTIL, "reason": "<b>ill</b>"}
    assert carol.act(f"{TEACH_LAB}/extensions", **give).status_code == 204
    page = carol.see(f"{TEACH_LAB}/policy").text
    assert page.count("data-extension=") == 2
    assert "&lt;b&gt;ill&lt;/b&gt;" in page
    assert "<b>ill" not in page
    assert "gave 王磊 time until 2126-09-03 23:59" in page
    assert "You were given more time" in portal.browser("alice").see(LAB_PAGE).text
    assert "You were given more time" not in portal.browser("frank").see(LAB_PAGE).text
    carol.act(f"{TEACH_LAB}/extensions/remove", person="alice")
    page = carol.see(f"{TEACH_LAB}/policy").text
    assert 'data-extension="alice"' not in page
    assert 'data-extension="bob"' in page
    assert "took back the extension of Alice" in page


@pytest.mark.parametrize(
    ("wrong", "status", "sentence"),
    [
        ({"until": ""}, 422, "Say until when."),
        ({"until": "later"}, 422, "is not a date and time"),
        ({"until": "2126-08-30T00:00"}, 422, "not later than the deadline"),
        ({"people": []}, 422, "Choose at least one student."),
        ({"reason": "x" * 501}, 422, "Keep the reason below 500"),
        # Bob comes first, and gets none either.
        ({"people": ["bob", "carol"]}, 400, "carol is no student"),
        ({"people": ["bob", "nobody"]}, 404, "nobody called nobody"),
    ],
)
def test_extensions_that_are_refused_give_nobody_one(
    portal: Portal, wrong: dict[str, Any], status: int, sentence: str
) -> None:
    carol = portal.browser("carol")
    carol.act(f"{TEACH_LAB}/policy", **FORM)
    before = everything(portal)
    form = {"people": ["alice"], "until": UNTIL, "reason": "ill", **wrong}
    refused = carol.act(f"{TEACH_LAB}/extensions", **form)
    assert (refused.status_code, sentence in refused.text) == (status, True), refused.text
    assert everything(portal) == before


def test_a_late_submission_says_so_on_its_page_and_its_feedback(portal: Portal) -> None:
    carol, alice = portal.browser("carol"), portal.browser("alice")
    first = portal.hand_in("alice", answer())
    second = portal.hand_in("alice", answer("return a + b + 0"))
    for one in (first, second):
        portal.finish(one, 5)
        (portal.base.layout.feedback_file(one)).write_text("<html><body><p>done</p></body></html>")
    past = (utc_now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M+00:00")
    carol.act(f"{TEACH_LAB}/policy", past="true", **{**FORM, "due_at": past, "closes_at": ""})
    with portal.base.db.write() as session:
        # The best of equals is the last; make the first one worse.
        session.get_one(Submission, first).score = 4
    shown = alice.see(f"submissions/{second}/feedback").text
    assert "Points taken off: 0.5. Left: 4.5 of 5." in shown
    assert "This is the submission that counts: your best one." in shown
    assert (
        "does not count: another one is better" in alice.see(f"submissions/{first}/feedback").text
    )
    carol.act(f"{TEACH_LAB}/extensions", people=["alice"], until=UNTIL)
    shown = alice.see(f"submissions/{second}/feedback").text
    assert "It came in time: you were given until" in shown
    assert "taken off" not in shown


def test_the_class_page_says_what_being_late_costs(portal: Portal) -> None:
    portal.hand_in("alice", answer())
    grade_all(portal.base)
    carol = portal.browser("carol")
    assert "late −" not in carol.see(TEACH_LAB).text
    past = (utc_now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M+00:00")
    carol.act(f"{TEACH_LAB}/policy", past="true", **{**FORM, "due_at": past, "closes_at": ""})
    page = carol.see(TEACH_LAB).text
    assert "4.5 / 5" in page
    assert "late −0.5" in page


def test_a_receipt_says_how_many_attempts_are_left_and_none_is_offered_after_the_last(
    portal: Portal,
) -> None:
    form = {**FORM, "attempts": "2", "cooldown_minutes": ""}
    portal.browser("carol").act(f"{TEACH_LAB}/policy", **form)
    alice = portal.browser("alice")
    received = alice.upload(LAB_PAGE, answer()).text
    assert 'id="policies" hx-swap-oob="true"' in received
    assert "1 attempt is left." in received
    page = alice.see(LAB_PAGE).text
    assert "1 attempt is left." in page
    assert "hx-swap-oob" not in page
    assert "0 attempts are left." in alice.upload(LAB_PAGE, answer("return 3")).text
    page = alice.see(LAB_PAGE).text
    assert 'id="no-attempt"' in page
    assert 'id="submit-lab"' not in page
    assert 'id="submit-lab"' in portal.browser("bob").see(LAB_PAGE).text


def test_a_version_with_other_tests_offers_a_regrade_that_says_who_moved(portal: Portal) -> None:
    carol = portal.browser("carol")
    portal.hand_in("alice", answer())
    portal.hand_in("bob", answer("return 3"))
    grade_all(portal.base)
    assert "has not been graded again yet" in carol.see(f"{TEACH_LAB}/regrade").text
    publish_version(portal.base.layout, "2", harder)
    offered = carol.see(f"{TEACH}/version").text
    assert "its tests have changed, and students handed in already" in offered
    said = carol.see(f"{TEACH}/version/2/changes").text
    assert "The tests of sums-visible that students see are other than before." in said
    assert "2 submissions would be graded again." in said
    assert portal.browser("alice").see(f"{TEACH}/version/2/changes").status_code in (403, 404)
    assert carol.act(f"{TEACH}/version", version="2").status_code == 204
    assert 'id="tests-changed"' in carol.see(TEACH_LAB).text
    carol.act(f"{TEACH_LAB}/regrade")
    waiting = carol.see(f"{TEACH_LAB}/regrade").text
    assert 'data-done="0" data-all="2"' in waiting
    assert 'hx-trigger="every 2s"' in waiting
    grade_all(portal.base)
    report = carol.see(f"{TEACH_LAB}/regrade/report").text
    assert 'data-done="2" data-all="2"' in report
    assert "every 2s" not in report
    assert 'data-moved="alice"' in report
    assert "5 → <strong>3</strong>" in report
    assert "add(1, 2) must be 3" in report
    assert 'id="tests-changed"' not in carol.see(TEACH_LAB).text
    csv = carol.see(f"{TEACH_LAB}/regrade/report.csv").text
    assert "alice,5.0,3.0,sums-visible,2.0,0," in csv
    assert carol.see(f"{TEACH_LAB}/regrade?number=99").status_code == 404


def test_a_move_is_tried_out_before_anything_changes(portal: Portal) -> None:
    carol, trial = portal.browser("carol"), f"{TEACH}/version/2/trial"
    portal.hand_in("alice", answer())
    portal.hand_in("bob", answer("return 0"))
    grade_all(portal.base)
    publish_version(portal.base.layout, "2", harder)
    assert f'hx-get="{PREFIX}/{trial}"' in carol.see(f"{TEACH}/version").text
    assert 'data-trial="none"' in carol.see(trial).text
    for person in ("alice", "root"):  # administrators look on in courses that they don't teach
        assert portal.browser(person).act(trial).status_code == 403
    assert portal.browser("alice").see(trial).status_code in (403, 404)
    before = everything(portal)
    assert carol.act(trial).status_code == 204
    assert carol.act(trial).status_code == 409
    until = time.monotonic() + 240
    while 'data-trial="running"' in (page := carol.see(trial).text):
        assert 'hx-trigger="every 2s"' in page
        assert time.monotonic() < until
        time.sleep(0.5)
    assert 'data-trial="done"' in page, page
    assert "2 submissions would be graded again.<br>1 score would move." in page
    assert 'data-moved="alice"' in page
    assert 'data-moved="bob"' not in page
    assert "5 → <strong>3</strong>" in page
    assert "add(1, 2) must be 3" in page
    assert everything(portal) == before
    assert "1 份的分数会变。" in portal.browser("carol", "zh").see(trial).text
    # What was tried before the course moved says nothing of it now.
    carol.act(f"{TEACH}/version", version="2")
    publish_version(portal.base.layout, "3")
    assert 'data-trial="none"' in carol.see(f"{TEACH}/version/3/trial").text
    # Nothing was handed in that other tests would grade.
    publish_version(portal.base.layout, "4", harder)
    assert carol.act(f"{TEACH}/version/4/trial").status_code == 404


def test_earlier_regrades_are_listed_without_the_one_that_is_shown(portal: Portal) -> None:
    carol = portal.browser("carol")
    portal.hand_in("alice", answer())
    grade_all(portal.base)
    listed = "regrade?number="
    carol.act(f"{TEACH_LAB}/regrade")
    grade_all(portal.base)
    assert listed not in carol.see(f"{TEACH_LAB}/regrade").text
    carol.act(f"{TEACH_LAB}/regrade", force="true")
    newest = carol.see(f"{TEACH_LAB}/regrade").text
    assert newest.count(f"{listed}1") == 1
    assert f"{listed}2" not in newest
    assert 'id="not-newest"' not in newest
    earlier = carol.see(f"{TEACH_LAB}/regrade?number=1").text
    assert listed not in earlier
    assert 'id="not-newest"' in earlier


def test_moving_asks_for_the_regrade_with_the_version_of_before(portal: Portal) -> None:
    carol = portal.browser("carol")
    portal.hand_in("alice", answer())
    grade_all(portal.base)
    publish_version(portal.base.layout, "2", harder)
    carol.act(f"{TEACH}/version", version="2", regrades="true")
    assert "version 1 → 2" in carol.see(f"{TEACH_LAB}/regrade").text
    moved = carol.see(f"{TEACH}/version?moved=1").text
    assert f'href="{PREFIX}/{TEACH_LAB}/regrade"' in moved
    assert f"{OTHER_LAB}/regrade" not in moved
    with portal.base.db.read() as session:
        asked = session.scalars(select(Regrade)).all()
        assert [(one.version_before, one.assignment.name) for one in asked] == [("1", LAB)]


def test_versions_are_offered_the_newest_first_with_their_day(portal: Portal) -> None:
    for version, day in (("1", 4), ("9", 1), ("10", 3), ("2", 2)):
        if version != "1":
            publish_version(portal.base.layout, version)
        about = portal.base.layout.curriculum_version("sums-foundations", version)
        made = datetime(2026, 3, day, tzinfo=UTC).timestamp()
        os.utime(about / "curriculum.json", (made, made))
    page = portal.browser("carol").see(f"{TEACH}/version").text
    assert re.findall(r'data-version="(\d+)"', page) == ["10", "2", "9"]
    assert page.index("4 Mar") < page.index("3 Mar") < page.index("2 Mar") < page.index("1 Mar")


def test_a_version_that_would_lose_work_is_refused_with_a_sentence(portal: Portal) -> None:
    carol = portal.browser("carol")
    portal.hand_in("alice", answer())

    def other_cells(lab: str, notebook: Any) -> None:
        notebook.cells = notebook.cells[:-1]

    publish_version(portal.base.layout, "2", other_cells)
    publish_version(portal.base.layout, "3")
    folder = portal.base.layout.curriculum_version("sums-foundations", "3")
    about = json.loads((folder / "curriculum.json").read_text())
    (folder / "curriculum.json").write_text(json.dumps(about | {"labs": [LAB]}))
    before = everything(portal)
    lost = carol.act(f"{TEACH}/version", version="2")
    assert (lost.status_code, "their work would be lost" in lost.text) == (409, True)
    missing = carol.act(f"{TEACH}/version", version="3")
    assert (missing.status_code, f"no lab Exercise {OTHER_LAB}" in missing.text) == (409, True)
    assert carol.act(f"{TEACH}/version", version="9").status_code == 404
    assert everything(portal) == before
    page = carol.see(f"{TEACH}/version").text
    assert "their work would be lost" in page
    assert 'value="2"' not in page
    with portal.base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Assignment)) == 6


def test_a_regrade_ends_also_when_something_could_not_be_graded(portal: Portal) -> None:
    carol = portal.browser("carol")
    submission = portal.hand_in("alice", answer())
    portal.finish(submission, 5)
    carol.act(f"{TEACH_LAB}/regrade", force="true")
    with portal.base.db.write() as session:
        for job in session.scalars(select(Job).where(Job.submission_id == submission)):
            job.state = "failed"  # type: ignore[assignment]
    page = carol.see(f"{TEACH_LAB}/regrade").text
    assert "1 could not be graded" in page
    assert "every 2s" not in page
