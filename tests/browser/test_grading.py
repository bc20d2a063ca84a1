"""Grading as a class sees it: late and on time, by hand, and anew by a changed test."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
import pytest
from browser.browser_support import SLOW_MS, Person, RunningBase
from integration.coursework_support import (
    LAB,
    ask_for_an_essay,
    publish_version,
    write_curriculum,
)
from playwright.sync_api import Browser, Dialog, Page, expect

from ulab_core.layout import Layout

COURSE = "sums-autumn"
LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"
TEACH = f"courses/{COURSE}/teach"
TEACH_LAB = f"{TEACH}/labs/{LAB}"
BY_HAND = f"{TEACH}/by-hand"
GROUNDS = {"dark": "rgb(18, 21, 28)", "light": "rgb(246, 247, 250)"}


@pytest.fixture(scope="module")
def release(browser: Browser, base: RunningBase) -> nbformat.NotebookNode:
    """The notebook of a small published lab: 5 points by tests, 4 by hand."""
    layout = Layout(base.state)
    write_curriculum(layout)
    ask_for_an_essay(layout)
    teacher = Person(browser, base, "teacher", "en")
    page = teacher.open("new-course")
    page.locator("input[name=curriculum][value^='sums-foundations@']").check()
    page.fill("#course_id", COURSE)
    page.click("#create-course")
    page.wait_for_url(f"**/{TEACH}**")
    page.fill("#names", "student1, student2")
    page.locator("form:has(#names) button[type=submit]").click()
    expect(page.locator("#class-scores")).to_contain_text("student2")
    page = teacher.open(TEACH_LAB)
    page.fill("#due", "")
    page.click("#publish")
    expect(page.locator("h1 .badge")).to_have_text("Published")
    teacher.leave()
    return base.release("sums-foundations", LAB, "zh")


@pytest.fixture
def teacher(browser: Browser, base: RunningBase, release: object) -> Iterator[Person]:
    found = Person(browser, base, "teacher", "en", width=390)
    yield found
    found.leave()


@pytest.fixture
def student(browser: Browser, base: RunningBase, release: object) -> Iterator[Person]:
    found = Person(browser, base, "student1", "zh")
    yield found
    found.leave()


def hand_in(page: Page, release: nbformat.NotebookNode, body: str, essay: str) -> None:
    """Hand in a function with that body and an essay, and wait until it is graded."""
    notebook = nbformat.from_dict(release)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name == f"{LAB}-solution":
            cell.source = f"def add(a, b):\n    {body}"
        elif name == f"{LAB}-why":
            cell.source = essay
    page.locator("summary").first.click()
    content = nbformat.writes(notebook).encode()
    page.set_input_files(
        "#notebook",
        files=[{"name": f"{LAB}.ipynb", "mimeType": "application/json", "buffer": content}],
    )
    page.locator("form:has(#notebook) button").click()
    state = page.locator("#lab-state")
    expect(page.locator("#receipt")).to_be_visible()
    expect(state).to_have_attribute("data-state", "graded", timeout=3 * SLOW_MS)


def test_empty_answers_get_0_points_by_a_button_that_asks_first(
    teacher: Person, student: Person, release: nbformat.NotebookNode
) -> None:
    hand_in(student.open(LAB_PAGE), release, "return a + b", "  \n")
    by_hand = student.page.locator("#cell-scores tr").last
    expect(by_hand).to_contain_text("由教师评分")
    assert student.status(f"/services/ulab/{BY_HAND}") == 403
    assert _ask_for_0_points(student.page) == 403

    page = teacher.open(BY_HAND)
    asked: list[str] = []
    answers = iter((False, True))

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if next(answers) else dialog.dismiss()

    page.on("dialog", answer)
    button = page.locator("button[data-empty]")
    button.click()
    expect(page.locator("#given")).to_have_count(0)
    student.open(LAB_PAGE)
    expect(by_hand).to_contain_text("由教师评分")
    button.click()
    expect(page.locator("#given")).to_contain_text("1 empty answer was given 0 points.")
    expect(button).to_have_count(0)
    assert [text.partition("?")[0] for text in asked] == ["Give 0 points for 1 empty answer"] * 2
    student.open(LAB_PAGE)
    expect(by_hand).to_contain_text("0 / 4")


def _ask_for_0_points(page: Page) -> int:
    """What is said to a person who sends what the instructor's button sends."""
    status: int = page.evaluate(
        """async path => (await fetch(document.body.dataset.prefix + path, {
            method: "POST",
            headers: JSON.parse(document.body.getAttribute("hx-headers")),
        })).status""",
        f"{BY_HAND}/{LAB}/empty",
    )
    return status


def test_feedback_is_as_dark_or_light_as_the_site(
    student: Person, release: nbformat.NotebookNode
) -> None:
    page = student.open(LAB_PAGE)
    if not page.locator("#open-feedback").count():
        hand_in(page, release, "return a + b", "因为。")
    for theme, system in (("dark", "light"), ("light", "dark")):
        page.click("#dark-theme-toggle")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        with page.expect_popup() as opened:
            page.click("#open-feedback")
        feedback = opened.value
        feedback.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        expect(feedback.locator("body")).to_have_css("background-color", GROUNDS[theme])
        feedback.close()


def test_from_a_late_hand_in_to_a_score_that_a_changed_test_moves(
    browser: Browser, base: RunningBase, teacher: Person, release: nbformat.NotebookNode
) -> None:
    page = teacher.open(f"{TEACH_LAB}/policy")
    page.fill("#due_at", "2026-01-01T00:00")
    page.select_option("#late_rule", "free")
    page.fill("#attempts", "1")
    page.click("#save-policy")
    # It has passed, so the page asks first.
    page.click("button[name=past]")
    expect(page.locator("#saved")).to_be_visible()
    student = Person(browser, base, "student2", "en", width=390)
    hand_in(student.open(LAB_PAGE), release, "return a + b", "Because.")
    score = student.page.locator("#lab-score")
    expect(score).to_have_text(re.compile(r"^5\b"))
    expect(student.page.locator("#policies")).to_contain_text("0 attempts are left.")

    page.select_option("#late_rule", "step")
    page.fill("#late_amount", "10")
    page.click("#save-policy")
    expect(page.locator("#changes li").first).to_contain_text("Penalty")
    student.open(LAB_PAGE)
    expect(score).to_have_text(re.compile(r"^0\b"))
    expect(student.page.locator("#no-attempt")).to_be_visible()
    page.check("#person-student2")
    page.fill("#until", "2126-01-01T00:00")
    page.click("#give-extension")
    expect(page.locator("[data-extension=student2]")).to_be_visible()
    student.open(LAB_PAGE)
    expect(score).to_have_text(re.compile(r"^5\b"))

    publish_version(Layout(base.state), "2", _harder)
    page = teacher.open(f"{TEACH}/version")
    page.get_by_role("button", name="Move the course to this version").click()
    page.locator("#moved-here a").click()
    moved = page.locator("[data-moved=student2]")
    expect(moved).to_contain_text("5 → 3", timeout=SLOW_MS)
    expect(moved).to_contain_text("add(1, 2) must be 4")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    student.open(LAB_PAGE)
    expect(score).to_have_text(re.compile(r"^3\b"))
    expect(student.page.locator("#cell-scores")).to_have_text(re.compile(r"0 / 2\s.*3 / 3", re.S))
    student.leave()


def _harder(lab: str, notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"{LAB}-visible":
            cell.source = "assert add(1, 2) == 4, 'add(1, 2) must be 4'"
