"""Take the pictures of the README anew: ``make screenshots``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from browser.browser_support import CHROMIUM, CHROMIUM_ARGUMENTS, SLOW_MS, Person, RunningBase
from playwright.sync_api import Page, expect, sync_playwright

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COURSE = "medicine-foundations"
LAB = "heart-hospitals"
LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        base = RunningBase(Path(folder))
        try:
            base.wait_until_ready()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
            answers = base.reference(COURSE, LAB)
            for name, known in (("student2", answers[:3]), ("student1", answers)):
                _hand_in(Person(browser, base, name, "zh").open(LAB_PAGE), base, known)
            student = Person(browser, base, "student1", "zh")
            _take(student.open(""), "courses-zh")
            _take(student.open(LAB_PAGE), "lab-zh", whole=True)
            page = student.page
            page.click("#open-lab")
            page.wait_for_url("**/lab/tree/**")
            page.wait_for_selector(".jp-Notebook h1")
            page.wait_for_timeout(5000)  # the toolbar and the kernel come one by one
            _take(page, "jupyterlab-zh")
            teacher = Person(browser, base, "teacher", "en")
            page = teacher.open(f"courses/{COURSE}/teach/labs/{LAB}")
            expect(page.locator("#distribution canvas").first).to_be_visible()
            _take(page, "class-en", whole=True)
            phone = Person(browser, base, "student1", "en", width=390)
            _take(phone.open(LAB_PAGE), "phone-en")
            browser.close()
        finally:
            base.stop()


def _hand_in(page: Page, base: RunningBase, answers: list[tuple[int, str]]) -> None:
    notebook = base.release(COURSE, LAB, "zh")
    for place, answer in answers:
        notebook.cells[place].source = answer
    page.locator("summary").first.click()
    content = nbformat.writes(notebook).encode()
    page.set_input_files(
        "#notebook",
        files=[{"name": f"{LAB}.ipynb", "mimeType": "application/json", "buffer": content}],
    )
    page.locator("form:has(#notebook) button").click()
    state = page.locator("#lab-state")
    expect(state).to_have_attribute("data-state", "graded", timeout=3 * SLOW_MS)


def _take(page: Page, name: str, *, whole: bool = False) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)


if __name__ == "__main__":
    main()
