"""The portal as an application: login, pages, the HTTP API, assets and refusals put together."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse, Response

from ulab_core.database import Database
from ulab_core.hub_auth import HubLogin
from ulab_core.layout import Layout
from ulab_core.secret_files import shared_key
from ulab_core.settings import Settings
from ulab_coursework.submissions import refuse_size
from ulab_mlflow.class_runs import ClassRuns
from ulab_mlflow.reading import Reader
from ulab_mlflow.workspaces import Workspaces
from ulab_portal import (
    api,
    course_pages,
    curricula_pages,
    group_pages,
    hand_pages,
    lab_pages,
    new_course,
    people,
    policy_pages,
    refusals,
    regrade_pages,
    run_pages,
    shared_pages,
    similarity_pages,
    teaching,
    team_api,
    team_data,
    team_export_pages,
    team_model_pages,
    team_pages,
    team_share_pages,
    trial_pages,
    version_pages,
)
from ulab_portal.areas import learn_from
from ulab_portal.assets import PREFIX, Assets
from ulab_portal.guard import SafeHeaders, SmallBodies, Tokens
from ulab_portal.page import Login, Portal

# What a form says beside the largest file that it may carry; a roster is always smaller.
AROUND_A_FILE = 2 * 1024 * 1024


def create_app(settings: Settings, login: Login | None = None) -> FastAPI:
    """Build the portal.

    Parameters
    ----------
    settings
        The base's settings; its state directory and database must be there.
    login
        Who is asking. None means the hub's login, for which the environment of a managed
        service is needed.
    """
    layout = Layout.of(settings)
    learn_from(layout)
    key = shared_key(layout.secrets / "portal-cookie.key")
    login = login or HubLogin(
        key, render_error=refusals.page, default_language=settings.site.language
    )
    app = FastAPI(title=settings.site.name, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.portal = Portal(
        *(settings, layout, Database.of(settings), login, Tokens(key)),
        Reader.of(settings),
        Workspaces.of(settings),
        ClassRuns.of(settings),
    )
    login.install(app)
    refusals.install(app)
    pages = APIRouter(prefix=PREFIX.rstrip("/"))
    for part in (
        *(
            api,
            course_pages,
            curricula_pages,
            group_pages,
            hand_pages,
            lab_pages,
            new_course,
            people,
        ),
        *(policy_pages, regrade_pages, run_pages, similarity_pages, teaching),
        *(shared_pages, team_api, team_data, team_export_pages, team_model_pages, team_pages),
        *(team_share_pages, trial_pages, version_pages),
    ):
        pages.include_router(part.router)
    pages.add_api_route("/health", _health, methods=["GET"])
    app.include_router(pages)
    app.mount(f"{PREFIX}static", Assets())
    app.add_middleware(
        SmallBodies,
        refuse=lambda size: refuse_size(size - AROUND_A_FILE, settings),
        answer=refusals.anywhere,
    )
    app.add_middleware(SafeHeaders)
    return app


def _health() -> Response:
    return PlainTextResponse("ok")
