"""What a course's assistant may do in the portal and its API, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from integration.coursework_support import COURSE, LAB, answer, grade_all, publish_version
from integration.portal_support import PREFIX, Portal, make_portal
from sqlalchemy import func, select

from ulab_core.errors import NotAllowed
from ulab_core.models import (
    Assignment,
    AuditEntry,
    Course,
    Enrolment,
    Extension,
    Group,
    Job,
    Person,
    Regrade,
    Role,
)
from ulab_coursework.courses import enrol, ensure_person, role_in
from ulab_coursework.tries import load_class
from ulab_hub.residents import settle

TEACH = f"courses/{COURSE}/teach"
TEACH_LAB = f"{TEACH}/labs/{LAB}"
API = f"api/courses/{COURSE}/assignments/{LAB}"
PAGES = (
    TEACH,
    TEACH_LAB,
    f"{TEACH_LAB}/class",
    f"{TEACH_LAB}/policy",
    f"{TEACH_LAB}/groups",
    f"{TEACH_LAB}/groups.csv",
    f"{TEACH_LAB}/regrade",
    f"{TEACH_LAB}/regrade/report.csv",
    f"{TEACH_LAB}/similarity",
    f"{TEACH}/by-hand",
    f"{TEACH}/people",
    f"{TEACH}/scores.csv",
    f"{TEACH}/version",
    f"{API}/inbound",
)
GRADES: tuple[tuple[str, dict[str, Any]], ...] = (
    (f"{TEACH}/by-hand/{LAB}/empty", {}),
    (f"{TEACH_LAB}/similarity", {}),
)
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    (f"{TEACH_LAB}/publish", {"due": "2126-09-01T23:59"}),
    (f"{TEACH_LAB}/withdraw", {}),
    (f"{TEACH_LAB}/grade", {}),
    (f"{TEACH_LAB}/grade", {"student": "alice"}),
    (f"{TEACH_LAB}/regrade", {}),
    (f"{TEACH_LAB}/release", {}),
    (f"{TEACH_LAB}/policy", {"attempts": "3"}),
    (f"{TEACH_LAB}/policy/preview", {"attempts": "3"}),
    (f"{TEACH_LAB}/extensions", {"people": ["alice"], "until": "2126-09-09T23:59"}),
    (f"{TEACH_LAB}/extensions/remove", {"person": "alice"}),
    (f"{TEACH_LAB}/groups/settings", {"size": 2}),
    (f"{TEACH_LAB}/groups/move", {"student": "alice", "group": "one"}),
    (f"{TEACH}/version", {"version": "2"}),
    (f"{TEACH}/people", {"names": "dave"}),
    (f"{TEACH}/people", {"names": "tara", "role": "instructor"}),
    (f"{TEACH}/people/remove", {"name": "bob"}),
    ("new-course", {"course_id": "own", "curriculum": "sums-foundations@1"}),
)
API_CHANGES = (f"{API}/grade", f"{API}/publish", f"{API}/withdraw", f"{API}/release_feedback")


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """Tara assists here, and Otto in no course."""
    portal = make_portal(tmp_path, monkeypatch)
    with portal.base.db.write() as session:
        for name in ("tara", "otto"):
            ensure_person(session, name, display_name=name.title())
        enrol(session, COURSE, "tara", Role.ASSISTANT, "carol")
    return portal


def everything(portal: Portal) -> list[Any]:
    with portal.base.db.read() as session:
        columns = Assignment.__table__.columns
        kinds = (AuditEntry, Course, Enrolment, Extension, Group, Job, Regrade)
        return [
            session.execute(select(*columns)).all(),
            session.scalars(select(Course.curriculum_version)).all(),
            [session.scalar(select(func.count()).select_from(kind)) for kind in kinds],
            session.execute(select(Enrolment.person_id, Enrolment.role)).all(),
        ]


@pytest.mark.parametrize("path", PAGES)
def test_an_assistant_sees_what_an_instructor_sees(portal: Portal, path: str) -> None:
    for person in ("tara", "carol"):
        assert portal.browser(person).see(path).status_code == 200, person
    for person in ("alice", "otto"):
        assert portal.browser(person).see(path).status_code == 403, person


def test_an_assistant_reads_what_was_handed_in(portal: Portal) -> None:
    submission = portal.hand_in("alice", answer())
    grade_all(portal.base)
    tara = portal.browser("tara")
    for path in (f"submissions/{submission}/feedback", f"submissions/{submission}/notebook"):
        for below in ("", "api/"):
            assert tara.see(below + path).status_code == 200, path
            assert portal.browser("bob").see(below + path).status_code == 404
    assert tara.see(f"api/submissions/{submission}").json()["score"] is not None


@pytest.mark.parametrize(("path", "form"), GRADES, ids=[path for path, _ in GRADES])
def test_an_assistant_grades_by_hand_and_compares(
    portal: Portal, path: str, form: dict[str, Any]
) -> None:
    portal.hand_in("alice", answer())
    grade_all(portal.base)
    for person in ("alice", "otto"):
        assert portal.browser(person).act(path, **form).status_code == 403, person
    assert portal.browser("tara").act(path, **form).status_code == 204


@pytest.mark.parametrize(("path", "form"), CHANGES, ids=[f"{p}-{f}" for p, f in CHANGES])
def test_an_assistant_changes_nothing_in_the_course(
    portal: Portal, path: str, form: dict[str, Any]
) -> None:
    portal.browser("carol").act(f"{TEACH_LAB}/policy", due_at="2126-09-01T23:59")
    portal.browser("carol").act(f"{TEACH_LAB}/groups/settings", size=3)
    portal.hand_in("alice", answer())
    grade_all(portal.base)
    publish_version(portal.base.layout, "2")
    before = everything(portal)
    refused = portal.browser("tara").act(path, **form)
    assert refused.status_code == 403
    assert "Only" in refused.text
    assert everything(portal) == before
    assert portal.browser("carol").act(path, **form).status_code in (200, 204)


@pytest.mark.parametrize("path", API_CHANGES)
def test_the_api_refuses_an_assistant_the_same(portal: Portal, path: str) -> None:
    portal.hand_in("alice", answer())
    before = everything(portal)
    refused = portal.browser("tara").post(f"{PREFIX}/{path}", json={})
    assert refused.status_code == 403
    assert "Only an instructor of the course" in refused.text
    assert everything(portal) == before
    assert portal.browser("carol").post(f"{PREFIX}/{path}", json={}).is_success


def test_the_pages_offer_an_assistant_only_what_they_may(portal: Portal) -> None:
    portal.hand_in("alice", answer())
    tara = portal.browser("tara")
    home = tara.see().text
    assert "you assist in it" in home
    assert "new-course" not in home
    assert "/curricula" not in home
    assert "你是助教" in portal.browser("tara", "zh").see().text
    lab = tara.see(TEACH_LAB).text
    for shown in ('id="assisting"', 'id="open-formgrader"', 'id="open-similarity"', ">Notebook<"):
        assert shown in lab
    for hidden in ('id="publish"', 'id="grade-all"', ">Grade again<", 'id="release-feedback"'):
        assert hidden not in lab
        assert hidden in portal.browser("carol").see(TEACH_LAB).text or hidden.endswith('k"')
    assert "Add people" not in tara.see(TEACH).text
    assert "people/remove" not in tara.see(f"{TEACH}/people").text
    assert 'id="save-policy"' not in tara.see(f"{TEACH_LAB}/policy").text
    assert 'id="assisting"' not in portal.browser("carol").see(TEACH_LAB).text


def test_an_assistant_is_counted_as_no_student(portal: Portal) -> None:
    carol = portal.browser("carol")
    assert "2 students" in carol.see(TEACH).text
    assert "tara" not in carol.see(TEACH_LAB).text
    assert "tara" not in carol.see(f"{TEACH}/scores.csv").text
    assert "tara" not in carol.see(f"{TEACH_LAB}/groups").text
    with portal.base.db.read() as session:
        found = session.scalars(select(Assignment).where(Assignment.name == LAB)).one()
        assert [one.name for one in load_class(session, COURSE, [found]).students] == [
            "alice",
            "bob",
        ]


def test_an_assistant_sees_a_lab_before_the_students_do(portal: Portal) -> None:
    portal.browser("carol").act(f"{TEACH_LAB}/withdraw")
    assert portal.browser("tara").see(f"courses/{COURSE}/labs/{LAB}").status_code == 200
    assert portal.browser("alice").see(f"courses/{COURSE}/labs/{LAB}").status_code == 404
    names = [
        one["name"]
        for one in portal.browser("tara").see(f"api/courses/{COURSE}/assignments").json()
    ]
    assert LAB in names


def test_the_grading_server_is_for_who_grades(portal: Portal) -> None:
    settings, db = portal.base.settings, portal.base.db
    assert settle(settings, db, "tara", f"grade-{COURSE}").course == COURSE
    for name in ("alice", "otto"):
        with pytest.raises(NotAllowed, match="instructor or assistant"):
            settle(settings, db, name, f"grade-{COURSE}")


def test_an_assistant_is_put_in_by_the_page_and_by_a_roster(portal: Portal) -> None:
    carol = portal.browser("carol")
    assert carol.act(f"{TEACH}/people", names="otto", role="assistant").status_code == 204
    roster = f"账号,姓名,学院,角色,课程\nwu.lei,吴磊,医学院,助教,{COURSE}\n".encode()
    sent = carol.post(
        f"{PREFIX}/{TEACH}/people",
        files={"roster": ("roster.csv", roster)},
        headers={"hx-request": "true", "x-csrf-token": carol.token()},
    )
    assert sent.status_code == 204
    with portal.base.db.read() as session:
        for name in ("otto", "wu.lei"):
            assert role_in(session, COURSE, name) is Role.ASSISTANT
        assert session.scalar(select(func.count()).select_from(Person)) == 7
    assert "助教" in portal.browser("carol", "zh").see(f"{TEACH}/people").text


def test_the_only_instructor_stays_one(portal: Portal) -> None:
    carol = portal.browser("carol")
    before = everything(portal)
    refused = carol.act(f"{TEACH}/people", names="carol", role="assistant")
    assert refused.status_code == 409
    assert "carol is the only instructor" in refused.text
    assert everything(portal) == before
    carol.act(f"{TEACH}/people", names="tara", role="instructor")
    assert carol.act(f"{TEACH}/people", names="carol", role="assistant").status_code == 204
    with portal.base.db.read() as session:
        assert role_in(session, COURSE, "carol") is Role.ASSISTANT
