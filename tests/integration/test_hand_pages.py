"""The overview of what waits to be graded by hand: who sees it, and 0 points for empty answers."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    ask_for_an_essay,
    grade_all,
    grades,
    newest,
)
from integration.portal_support import Portal, make_portal
from integration.test_hand_grades import essay_answer, grade_by_hand, points
from nbgrader.utils import compute_checksum
from sqlalchemy import select

from ulab_core.models import AuditEntry, Role
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_coursework.feedback import feedback_html
from ulab_coursework.releases import publish_assignment

PAGE = f"courses/{COURSE}/teach/by-hand"
EMPTY = f"{PAGE}/{LAB}/empty"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """Alice answered the open question, and Bob left it as it was given out."""
    found = make_portal(tmp_path, monkeypatch)
    base = found.base
    ask_for_an_essay(base.layout)
    for path in base.layout.curriculum_version("sums-foundations", "1").rglob(f"{LAB}.ipynb"):
        _know_it_untouched(path)
    folder = base.layout.curriculum_version("sums-foundations", "1") / "labs" / LAB
    rubric = {"en": {"sums-why": "**Two causes**, a point each <script>"}}
    (folder / "rubrics.json").write_text(json.dumps(rubric))
    publish_assignment(base.db, base.layout, COURSE, LAB, None, "at_once", "carol")
    with found.base.db.write() as session:
        ensure_person(session, "erin", "Erin", "Mechanics")
        create_course(
            session, found.base.layout, "other-2026", "sums-foundations", "1", None, "2026", "erin"
        )
        enrol(session, "other-2026", "erin", Role.INSTRUCTOR, "erin")
    found.hand_in("alice", essay_answer("Because."))
    found.hand_in("bob", essay_answer("Why?"))
    grade_all(found.base)
    return found


def _know_it_untouched(path: Path) -> None:
    """Write down, as nbgrader does in a release, what the open question looks like."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].metadata.nbgrader["checksum"] = compute_checksum(notebook.cells[-1])
    nbformat.write(notebook, path)


def audited(portal: Portal) -> list[tuple[str, dict[str, object]]]:
    with portal.base.db.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "assignment.zero_empty")
        )
        return [(row.actor, dict(row.detail)) for row in rows]


def test_it_says_who_waits_and_why_and_links_to_the_answer(portal: Portal) -> None:
    carol = portal.browser("carol")
    page = carol.see(PAGE).text
    assert "2 wait" in page
    assert "answer to read: 1" in page
    assert "left empty: 1" in page
    assert "formgrader%2Fsubmissions%2F" in page
    assert "%23sums-why" in page
    assert "<strong>Two causes</strong>, a point each" in page
    assert "&lt;script&gt;" in page
    assert 'id="open-by-hand"' in carol.see(f"courses/{COURSE}/teach").text
    assert f"by-hand#{LAB}" in carol.see(f"courses/{COURSE}/teach/labs/{LAB}").text
    assert "未作答" in portal.browser("carol", "zh").see(PAGE).text
    grade_by_hand(portal.base, 3, "")
    page = carol.see(PAGE).text
    assert "1 waits" in page
    assert "answer to read" not in page


def test_empty_answers_get_0_points_that_can_be_changed(portal: Portal) -> None:
    base, carol = portal.base, portal.browser("carol")
    done = carol.act(EMPTY)
    assert done.headers["hx-redirect"].endswith("by-hand?given=1")
    assert grades(base, "bob")["sums-why"] == (None, 0, False)
    assert grades(base, "alice")["sums-why"] == (None, None, True)
    assert audited(portal) == [("carol", {"answers": 1, "people": ["bob"]})]
    assert "gave 0 points" in carol.see(f"courses/{COURSE}/teach/labs/{LAB}/policy").text
    page = carol.see(PAGE).text
    assert "left empty" not in page
    assert "data-empty" not in page
    assert "0 / 4" in feedback_html(base.db, base.layout, newest(base, "bob").id, "bob")
    carol.act(EMPTY)
    assert audited(portal)[1][1]["answers"] == 0
    portal.hand_in("bob", essay_answer("Because of that."))
    grade_all(base)
    assert grades(base, "bob")["sums-why"] == (None, None, True)
    assert "answer to read: 2" in carol.see(PAGE).text


def test_points_given_meanwhile_stay(portal: Portal) -> None:
    portal.hand_in("alice", essay_answer("  \n"))
    grade_all(portal.base)
    assert "left empty: 2" in portal.browser("carol").see(PAGE).text
    grade_by_hand(portal.base, 2, "as we agreed")
    portal.browser("carol").act(EMPTY)
    assert grades(portal.base, "alice")["sums-why"] == (None, 2, False)
    assert points(portal.base) == (7, False)


@pytest.mark.parametrize("person", ["alice", "dave", "erin"])
def test_nobody_else_looks_or_gives_points(portal: Portal, person: str) -> None:
    browser = portal.browser(person)
    found = browser.see(PAGE)
    assert found.status_code in (403, 404)
    assert "left empty" not in found.text
    assert browser.act(EMPTY).status_code in (403, 404)
    assert grades(portal.base, "bob")["sums-why"] == (None, None, True)
    assert audited(portal) == []


def test_an_administrator_looks_on_and_changes_nothing(portal: Portal) -> None:
    root = portal.browser("root")
    page = root.see(PAGE).text
    assert "left empty: 1" in page
    assert "data-empty" not in page
    assert "formgrader%2F" not in page
    assert root.act(EMPTY).status_code in (403, 404)
    assert grades(portal.base, "bob")["sums-why"] == (None, None, True)
