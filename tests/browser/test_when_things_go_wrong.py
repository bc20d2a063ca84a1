"""A lost network, a killed portal, a wrong file: each says a sentence, and nothing is lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import nbformat
import pytest
from browser.browser_support import SLOW_MS, Person, RunningBase, process_of
from playwright.sync_api import Browser, Page, Route, expect
from unit.curricula_support import write_other

COURSE = "energy-foundations"
LAB = "tomorrows-load"
LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"


@pytest.fixture
def solved(base: RunningBase, tmp_path: Path) -> Path:
    """A notebook of the lab with every answer in it."""
    notebook = base.release(COURSE, LAB, "en")
    for place, answer in base.reference(COURSE, LAB):
        notebook.cells[place].source = answer
    path = tmp_path / f"{LAB}.ipynb"
    nbformat.write(notebook, path)
    return path


def upload(page: Page, file: Path) -> None:
    if not page.locator("#notebook").is_visible():
        page.locator("summary").first.click()
    page.set_input_files("#notebook", file)
    page.locator("form:has(#notebook) button").click()


@pytest.mark.timeout(400)
def test_network_lost_while_submitting_and_portal_killed_while_grading(
    browser: Browser, base: RunningBase, solved: Path
) -> None:
    student = Person(browser, base, "student2", "en")
    page = student.open(LAB_PAGE)

    page.context.set_offline(True)
    upload(page, solved)
    notice = page.locator("#notice .alert")
    expect(notice).to_contain_text("connection")
    expect(page.locator("#lab-state")).to_have_attribute("data-state", "to_do")
    page.context.set_offline(False)
    notice.get_by_role("button").first.click()
    expect(page.locator("#receipt")).to_be_visible()

    os.kill(process_of(base, "ulab_portal"), signal.SIGKILL)
    expect(page.locator("#lab-state")).to_have_attribute(
        "data-state", "graded", timeout=3 * SLOW_MS
    )
    expect(page.locator("#lab-score")).to_be_visible()
    student.leave()


def test_a_first_question_after_the_receipt_that_gets_no_answer_is_asked_again(
    browser: Browser, base: RunningBase, tmp_path: Path
) -> None:
    # Not one of the students: other tests look at what those have handed in.
    person = Person(browser, base, "teacher", "en")
    page = person.open(LAB_PAGE)
    unsolved = tmp_path / f"{LAB}.ipynb"
    nbformat.write(base.release(COURSE, LAB, "en"), unsolved)
    asked: list[str] = []

    def lose_the_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/state(\?|$)"), lose_the_first)
    upload(page, unsolved)
    expect(page.locator("#receipt")).to_be_visible()
    expect(page.locator("#lab-state")).not_to_have_attribute("data-state", "to_do")
    assert len(asked) > 1

    upload(page, unsolved)
    expect(page.locator("#receipt")).to_contain_text("already handed in exactly this")
    no_notebook = tmp_path / "picture.ipynb"
    no_notebook.write_bytes(b"\x89PNG\r\n")
    upload(page, no_notebook)
    expect(page.locator("#notice .alert")).to_be_visible()
    expect(page.locator("#receipt")).to_have_count(0)
    person.leave()


def test_wrong_files_are_refused_with_a_sentence_and_change_nothing(
    browser: Browser, base: RunningBase, tmp_path: Path
) -> None:
    student = Person(browser, base, "student1", "zh")
    page = student.open(LAB_PAGE)
    other_lab = tmp_path / "other.ipynb"
    nbformat.write(base.release("medicine-foundations", "heart-hospitals", "zh"), other_lab)
    no_notebook = tmp_path / "picture.ipynb"
    no_notebook.write_bytes(b"\x89PNG\r\n")
    too_large = tmp_path / "large.ipynb"
    too_large.write_bytes(b" " * (20 * 1024 * 1024 + 1))
    for file, word in (
        (no_notebook, "笔记本"),
        (other_lab, "heart-hospitals"),
        (too_large, "20 MB"),
    ):
        upload(page, file)
        expect(page.locator("#notice .alert")).to_contain_text(word)
        type_of_text = page.evaluate("getComputedStyle(document.body).fontFamily")
        expect(page.locator("#notice .ulab-lines")).to_have_css("font-family", type_of_text)
        page.reload()
        expect(page.locator("#lab-state")).to_have_attribute("data-state", "to_do")
    student.leave()


@pytest.mark.parametrize(
    ("language", "width", "said"),
    [
        ("zh", 1280, "课程方案 vision-foundations 已经有了，而且不是你的"),
        ("en", 390, "There is a curriculum vision-foundations already, and it isn't yours."),
    ],
)
def test_an_instructor_who_publishes_under_a_taken_name_reads_which(
    browser: Browser, base: RunningBase, tmp_path: Path, language: str, width: int, said: str
) -> None:
    teacher = Person(browser, base, "teacher", language, width=width)
    write_other(tmp_path / "mine", "vision-foundations", "quotients")
    page = teacher.open("")
    page.locator("a[href$='/curricula']").click()
    file = shutil.make_archive(str(tmp_path / f"mine-{language}"), "zip", tmp_path / "mine")
    page.set_input_files("#curricula", file)
    page.click("#upload-curricula")
    # The page before the upload is there for a while, with the other language's.
    result = page.locator("[data-upload]").filter(has_text=f"mine-{language}.zip")
    expect(result).to_have_attribute("data-upload", "refused", timeout=SLOW_MS)
    expect(result).to_contain_text(said)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    teacher.leave()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("who", ["student1", "teacher"])
def test_pages_fit_a_phone_in_both_languages(
    browser: Browser, base: RunningBase, who: str, language: str
) -> None:
    person = Person(browser, base, who, language, width=390)
    paths = ["", f"courses/{COURSE}", LAB_PAGE]
    if who == "teacher":
        paths += [f"courses/{COURSE}/teach", f"courses/{COURSE}/teach/labs/{LAB}"]
        paths += ["new-course", "curricula"]
    for path in paths:
        page = person.open(path)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    person.leave()
