"""MLflow's own pages behind the gateway: a student's runs, the class's, and a stranger's link."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from browser.browser_support import SLOW_MS, Person, RunningBase
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response, expect

from ulab_mlflow.links import run_link

# The demonstration's own course.
COURSE, LAB = "medicine-foundations", "heart-hospitals"
RUN_NAME = "a run with a curve"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# As MLflow's own pages ask.
_LOG_A_RUN = """async ([experiment, course, name, picture]) => {
    const headers = {"X-MLFLOW-WORKSPACE": course, "Content-Type": "application/json"};
    const ask = async (path, body) => {
        const answer = await fetch(`ajax-api/2.0/mlflow/${path}`, {
            method: "POST", headers, body: JSON.stringify(body)});
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
        return answer.json();
    };
    const made = await ask("runs/create", {
        experiment_id: experiment, start_time: Date.now(), run_name: name});
    const run_id = made.run.info.run_id;
    const metrics = [...Array(30).keys()].map(step => ({
        key: "loss", value: 1 / (1 + step), timestamp: Date.now(), step}));
    await ask("runs/log-batch", {run_id, metrics, params: [{key: "lr", value: "0.1"}]});
    const bytes = Uint8Array.from(atob(picture), c => c.charCodeAt(0));
    for (const [path, content] of [["curve.png", bytes], ["notes.txt", "noted by hand"]]) {
        const kept = await fetch(
            `ajax-api/2.0/mlflow/upload-artifact?run_uuid=${run_id}&path=${path}`,
            {method: "POST", headers: {"X-MLFLOW-WORKSPACE": course}, body: content});
        if (!kept.ok) throw new Error(`${path}: ${kept.status} ${await kept.text()}`);
    }
    await ask("runs/update", {run_id, status: "FINISHED", end_time: Date.now()});
    return run_id;
}"""


class Watched:
    """What went wrong in a page, in the eyes of whoever opens its developer tools."""

    def __init__(self, page: Page) -> None:
        self.wrong: list[str] = []
        self._refusals: list[Response] = []
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("response", self._note_answer)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _note_answer(self, answer: Response) -> None:
        if answer.status >= 400:
            self._refusals.append(answer)

    def report(self) -> str:
        """All of it, with what the server said; nothing if all went well."""
        refused = [
            f"{one.status} {one.request.method} {one.url}: {_said(one)}" for one in self._refusals
        ]
        return "\n".join(refused + self.wrong)


def _said(answer: Response) -> str:
    try:
        return answer.text()
    except Error:
        return "(not kept by the browser)"


@pytest.fixture(scope="module")
def student(browser: Browser, base: RunningBase) -> Iterator[Person]:
    person = Person(browser, base, "student1", "zh")
    yield person
    person.leave()


@pytest.fixture(scope="module")
def run_page(student: Person) -> str:
    """The address of a run of the student's, as their own page shows it."""
    page = student.open(f"courses/{COURSE}/labs/{LAB}")
    with page.expect_popup() as opened:
        page.click("#my-runs")
    runs = opened.value
    expect(runs.locator("body")).to_contain_text(f"{LAB}/student1", timeout=SLOW_MS)
    experiment = re.search(r"experiments/(\d+)", runs.url)
    assert experiment is not None
    picture = base64.b64encode(PICTURE).decode()
    run_id = runs.evaluate(_LOG_A_RUN, [experiment[1], COURSE, RUN_NAME, picture])
    runs.close()
    start, query = runs.url.split("?", 1)
    return f"{start}/{run_id}?{query}"


def opened(person: Person, address: str, words: str) -> tuple[Page, Watched]:
    page = person.page.context.new_page()
    watched = Watched(page)
    page.goto(address)
    expect(page.locator("body")).to_contain_text(words, timeout=SLOW_MS)
    return page, watched


def test_a_student_sees_the_own_run_its_chart_and_its_files(student: Person, run_page: str) -> None:
    page, watched = opened(student, run_page, RUN_NAME)
    expect(page.locator("body")).to_contain_text("0.1")
    address, query = run_page.split("?", 1)
    page.goto(f"{address}/model-metrics?{query}")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=SLOW_MS)
    page.goto(f"{address}/artifacts?{query}")
    page.get_by_text("notes.txt").first.click()
    expect(page.locator("body")).to_contain_text("noted by hand", timeout=SLOW_MS)
    page.get_by_text("curve.png").first.click()
    expect(page.locator("img[src^='blob:'], .image-outer-container").first).to_be_visible(
        timeout=SLOW_MS
    )
    assert watched.report() == ""
    expect(page.get_by_text("403")).to_have_count(0)
    page.close()


def test_an_instructor_sees_the_class_and_the_run(
    browser: Browser, base: RunningBase, run_page: str
) -> None:
    teacher = Person(browser, base, "teacher", "en")
    page, watched = opened(teacher, f"{base.url}{run_link(COURSE, LAB, 'student1')}", RUN_NAME)
    page.goto(run_page)
    expect(page.locator("body")).to_contain_text(RUN_NAME, timeout=SLOW_MS)
    page.goto(f"{base.url}/services/mlflow/ulab/open?course={COURSE}")
    expect(page.locator("body")).to_contain_text(f"{LAB}/student1", timeout=SLOW_MS)
    assert watched.report() == ""
    teacher.leave()


@pytest.mark.parametrize(
    ("language", "sentence", "back"),
    [
        ("zh", "这些是其他人的运行记录", "我的课程"),
        ("en", "These are another person's runs.", "My courses"),
    ],
)
@pytest.mark.parametrize("width", [1280, 390])
def test_a_strangers_link_leads_to_a_refusal_that_says_so(
    browser: Browser,
    base: RunningBase,
    run_page: str,
    language: str,
    sentence: str,
    back: str,
    width: int,
) -> None:
    other = Person(browser, base, "student2", language, width)
    answer = other.page.goto(f"{base.url}{run_link(COURSE, LAB, 'student1')}")
    assert answer is not None
    assert answer.status == 403
    expect(other.page.locator("h1")).to_contain_text(sentence)
    assert other.page.evaluate("document.documentElement.scrollWidth") <= width
    other.page.get_by_text(back).click()
    other.page.wait_for_url("**/services/ulab/")
    # MLflow's own page of the run, whose address someone was told, shows nothing of it either.
    page = other.page.context.new_page()
    with page.expect_response(lambda one: "runs/get" in one.url or "graphql" in one.url) as asked:
        page.goto(run_page)
    assert asked.value.status == 403 or RUN_NAME not in asked.value.text()
    expect(page.locator("body")).not_to_contain_text(RUN_NAME)
    other.leave()
