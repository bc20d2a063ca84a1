"""What every page of the portal is made from: who asks, in which language, and the base's parts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.hub_auth import HubUser
from ulab_core.i18n import COOKIE, choose_language, translations
from ulab_core.layout import Layout
from ulab_core.models import Person, Role
from ulab_core.rights import may_publish_curricula
from ulab_core.settings import Settings
from ulab_core.signing_in import waiting_for_approval
from ulab_coursework.courses import courses_of, ensure_person
from ulab_mlflow.class_runs import ClassRuns
from ulab_mlflow.reading import Reader
from ulab_mlflow.workspaces import Workspaces
from ulab_portal.assets import PREFIX
from ulab_portal.guard import Tokens
from ulab_portal.rendering import render
from ulab_portal.servers import OwnServer
from ulab_teams.invitations import count_to
from ulab_teams.requests import count_waiting

BASE = os.environ.get("JUPYTERHUB_BASE_URL", "/")


class Login(Protocol):
    """What the portal asks of `ulab_core.hub_auth.HubLogin`."""

    def install(self, app: Starlette) -> None: ...
    async def current_user(self, request: Request) -> HubUser: ...
    async def trusted_user(self, request: Request) -> HubUser: ...
    async def answer(self, request: Request, error: Exception) -> Response: ...


@dataclass(frozen=True)
class Portal:
    """The parts of the base that pages use."""

    settings: Settings
    layout: Layout
    db: Database
    login: Login
    tokens: Tokens
    reader: Reader
    workspaces: Workspaces
    class_runs: ClassRuns

    def server_of(self, user: HubUser) -> OwnServer:
        return OwnServer(
            address=self.settings.server.local_url,
            base=BASE,
            person=user.name,
            token=user.token,
            hub_token=os.environ.get("JUPYTERHUB_API_TOKEN", ""),
        )


def portal_of(request: Request) -> Portal:
    found: Portal = request.app.state.portal
    return found


@dataclass
class Page:
    """One request of one person."""

    request: Request
    portal: Portal
    user: HubUser
    language: str
    display_name: str
    roles: frozenset[Role]
    """What they are in courses."""

    @property
    def teaches(self) -> bool:
        return Role.INSTRUCTOR in self.roles

    @property
    def may_publish(self) -> bool:
        """Whether this person may publish curricula."""
        return may_publish_curricula(self.user.admin, self.roles)

    @property
    def may_create(self) -> bool:
        """Whether this person may make courses: administrators and whoever teaches one."""
        return self.user.admin or self.teaches

    def html(self, template: str, **values: Any) -> str:
        return render(
            template,
            self.language,
            self.portal.settings.site.zone,
            **self._around(),
            csrf=self.portal.tokens.make(self.user.name),
            may_create=self.may_create,
            may_publish=self.may_publish,
            **{"current": "", **values},
        )

    def _around(self) -> dict[str, Any]:
        found = around(self.portal, self.user.name, self.display_name)
        with self.portal.db.read() as session:
            found["team_news"] = count_to(session, self.user.name)
            if self.user.admin:
                found["team_news"] += count_waiting(session)
        if self.user.admin:
            waiting = waiting_for_approval(self.portal.layout)
            found |= {"administers": True, "waiting": waiting}
        return found

    def answer(self, template: str, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(self.html(template, **values), status)

    def go(self, path: str) -> Response:
        """Go on to another page; with HTMX the whole page changes."""
        address = f"{PREFIX}{path}"
        if "hx-request" in self.request.headers:
            return Response(status_code=204, headers={"hx-redirect": address})
        return RedirectResponse(address, 303)


def around(portal: Portal, name: str | None, display_name: str = "") -> dict[str, Any]:
    """What the layout template needs around any content."""
    return {
        "site_name": portal.settings.site.name,
        "zone_name": portal.settings.site.time_zone,
        "prefix": PREFIX,
        "hub_url": f"{BASE}hub/",
        "portal_url": PREFIX,
        "logout_url": f"{PREFIX}logout",
        "mlflow_url": f"{BASE}services/mlflow/",
        "person": (display_name or name) if name else None,
        "person_name": name,
        "administers": False,
        "team_news": 0,
    }


async def reading(request: Request) -> Page:
    """A dependency: a page that is only looked at."""
    user = await portal_of(request).login.current_user(request)
    return await run_in_threadpool(_page, request, user)


async def acting(request: Request) -> Page:
    """A dependency: a request that changes something, so it must come from a page of ours."""
    portal = portal_of(request)
    user = await portal.login.trusted_user(request)
    if user.by_cookie:
        await portal.tokens.check(request, user.name)
    return await run_in_threadpool(_page, request, user)


def _page(request: Request, user: HubUser) -> Page:
    portal = portal_of(request)
    language, display_name, roles = _about(portal, user.name)
    return Page(
        request=request,
        portal=portal,
        user=user,
        language=choose_language(
            request.cookies.get(COOKIE) or language,
            request.headers.get("accept-language"),
            portal.settings.site.language,
        ),
        display_name=display_name,
        roles=roles,
    )


def _about(portal: Portal, name: str) -> tuple[str | None, str, frozenset[Role]]:
    with portal.db.read() as session:
        person = session.scalar(select(Person).where(Person.name == name))
        if person is not None:
            roles = frozenset(role for _, role in courses_of(session, name))
            return person.language, person.display_name, roles
    # The hub let them in, so they exist; the base just hears of them for the first time.
    with portal.db.write() as session:
        ensure_person(session, name)
    return None, "", frozenset()


def language_of(request: Request, portal: Portal) -> str:
    """The language of an answer that needs nobody to be logged in."""
    return choose_language(
        request.cookies.get(COOKIE),
        request.headers.get("accept-language"),
        portal.settings.site.language,
    )


def sentence(error: UserError, language: str) -> str:
    return error.sentence(translations(language).gettext)
