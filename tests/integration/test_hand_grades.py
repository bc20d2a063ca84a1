"""Points and comments that a person gave: for one answer, and for nothing handed in later."""

from __future__ import annotations

import nbformat
import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    Base,
    answer,
    ask_for_an_essay,
    grade_all,
    grades,
    hand_in,
    newest,
    publish_version,
)
from integration.portal_support import PREFIX, Browser, KnownPeople
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from ulab_coursework.answers import answers
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.feedback import feedback_html
from ulab_coursework.gradebook import score_of
from ulab_coursework.grades import changed_answers
from ulab_coursework.moving import move
from ulab_coursework.releases import publish_assignment
from ulab_portal.app import create_app

ESSAY = {"grade_id": "sums-why", "grade": True, "solution": True, "points": 4}


def essay_answer(text: str, body: str = "return a + b") -> bytes:
    """A submission that answers the question by hand too."""
    notebook = nbformat.reads(answer(body).decode(), as_version=4)
    about = {"nbgrader": {**ESSAY, "locked": False, "task": False, "schema_version": 3}}
    cell = new_markdown_cell(text, metadata=about)
    cell.id = "sums-why"
    notebook.cells.append(cell)
    return nbformat.writes(notebook).encode()


def grade_by_hand(base: Base, points: float, comment: str, cell: str = "sums-why") -> None:
    """What an instructor does in formgrader."""
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as gradebook:
        grade = gradebook.find_grade(cell, LAB, LAB, "alice")
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            gradebook.find_comment(cell, LAB, LAB, "alice").manual_comment = comment
        gradebook.db.commit()


def points(base: Base) -> tuple[float, bool]:
    with base.db.read() as session:
        found = score_of(base.layout, session, COURSE, "alice", LAB)
    assert found is not None
    return found.points, found.needs_person


@pytest.fixture
def with_essay(base: Base) -> Base:
    ask_for_an_essay(base.layout)
    publish_assignment(base.db, base.layout, COURSE, LAB, None, "at_once", "carol")
    hand_in(base, essay_answer("Because."))
    grade_all(base)
    assert points(base) == (5, True)
    grade_by_hand(base, 3.5, "too short")
    assert points(base) == (8.5, False)
    return base


def test_another_answer_waits_for_the_instructor_again(with_essay: Base) -> None:
    hand_in(with_essay, essay_answer("Because it says so."))
    grade_all(with_essay)
    assert points(with_essay) == (5, True)
    assert grades(with_essay)["sums-why"] == (None, None, True)
    page = feedback_html(with_essay.db, with_essay.layout, newest(with_essay).id, "alice")
    assert "too short" not in page
    assert "待教师评分" in page


def test_the_same_answer_keeps_its_points_and_comment(with_essay: Base) -> None:
    hand_in(with_essay, essay_answer("Because.", "return 0"))
    grade_all(with_essay)
    assert points(with_essay) == (3.5, False)
    page = feedback_html(with_essay.db, with_essay.layout, newest(with_essay).id, "alice")
    assert "too short" in page


def test_changed_tests_keep_what_a_person_gave_and_ask_to_look_again(with_essay: Base) -> None:
    grade_by_hand(with_essay, 1.5, "", "sums-visible")

    def other_tests(lab: str, notebook: nbformat.NotebookNode) -> None:
        for cell in notebook.cells if lab == LAB else ():
            cell.source = cell.source.replace("== 3,", "== 4,")

    publish_version(with_essay.layout, "2", other_tests)
    move(with_essay.db, with_essay.layout, COURSE, "2", "carol", regrades=True)
    grade_all(with_essay)
    assert grades(with_essay) == {
        "sums-visible": (0, 1.5, True),
        "sums-hidden": (3, None, False),
        "sums-why": (None, 3.5, False),
    }
    assert points(with_essay) == (8, True)
    page = feedback_html(with_essay.db, with_essay.layout, newest(with_essay).id, "alice")
    assert "too short" in page
    assert "8 / 9" in page


def test_a_question_worth_less_than_what_a_person_gave_waits_for_them(with_essay: Base) -> None:
    def worth_less(lab: str, notebook: nbformat.NotebookNode) -> None:
        for cell in notebook.cells:
            about = cell.metadata.get("nbgrader", {})
            if about.get("grade_id") == "sums-why":
                about["points"] = 2

    publish_version(with_essay.layout, "2", worth_less)
    move(with_essay.db, with_essay.layout, COURSE, "2", "carol", regrades=True)
    grade_all(with_essay)
    assert grades(with_essay)["sums-why"] == (None, 3.5, True), "kept, and asked about"


