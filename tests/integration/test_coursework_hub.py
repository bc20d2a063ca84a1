"""Coursework on a real hub: in a student's server, in the worker, in formgrader."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import nbformat
import pytest
from integration import coursework_support
from integration.coursework_support import COURSE, HIDDEN_LINE, LAB, answer
from integration.hub_support import Base, HubClient, start_base

from ulab_coursework.standing import State

PATIENCE_S = 90
BROWSER = {"accept": "text/html", "sec-fetch-mode": "navigate"}
NOTEBOOK = f"{COURSE}/{LAB}/{LAB}.ipynb"
WHAT = {"course": COURSE, "assignment": LAB}
ASSIGNMENT = f"/services/ulab/api/courses/{COURSE}/assignments/{LAB}"


def coursework_of(base: Base) -> coursework_support.Base:
    return coursework_support.Base(base.settings, base.layout, base.database)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    running = start_base(tmp_path_factory.mktemp("base"), services=("ulab", "grading-worker-1"))
    try:
        coursework_support.furnish(coursework_of(running))
        for name in ("alice", "carol"):
            running.create_user(name)
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def alice(base: Base) -> HubClient:
    client = base.client("alice")
    client.get("/services/ulab/", headers=BROWSER)
    base.start_server(client, "alice")
    return client


def eventually(look: Callable[[], Any]) -> Any:
    """The first true answer."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError("it did not happen")


def ask(client: HubClient, method: str, path: str, **more: Any) -> httpx.Response:
    """Talk to a server as its pages do."""
    client.get(path.split("/ulab/")[0].split("/assignments")[0].split("/formgrader")[0] + "/lab")
    xsrf = [c.value for c in client.cookies.jar if c.name == "_xsrf"]
    for value in [*xsrf, ""]:
        found = client.request(method, path, headers={"X-XSRFToken": value or ""}, **more)
        if found.status_code != 403:
            return found
    return found


def save(base: Base, content: bytes) -> None:
    """What JupyterLab's Save does."""
    path = base.layout.home("alice") / NOTEBOOK
    path.write_bytes(content)


def with_markup(content: bytes) -> bytes:
    """The notebook and a note for whoever grades it, with more in it than text."""
    notebook = nbformat.reads(content.decode(), as_version=4)
    note = "**Dear teacher** <script>steal()</script>"
    notebook.cells.append(nbformat.v4.new_markdown_cell(note))
    return nbformat.writes(notebook).encode()


def open_lab(alice: HubClient) -> None:
    opened = alice.get("/user/alice/ulab/open", params=WHAT, follow_redirects=False)
    while "oauth" in opened.headers.get("location", ""):
        opened = alice.get("/user/alice/ulab/open", params=WHAT)


def test_open_fetches_the_lab_and_goes_to_it(base: Base, alice: HubClient) -> None:
    open_lab(alice)
    assert (base.layout.home("alice") / NOTEBOOK).is_file()
    again = alice.get("/user/alice/ulab/open", params=WHAT, follow_redirects=False)
    assert again.headers["location"] == f"/user/alice/lab/tree/{NOTEBOOK}"


def test_a_student_validates_submits_and_reads_feedback(base: Base, alice: HubClient) -> None:
    open_lab(alice)
    untouched = ask(alice, "POST", "/user/alice/ulab/submit", json=WHAT)
    assert untouched.status_code == 409, untouched.text
    save(base, answer("return 3"))
    found = ask(alice, "POST", "/user/alice/ulab/validate", json=WHAT).json()
    assert len(found["failed"]) == 1, found
    save(base, with_markup(answer()))
    found = ask(alice, "POST", "/user/alice/ulab/validate", json=WHAT).json()
    assert not found["failed"], found
    receipt = ask(alice, "POST", "/user/alice/ulab/submit", json=WHAT)
    assert receipt.status_code == 200, receipt.text
    where = f"/services/ulab/api/submissions/{receipt.json()['id']}"
    graded = eventually(lambda: (s := alice.get(where).json())["state"] == "graded" and s)
    assert (graded["score"], graded["max_score"]) == (5, 5)
    told = ask(alice, "POST", "/user/alice/ulab/feedback", json=WHAT).json()
    page = (base.layout.home("alice") / told["path"]).read_text()
    assert "5 / 5" in page
    assert HIDDEN_LINE not in page
    listed = alice.get("/user/alice/assignments", params={"course_id": COURSE}).json()
    assert listed["success"], listed
    assert [one["status"] for one in listed["value"]] == ["fetched", "submitted"]
    assert listed["value"][0]["notebooks"][0]["path"] == NOTEBOOK


def test_formgrader_opens_and_leaves_grading_to_the_base(base: Base) -> None:
    coursework = coursework_of(base)
    coursework_support.hand_in(coursework, with_markup(answer()))
    eventually(lambda: coursework_support.newest(coursework).state is State.GRADED)
    carol = base.client("carol")
    base.start_server(carol, "carol", f"grade-{COURSE}")
    server = f"/user/carol/grade-{COURSE}"
    assert "formgrader" in carol.get(f"{server}/formgrader").text
    by_hand = carol.get(f"{server}/formgrader/gradebook/{LAB}/{LAB}").text
    assert "Manual Grading" in by_hand
    assert f'href="/services/ulab/courses/{COURSE}/teach"' in by_hand, "the way back"
    [shown] = carol.get(f"{server}/formgrader/api/assignments").json()
    assert shown["name"] == LAB
    assert shown["num_submissions"] == 1
    done = ask(carol, "POST", f"{server}/formgrader/api/submission/{LAB}/alice/autograde").json()
    assert done["success"], done
    [row] = carol.get(f"{server}/formgrader/api/submissions/{LAB}").json()
    assert row["score"] == 5
    [shown] = carol.get(f"{server}/formgrader/api/submitted_notebooks/{LAB}/{LAB}").json()
    page = carol.get(f"{server}/formgrader/submissions/{shown['id']}/").text
    assert "<strong>Dear teacher</strong>" in page
    assert "<script>steal()" not in page
