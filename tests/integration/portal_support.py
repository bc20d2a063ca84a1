"""The portal over a real state directory, asked by people whom a stand-in for the hub knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from integration.coursework_support import COURSE, LAB, Base, make_base
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from ulab_core.errors import NotAllowed
from ulab_core.hub_auth import HubUser, LoginNeeded
from ulab_core.models import Job, JobState, Submission, utc_now
from ulab_core.web_requests import from_own_pages, wants_page
from ulab_portal import refusals
from ulab_portal.app import create_app

PREFIX = "/services/ulab"
ORIGIN = "http://testserver"


class KnownPeople:
    """Says who asks from a cookie, where the real hub login asks the hub."""

    def install(self, app: Starlette) -> None:
        """There are no routes: nobody logs in here."""

    async def current_user(self, request: Request) -> HubUser:
        name = request.cookies.get("person")
        if not name:
            raise LoginNeeded("You are not logged in.")
        return HubUser(name, name == "root", frozenset(), f"token-of-{name}")

    async def trusted_user(self, request: Request) -> HubUser:
        user = await self.current_user(request)
        if not from_own_pages(request):
            raise NotAllowed(
                "This request did not come from a page of this site. Reload and try again."
            )
        return user

    async def answer(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, LoginNeeded | NotAllowed) or wants_page(request)
        return refusals.page(request, error)  # type: ignore[arg-type]


@dataclass
class Portal:
    """A portal and browsers for its people."""

    base: Base
    app: Starlette

    def browser(self, person: str, language: str = "en") -> Browser:
        return Browser(self.app, person, language)

    def hand_in(self, person: str, content: bytes, name: str = LAB) -> str:
        """Upload a notebook as `person`; the submission's id."""
        answer = self.browser(person).upload(f"courses/{COURSE}/labs/{name}", content)
        assert answer.status_code == 200, answer.text
        with self.base.db.read() as session:
            newest = session.scalars(select(Submission).order_by(Submission.received_at.desc()))
            return next(iter(newest)).id

    def finish(self, submission_id: str, score: float, max_score: float = 5) -> None:
        """What a grading worker writes when it is done."""
        with self.base.db.write() as session:
            found = session.get(Submission, submission_id)
            assert found is not None
            found.graded_at, found.score, found.max_score = utc_now(), score, max_score
            for job in session.scalars(select(Job).where(Job.submission_id == submission_id)):
                job.state = JobState.DONE
        self.base.layout.feedback_file(submission_id).write_text(
            "<html><script>alert(1)</script><p>well done</p></html>"
        )


class Browser(TestClient):
    """One person's browser: sends what a browser sends, forms with the page's token."""

    def __init__(self, app: Starlette, person: str, language: str) -> None:
        super().__init__(app, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=True)
        self.cookies.set("person", person)
        self.headers.update(
            {"accept": "text/html", "accept-language": language, "sec-fetch-site": "same-origin"}
        )

    def see(self, path: str = "") -> httpx.Response:
        return self.get(f"{PREFIX}/{path}")

    def token(self) -> str:
        found = re.search(r'"x-csrf-token": "([^"]+)"', self.see().text)
        assert found
        return found.group(1)

    def act(self, path: str, **data: Any) -> httpx.Response:
        """Send a form the way HTMX does."""
        return self.post(f"{PREFIX}/{path}", data=data, headers=self._htmx())

    def upload(self, lab: str, content: bytes, name: str = "sums.ipynb") -> httpx.Response:
        files = {"notebook": (name, content)}
        return self.post(f"{PREFIX}/{lab}/upload", files=files, headers=self._htmx())

    def _htmx(self) -> dict[str, str]:
        return {"hx-request": "true", "x-csrf-token": self.token()}


def make_portal(root: Path, monkeypatch: Any) -> Portal:
    base = make_base(root, monkeypatch)
    return Portal(base, create_app(base.settings, KnownPeople()))