def test_points_given_for_a_failed_test_go_with_what_it_tested(base: Base) -> None:
    hand_in(base, answer("return 0"))
    grade_all(base)
    grade_by_hand(base, 1.5, "", "sums-visible")
    hand_in(base, answer("return 1"))
    grade_all(base)
    assert grades(base)["sums-visible"] == (0, None, False)


def test_a_test_answers_for_the_nearest_cells_above_it() -> None:
    def cell(name: str, source: str, **flags: bool) -> nbformat.NotebookNode:
        kind = {"grade": False, "solution": False, "task": False, **flags}
        return nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**kind, "grade_id": name}})

    def notebook(first: str, second: str) -> nbformat.NotebookNode:
        return nbformat.v4.new_notebook(
            cells=[
                cell("one", first, solution=True),
                cell("test-one", "assert 1", grade=True),
                cell("test-one-more", "assert 1", grade=True),
                cell("two", second, solution=True),
                cell("test-two", "assert 2", grade=True),
            ]
        )

    before = notebook("a", "b")
    assert answers(before)["test-one-more"] == ("a",)
    assert changed_answers(before, notebook("a", "b")) == set()
    assert changed_answers(before, notebook("a", "c")) == {"two", "test-two"}
    assert changed_answers(before, notebook("x", "b")) == {"one", "test-one", "test-one-more"}
    assert len(changed_answers(None, before)) == 5


def read_feedback(base: Base) -> str:
    return feedback_html(base.db, base.layout, newest(base).id, "alice")


def test_what_is_graded_by_hand_reaches_the_student_at_once(with_essay: Base) -> None:
    assert "too short" in read_feedback(with_essay)
    assert "8.5 / 9" in read_feedback(with_essay)
    written = with_essay.layout.feedback_file(newest(with_essay).id).stat().st_mtime_ns
    read_feedback(with_essay)
    assert with_essay.layout.feedback_file(newest(with_essay).id).stat().st_mtime_ns == written
    grade_by_hand(with_essay, 4, "good after all")
    assert "good after all" in read_feedback(with_essay)


def test_what_waits_for_its_release_changes_only_then(with_essay: Base) -> None:
    base = with_essay
    publish_assignment(base.db, base.layout, COURSE, LAB, None, "on_release", "carol")
    app = create_app(base.settings, KnownPeople())
    carol = Browser(app, "carol", "en")
    lab = f"courses/{COURSE}/teach/labs/{LAB}"
    assert "Release scores and feedback" in carol.see(lab).text
    carol.act(f"{lab}/release")
    assert 'id="release-feedback"' not in carol.see(lab).text
    assert "too short" in read_feedback(base)

    grade_by_hand(base, 4, "good after all")
    assert "good after all" not in read_feedback(base)
    assert "Release new feedback for 1 student<" in carol.see(lab).text
    carol.act(f"{lab}/release")
    assert "good after all" in read_feedback(base)
    assert 'id="release-feedback"' not in carol.see(lab).text


def test_the_history_shows_the_newest_submission_with_its_score_by_hand(with_essay: Base) -> None:
    app = create_app(with_essay.settings, KnownPeople())
    page = Browser(app, "alice", "en").see(f"courses/{COURSE}/labs/{LAB}").text
    assert "<span>8.5</span>" in page
    assert '<span class="ulab-number">8.5 / 9' in page


def test_the_feedback_page_leads_back_to_the_lab(with_essay: Base) -> None:
    app = create_app(with_essay.settings, KnownPeople())
    where = f"submissions/{newest(with_essay).id}/feedback"
    page = Browser(app, "alice", "en").see(where).text
    assert '<body><nav class="site"' in page
    assert f'href="{PREFIX}/courses/{COURSE}/labs/{LAB}"' in page
    page = Browser(app, "carol", "en").see(where).text
    assert f'href="{PREFIX}/courses/{COURSE}/teach/labs/{LAB}"' in page
    assert "prefers-color-scheme: dark" in page


def test_the_feedback_page_is_dark_or_light_as_the_site_is(with_essay: Base) -> None:
    browser = Browser(create_app(with_essay.settings, KnownPeople()), "alice", "en")
    where = f"submissions/{newest(with_essay).id}/feedback"
    assert "<html lang=" in browser.see(where).text
    for theme in ("dark", "light"):
        browser.cookies.set("ulab-theme", theme)
        assert f'<html data-theme="{theme}" lang=' in browser.see(where).text
    browser.cookies.set("ulab-theme", "x><script>")
    page = browser.see(where).text
    assert "<html lang=" in page
    assert "x><script>" not in page


def test_the_sum_says_that_it_is_before_what_being_late_costs(with_essay: Base) -> None:
    page = read_feedback(with_essay)
    heading = page.partition('<h1 class="score">')[2].partition("</h1>")[0]
    assert "/" not in heading
    assert "<strong>8.5 / 9</strong>" in page
