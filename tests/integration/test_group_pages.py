"""Groups in the portal: what a student does on the lab's page, and what the instructor does."""

from __future__ import annotations

import io
import re
from pathlib import Path

import httpx
import pytest
from integration.coursework_support import COURSE, LAB, answer, grade_all
from integration.portal_support import PREFIX, Portal, make_portal

LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"
GROUPS = f"courses/{COURSE}/teach/labs/{LAB}/groups"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    made = make_portal(tmp_path, monkeypatch)
    settings = made.browser("carol").act(f"{GROUPS}/settings", size="2", own="true")
    assert settings.status_code == 204, settings.text
    return made


def send(portal: Portal, person: str, content: str, language: str = "en") -> httpx.Response:
    browser = portal.browser(person, language)
    return browser.post(
        f"{PREFIX}/{GROUPS}/import",
        files={"file": ("groups.csv", io.BytesIO(content.encode()))},
        headers={"hx-request": "true", "x-csrf-token": browser.token()},
    )


def test_a_student_makes_a_group_and_another_joins_with_its_code(portal: Portal) -> None:
    alice, bob = portal.browser("alice"), portal.browser("bob", "zh")
    assert alice.act(f"{LAB_PAGE}/group/make", group="Team").status_code == 204
    page = alice.see(LAB_PAGE).text
    found = re.search(r'id="group-code"[^>]*>(\w{6})<', page)
    assert found
    assert bob.act(f"{LAB_PAGE}/group/join", code="NOCODE").status_code == 404
    assert bob.act(f"{LAB_PAGE}/group/join", code=found[1]).status_code == 204
    for browser in (alice, bob):
        page = browser.see(LAB_PAGE).text
        assert 'data-member="alice"' in page
        assert 'data-member="bob"' in page
        assert 'id="group-code"' not in page, "it is full"
    assert "我的小组" in page
    assert bob.act(f"{LAB_PAGE}/group/leave").status_code == 204
    assert 'data-member="bob"' not in alice.see(LAB_PAGE).text


def test_all_of_a_group_see_receipt_points_and_feedback(portal: Portal) -> None:
    assert send(portal, "carol", "name,group\nalice,Team\nbob,Team\n").status_code == 204
    submission = portal.hand_in("alice", answer())
    grade_all(portal.base)
    for person in ("alice", "bob"):
        page = portal.browser(person).see(LAB_PAGE).text
        assert 'id="cell-scores"' in page, "the points of each task, too"
        assert submission in page
        assert 'id="leave-group"' not in page
        assert ("by Alice" in page) is (person == "bob")
        assert "by alice" not in page
        shown = portal.browser(person).see(f"submissions/{submission}/feedback")
        assert shown.status_code == 200
    assert portal.browser("bob").act(f"{LAB_PAGE}/group/leave").status_code == 409
    table = portal.browser("carol").see(f"courses/{COURSE}/teach/labs/{LAB}").text
    assert table.count("data-in-group") == 2
    # The one who handed it in is taken out.
    assert portal.browser("carol").act(f"{GROUPS}/move", student="alice").status_code == 204
    for person, status in (("alice", 404), ("bob", 200), ("dave", 404)):
        browser = portal.browser(person)
        for part in ("feedback", "notebook"):
            assert browser.see(f"submissions/{submission}/{part}").status_code == status


def test_a_file_with_a_bad_line_changes_nothing(portal: Portal) -> None:
    refused = send(portal, "carol", "账号,小组\nalice,一组\ndave,一组\n", "zh")
    assert refused.status_code == 400
    assert "dave 不是本课程的学生" in refused.text
    assert 'data-group="' not in portal.browser("carol").see(GROUPS).text
    assert send(portal, "carol", "账号,小组\nalice,一组\n", "zh").status_code == 204
    assert 'data-group="一组"' in portal.browser("carol").see(GROUPS).text
    table = portal.browser("carol").see(f"{GROUPS}.csv").text
    assert "alice,一组,Alice" in table


@pytest.mark.parametrize("person", ["alice", "dave", "root"])
def test_only_instructors_form_groups_for_others(portal: Portal, person: str) -> None:
    browser = portal.browser(person)
    assert send(portal, person, "name,group\nalice,Team\n").status_code == 403
    assert browser.act(f"{GROUPS}/move", student="alice", group="Team").status_code == 403
    assert browser.act(f"{GROUPS}/settings", size="3").status_code == 403
    # An administrator looks on.
    looks = 200 if person == "root" else 403
    assert browser.see(GROUPS).status_code == browser.see(f"{GROUPS}.csv").status_code == looks
    assert 'data-group="' not in portal.browser("carol").see(GROUPS).text


def test_where_the_instructor_forms_groups_students_do_not(portal: Portal) -> None:
    assert portal.browser("carol").act(f"{GROUPS}/settings", size="2").status_code == 204
    alice = portal.browser("alice")
    assert "Your instructor forms the groups." in alice.see(LAB_PAGE).text
    assert alice.act(f"{LAB_PAGE}/group/make", group="Team").status_code == 409
    assert portal.browser("carol").act(f"{GROUPS}/settings", size="1").status_code == 204
    assert 'id="group"' not in alice.see(LAB_PAGE).text


def test_formgrader_finds_a_groups_work_under_the_gradebooks_name(portal: Portal) -> None:
    send(portal, "carol", "name,group\nalice,Team\nbob,Team\n")
    submission = portal.hand_in("bob", answer())
    grade_all(portal.base)
    carol, api = portal.browser("carol"), f"api/courses/{COURSE}/assignments/{LAB}"
    [inbound] = carol.see(f"{api}/inbound").json()
    assert (inbound["id"], inbound["person"]) == (submission, "bob")
    for name, status in ((inbound["entry"], 200), ("alice", 200), ("_group-99", 404)):
        asked = carol.post(
            f"{PREFIX}/{api}/grade",
            json={"student": name},
            headers={"x-csrf-token": carol.token()},
        )
        assert asked.status_code == status, asked.text
