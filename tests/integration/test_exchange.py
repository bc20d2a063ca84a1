"""nbgrader's own tools against the portal: list, fetch, submit and feedback over HTTP."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.coursework_support import (
    COURSE,
    HIDDEN_LINE,
    LAB,
    OTHER_LAB,
    Base,
    answer,
    make_base,
    set_deadline,
)
from integration.hub_stub import StubHub, free_port, serve, stub_hub
from nbgrader.apps import NbGrader
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory

import ulab_hub
from ulab_core.hub_auth import HubLogin
from ulab_core.models import utc_now
from ulab_coursework.portal_client import PortalAway, PortalClient
from ulab_coursework.worker import Worker
from ulab_portal.app import create_app

SINGLEUSER = Path(ulab_hub.__file__).parent / "singleuser"
ASSIGNMENT = f"/services/ulab/api/courses/{COURSE}/assignments/{LAB}"


@dataclass
class Site:
    """A served portal, and a person sitting at a server of their own."""

    base: Base
    hub: StubHub
    port: int
    homes: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sit_down(self, name: str, language: str = "zh") -> Path:
        """Become the server of a person; return the home."""
        home = self.homes / name
        home.mkdir(exist_ok=True)
        for key, value in {
            "ULAB_PORTAL_URL": f"{self.url}/services/ulab/",
            "JUPYTERHUB_API_TOKEN": self.token(name),
            "JUPYTER_CONFIG_PATH": str(SINGLEUSER),
            "ULAB_LANGUAGE": language,
            "HOME": str(home),
        }.items():
            self.monkeypatch.setenv(key, value)
        return home

    def token(self, name: str) -> str:
        return self.hub.give_token(name, service="ulab")

    def client(self, name: str, **headers: str) -> httpx.Client:
        token = f"token {self.token(name)}"
        return httpx.Client(base_url=self.url, headers={"authorization": token, **headers})

    def grade(self) -> None:
        worker = Worker(self.base.settings)
        while worker.work_once():
            pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    base = make_base(tmp_path, monkeypatch)
    port = free_port()
    homes = tmp_path / "homes"
    homes.mkdir()
    # A socket's path must be short.
    with tempfile.TemporaryDirectory() as short, stub_hub(Path(short)) as hub:
        app = create_app(base.settings, HubLogin(b"k" * 32, hub.login("ulab")))
        with serve(app, host="127.0.0.1", port=port):
            yield Site(base, hub, port, homes, monkeypatch)


def plugin(kind: str, assignment: str = LAB, course: str = COURSE, **options: Any) -> Any:
    """One of nbgrader's exchange plug-ins, configured as in a person's server."""
    os.chdir(os.environ["HOME"])
    app = NbGrader()
    app.load_config_file()
    app.config.CourseDirectory.course_id = course
    app.config.CourseDirectory.assignment_id = assignment
    made = getattr(ExchangeFactory(config=app.config), kind)(
        coursedir=CourseDirectory(config=app.config),
        authenticator=Authenticator(config=app.config),
        config=app.config,
    )
    for key, value in options.items():
        setattr(made, key, value)
    return made


def solve(home: Path, **how: Any) -> None:
    (home / COURSE / LAB / f"{LAB}.ipynb").write_bytes(answer(**how))


def test_a_student_goes_the_whole_way(site: Site) -> None:
    home = site.sit_down("alice", "en")

    [listed] = plugin("List", "", "").start()
    assert (listed["course_id"], listed["assignment_id"]) == (COURSE, LAB)
    assert listed["status"] == "released"

    plugin("FetchAssignment").start()
    notebook = json.loads((home / COURSE / LAB / f"{LAB}.ipynb").read_text())
    assert notebook["metadata"]["ulab"] == {"lab": LAB, "language": "en"}
    assert json.loads((home / COURSE / LAB / ".ulab.json").read_text())["course"] == COURSE
    assert plugin("List", "", "").start()[0]["status"] == "fetched"

    solve(home, body="return a + b", language="en")
    receipt = plugin("Submit").start()
    assert site.base.layout.submission_file(receipt["sha256"]).read_bytes() == answer(language="en")
    [submitted] = plugin("List", "", "", cached=True).start()
    [submission] = submitted["submissions"]
    assert not submission["has_exchange_feedback"]

    site.grade()
    [submission] = plugin("List", "", "", cached=True).start()[0]["submissions"]
    assert submission["has_exchange_feedback"]
    assert not submission["has_local_feedback"]
    plugin("FetchFeedback").start()
    [submission] = plugin("List", "", "", cached=True).start()[0]["submissions"]
    assert submission["has_local_feedback"]
    assert not submission["feedback_updated"]
    page = Path(submission["local_feedback_path"], f"{LAB}.html").read_text()
    assert "5 / 5" in page
    assert HIDDEN_LINE not in page


def test_fetching_again_overwrites_nothing(site: Site) -> None:
    home = site.sit_down("alice")
    plugin("FetchAssignment").start()
    solve(home)
    with pytest.raises(ExchangeError, match="已有"):
        plugin("FetchAssignment").start()
    assert (home / COURSE / LAB / f"{LAB}.ipynb").read_bytes() == answer()


def test_submitting_without_a_notebook_says_what_to_do(site: Site) -> None:
    site.sit_down("alice", "en")
    with pytest.raises(ExchangeError, match="Open the lab first"):
        plugin("Submit").start()


def test_refusals_of_the_portal_reach_the_student_in_their_language(site: Site) -> None:
    home = site.sit_down("alice", "zh")
    plugin("FetchAssignment").start()
    solve(home)
    past = utc_now() - timedelta(hours=1)
    set_deadline(site.base, past)
    with pytest.raises(ExchangeError, match="截止"):
        plugin("Submit").start()
    assert plugin("List", "", "", cached=True).start() == []


def test_an_unpublished_assignment_can_neither_be_seen_nor_fetched(site: Site) -> None:
    site.sit_down("alice", "en")
    assert plugin("List", OTHER_LAB).start() == []
    with pytest.raises(ExchangeError, match="not published"):
        plugin("FetchAssignment", OTHER_LAB).start()


def test_a_stranger_to_the_course_gets_nothing(site: Site) -> None:
    site.sit_down("dave", "en")
    assert plugin("List", "", "").start() == []
    with pytest.raises(ExchangeError, match="not enrolled"):
        plugin("FetchAssignment").start()


def test_a_lost_network_is_retried_and_makes_one_submission(site: Site) -> None:
    """The answer is lost twice after the portal took the notebook."""
    site.sit_down("alice")
    lost = 0

    class Losing(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal lost
            answered = super().handle_request(request)
            if lost < 2:
                lost += 1
                answered.close()
                raise httpx.ReadError("connection reset")
            return answered

    client = PortalClient(pauses_s=(0, 0, 0), transport=Losing())
    where = ("courses", COURSE, "assignments", LAB, "submissions")
    receipt = client.post_bytes(*where, content=answer())
    assert lost == 2
    assert receipt["again"]
    assert [one["id"] for one in client.get(*where)] == [receipt["id"]]


def test_a_portal_that_is_away_is_a_sentence(site: Site) -> None:
    site.sit_down("alice", "en")
    away = PortalClient(url=f"http://127.0.0.1:{free_port()}", pauses_s=(0,))
    with pytest.raises(PortalAway, match="Nothing was lost"):
        away.get("courses")


def test_an_instructor_publishes_collects_and_releases_feedback(site: Site) -> None:
    home = site.sit_down("alice")
    plugin("FetchAssignment").start()
    solve(home, body="return 3")
    plugin("Submit").start()
    site.grade()

    teacher = site.sit_down("carol")
    plugin("ReleaseAssignment", OTHER_LAB).start()
    course = teacher / "course"
    collect = plugin("Collect")
    collect.coursedir.root = str(course)
    collect.start()
    assert (course / "submitted" / "alice" / LAB / f"{LAB}.ipynb").read_bytes() == answer(
        "return 3"
    )
    plugin("ReleaseFeedback").start()
    assert plugin("List", OTHER_LAB).start()[0]["status"] == "released"

    site.sit_down("alice", "en")
    with pytest.raises(ExchangeError, match="Only an instructor"):
        plugin("ReleaseAssignment", OTHER_LAB).start()
    with pytest.raises(ExchangeError, match="Only an instructor"):
        plugin("ReleaseFeedback").start()


def test_the_api_refuses_a_body_over_the_limit_before_reading_it_all(site: Site) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 1024 * 1024

    with site.client("alice", **{"accept-language": "zh-CN"}) as client:
        refused = client.post(f"{ASSIGNMENT}/submissions", content=b"x" * (21 * 1024 * 1024))
        assert refused.status_code == 413
        assert "20 MB" in refused.json()["error"]
        try:
            streamed = client.post(f"{ASSIGNMENT}/submissions", content=endless())
        except httpx.WriteError:
            pass  # it stopped listening, which is as good
        else:
            assert streamed.status_code == 413
        assert client.get(f"{ASSIGNMENT}/submissions").json() == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not a Jupyter notebook"),
        (b'{"cells": []}', "no cells"),
        (answer("return a * b", lab=OTHER_LAB), "belongs to Exercise products"),
    ],
)
def test_the_api_refuses_what_is_no_notebook_of_the_lab(
    site: Site, content: bytes, says: str
) -> None:
    with site.client("alice", **{"accept-language": "en"}) as client:
        refused = client.post(f"{ASSIGNMENT}/submissions", content=content)
        assert refused.status_code == 422
        assert says in refused.json()["error"]
        assert client.get(f"{ASSIGNMENT}/submissions").json() == []


def test_another_students_submission_can_not_be_read(site: Site) -> None:
    with site.client("alice") as alice:
        receipt = alice.post(f"{ASSIGNMENT}/submissions", content=answer()).json()
    site.grade()
    where = f"/services/ulab/api/submissions/{receipt['id']}"
    for reader, status in (("alice", 200), ("carol", 200), ("bob", 404), ("dave", 404)):
        with site.client(reader) as client:
            for part in ("", "/feedback", "/notebook"):
                assert client.get(where + part).status_code == status, (reader, part)
    with site.client("alice") as alice:
        page = alice.get(f"{where}/feedback")
        assert "sandbox" in page.headers["content-security-policy"]


def test_without_a_token_there_is_no_answer(site: Site) -> None:
    assert httpx.get(f"{site.url}/services/ulab/api/courses").status_code == 401
    wrong = site.hub.give_token("alice", service="other")
    headers = {"authorization": f"token {wrong}"}
    refused = httpx.get(f"{site.url}/services/ulab/api/courses", headers=headers)
    assert refused.status_code == 403
