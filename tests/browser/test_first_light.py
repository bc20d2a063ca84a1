"""The main job, through the pages alone: from an instructor's class to a student's feedback."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from browser.browser_support import SLOW_MS, Person, RunningBase, fill_and_run
from playwright.sync_api import Browser, Page, expect

COURSE = "medicine-autumn"
CURRICULUM = "medicine-foundations"
LAB = "heart-hospitals"
LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"
TEACH = f"courses/{COURSE}/teach"


@pytest.mark.timeout(600)
def test_a_class_from_publishing_to_feedback(
    browser: Browser, base: RunningBase, tmp_path: Path
) -> None:
    teacher = Person(browser, base, "teacher", "en")
    _make_and_publish(teacher)

    student = Person(browser, base, "student1", "zh")
    page = student.open("")
    page.get_by_text("心脏病课").click()
    page.wait_for_url(f"**/courses/{COURSE}")
    page.locator(f"a[href$='/labs/{LAB}']").click()
    expect(page.locator("#lab-state")).to_have_text("未提交")
    page.click("#open-lab")
    page.wait_for_url(f"**/lab/tree/{COURSE}/{LAB}/**")
    fill_and_run(page, base.reference(CURRICULUM, LAB))

    page = student.open(LAB_PAGE)
    page.click("#submit-lab")
    expect(page.locator("#lab-state")).to_have_attribute("data-state", "graded", timeout=SLOW_MS)
    score = page.locator("#lab-score").inner_text()
    expect(page.locator("#cell-scores .ulab-tick-full").first).to_be_visible()
    expect(page.locator("#cell-scores .ulab-tick-part")).to_have_count(0)
    with page.expect_popup() as opened:
        page.click("#open-feedback")
    feedback = opened.value
    expect(feedback.get_by_text("BEGIN HIDDEN TESTS")).to_have_count(0)
    feedback_path = feedback.url.removeprefix(base.url)
    assert student.status(feedback_path) == 200

    _sees_the_class(teacher, score, tmp_path)
    runs_address = _sees_own_runs(student)
    _refused_to_others(Person(browser, base, "student2", "zh"), feedback_path, runs_address)


def _make_and_publish(teacher: Person) -> None:
    page = teacher.open("new-course")
    page.locator(f"input[name=curriculum][value^='{CURRICULUM}@']").check()
    page.fill("#course_id", COURSE)
    page.fill("#title_zh", "心脏病课")
    page.fill("#title_en", "Hearts")
    page.click("#create-course")
    page.wait_for_url(f"**/{TEACH}**")
    page.fill("#names", "student1, student2")
    page.locator("form:has(#names) button[type=submit]").click()
    expect(page.locator("#class-scores")).to_contain_text("student2")
    page.locator(f"a[href$='/teach/labs/{LAB}']").first.click()
    page.click("#publish")
    expect(page.locator("h1 .badge")).to_have_text("Published")


def _sees_the_class(teacher: Person, score: str, tmp_path: Path) -> None:
    points = score.split("/")[0].strip()
    page = teacher.open(f"{TEACH}/labs/{LAB}")
    row = page.locator("tr[data-student=student1]")
    expect(row).to_contain_text(f"{points} /")
    expect(page.locator("#distribution canvas, #distribution svg").first).to_be_visible()
    page = teacher.open(TEACH)
    with page.expect_download() as started:
        page.click("#download-csv")
    target = tmp_path / "scores.csv"
    started.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = {row[0]: row for row in csv.reader(file)}
    assert any(points in cell for cell in rows["student1"][1:])
    assert "student2" in rows


def _sees_own_runs(student: Person) -> str:
    """Look at the own runs from the lab's page; gives the address of the page of runs."""
    page = student.open(LAB_PAGE)
    with page.expect_popup() as opened:
        page.click("#my-runs")
    runs = opened.value
    expect(runs.locator("body")).to_contain_text(f"{LAB}/student1", timeout=SLOW_MS)
    expect(runs.locator("a[href*='/runs/']").first).to_be_visible(timeout=SLOW_MS)
    address = runs.url
    assert _ask_mlflow(runs, address) == 200
    runs.close()
    return address


def _refused_to_others(other: Person, feedback_path: str, runs_address: str) -> None:
    assert other.status(feedback_path) in (403, 404)
    assert other.status(f"/services/ulab/{TEACH}") == 403
    page = other.open(LAB_PAGE)
    with page.expect_popup() as opened:
        page.click("#my-runs")
    runs = opened.value
    expect(runs.locator("body")).to_contain_text(f"{LAB}/student2", timeout=SLOW_MS)
    assert _ask_mlflow(runs, runs.url) == 200
    assert _ask_mlflow(runs, runs_address) == 403


def _ask_mlflow(page: Page, runs_address: str) -> int:
    """What MLflow says when its own page asks for the experiment at `runs_address`."""
    experiment = re.search(r"experiments/(\d+)", runs_address)
    assert experiment is not None
    status: int = page.evaluate(
        """async ([experiment, course]) => (await fetch(
            `ajax-api/2.0/mlflow/experiments/get?experiment_id=${experiment}`,
            {headers: {"X-MLFLOW-WORKSPACE": course}})).status""",
        [experiment[1], COURSE],
    )
    return status
