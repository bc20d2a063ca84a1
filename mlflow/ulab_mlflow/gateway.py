"""The hub service in front of MLflow: knows who asks, lets through what is open, and signs it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from anyio import to_thread
from cachetools import LRUCache
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from ulab_core.errors import NotAllowed, NotFound, UserError
from ulab_core.hub_auth import HubLogin, HubUser, LoginNeeded
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import PERSON_NAME
from ulab_core.process import die_with_parent
from ulab_core.secret_files import shared_key
from ulab_core.serving import serve
from ulab_core.settings import Settings, load_settings
from ulab_core.web_requests import from_own_pages, wants_page
from ulab_mlflow import paths
from ulab_mlflow.forwarding import Forwarder, PassedOn, has_body
from ulab_mlflow.links import course_link, experiment_link
from ulab_mlflow.names import PREFIX, WORKSPACE_HEADER, identity_key_file, socket_of
from ulab_mlflow.pages import error_page, with_additions
from ulab_mlflow.reconciling import Reconciler
from ulab_mlflow.tenancy import Standing, may_enter
from ulab_mlflow.workspaces import Workspaces

# MLflow itself takes at most 1 MB of metrics, and 10 MB of a file that its pages upload.
MAX_MESSAGE_MB = 16
# A notebook that logs in a loop asks the hub once in this time, and loses access as soon.
LOGIN_SECONDS = 5
# How long it counts that someone is in a course or team; see "How fast" in docs/experiments.md.
STANDING_SECONDS = 1.0
_STANDINGS = 4096
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# MLflow's client shows the message of these codes as it is.
_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    413: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class BadAddress(UserError):
    """The address could be understood in more than one way."""


class _Kept(NamedTuple):
    """A standing, and when and of which state of our database it was read."""

    standing: Standing
    moment: float
    version: int | None


class Gateway:
    """The service's answers.

    Parameters
    ----------
    settings
        Those of the base.
    login
        Who is asking; None means by this managed service's environment.
    """

    def __init__(self, settings: Settings, login: HubLogin | None = None) -> None:
        self._site = settings.site.name
        self._max_artifact_mb = settings.mlflow.max_artifact_mb
        self._login = login or HubLogin(
            shared_key(Layout.of(settings).secrets / "mlflow-cookie.key"),
            default_language=settings.site.language,
            cache_seconds=LOGIN_SECONDS,
        )
        self._standings: LRUCache[str, _Kept] = LRUCache(_STANDINGS)
        self._workspaces = Workspaces.of(settings)
        self.reconciler = Reconciler(self._workspaces)
        self._forwarder = Forwarder(socket_of(settings), shared_key(identity_key_file(settings)))

    def app(self) -> Starlette:
        app = Starlette(
            routes=[
                Route(PREFIX, self._home),
                Route(f"{PREFIX}/ulab/open", self._open),
                Route(f"{PREFIX}/ulab/experiment", self._experiment),
            ],
            lifespan=self._lifespan,
        )
        self._login.install(app)
        app.add_exception_handler(UserError, self._refuse)
        app.add_route(PREFIX + "/{path:path}", self._pass_on, methods=_METHODS)
        return app

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        reconciling = asyncio.create_task(self.reconciler.forever())
        try:
            yield
        finally:
            reconciling.cancel()
            await self._forwarder.close()

    async def _home(self, request: Request) -> Response:
        return RedirectResponse(f"{PREFIX}/")

    async def _open(self, request: Request) -> Response:
        """Redirect to someone's runs in MLflow's own pages (see `ulab_mlflow.links`)."""
        user = await self._person(request)
        course = request.query_params.get("course", "")
        assignment = request.query_params.get("assignment")
        if assignment is None:
            await to_thread.run_sync(self._workspaces.settle, user.name)
            return RedirectResponse(course_link(course))
        owner = request.query_params.get("person", user.name)
        experiment = await to_thread.run_sync(
            self._workspaces.open_experiment, user.name, course, assignment, owner
        )
        return RedirectResponse(experiment_link(course, experiment))

    async def _experiment(self, request: Request) -> Response:
        """Tell a kernel where its runs belong."""
        user = await self._person(request)
        course = request.query_params.get("course", "")
        assignment = request.query_params.get("assignment", "")
        experiment = await to_thread.run_sync(
            self._workspaces.ensure_student, course, assignment, user.name
        )
        return JSONResponse({"workspace": course, "experiment_id": experiment})

    async def _pass_on(self, request: Request) -> Response:
        path = paths.inner_path(request.scope["raw_path"], PREFIX)
        if path is None:
            raise BadAddress(mark("This address can't be used."))
        user = await self._person(request)
        if request.method == "GET" and path in paths.EMPTY_ANSWERS:
            return JSONResponse(paths.EMPTY_ANSWERS[path])
        if not paths.is_open(request.method, path):
            raise NotFound(mark("This part of MLflow is not in use here."))
        if request.method in ("GET", "HEAD") and has_body(request):
            # MLflow decides by its body who may, and answers by its query.
            raise BadAddress(mark("This address can't be used."))
        if user.by_cookie and paths.kind(path) is paths.Kind.API:
            self._only_from_our_pages(request)
        workspace = request.headers.get(WORKSPACE_HEADER, "").strip() or None
        await self._check_workspace(user, path, workspace)
        limit_mb = self._max_artifact_mb if paths.takes_files(path) else MAX_MESSAGE_MB
        passed = await self._forwarder.forward(request, PREFIX, user.name, workspace, limit_mb)
        if passed.status_code == 403:
            passed.let_go()
            raise NotAllowed(
                mark(
                    "You may not see or change this in MLflow. "
                    "In a course your own runs are in the experiment that bears your name."
                )
            )
        is_page = paths.kind(path) is paths.Kind.PAGE and request.method == "GET"
        answer = await self._add_ours(passed) if is_page else passed
        # The UI's requests are recognised by their Referer, so pages must keep sending it.
        answer.headers["referrer-policy"] = "same-origin"
        if paths.is_artifact(path):
            # Someone's HTML file must not run with the reader's login.
            answer.headers["content-security-policy"] = "sandbox"
        return answer

    @staticmethod
    async def _add_ours(answer: PassedOn) -> Response:
        page = await answer.whole()
        # It names MLflow's current scripts, so an old copy would break after an upgrade.
        return HTMLResponse(with_additions(page), answer.status_code, {"cache-control": "no-cache"})

    async def _person(self, request: Request) -> HubUser:
        user = await self._login.current_user(request)
        if not PERSON_NAME.fullmatch(user.name):
            raise NotAllowed(mark("Your account has no access to this page."))
        return user

    def _only_from_our_pages(self, request: Request) -> None:
        if not from_own_pages(request, below=f"{PREFIX}/"):
            raise NotAllowed(
                mark("This request did not come from a page of this site. Reload and try again.")
            )

    async def _check_workspace(self, user: HubUser, path: str, workspace: str | None) -> None:
        if workspace is None:
            if paths.needs_workspace(path):
                raise UserError(
                    mark(
                        "Runs are kept by course and team. Run this from the folder of an "
                        "assignment (~/course/assignment), or name a course or team: "
                        'ulab.track(workspace="…"), or the variable MLFLOW_WORKSPACE.'
                    )
                )
            if paths.lists_workspaces(path):
                await to_thread.run_sync(self._workspaces.settle, user.name)
            return
        if not await self._may_enter(user.name, workspace):
            raise NotAllowed(
                mark("You are in no course or team called {workspace}."), workspace=workspace
            )

    async def _may_enter(self, person: str, workspace: str) -> bool:
        """Whether someone is in a course or team.

        A "yes" counts for `STANDING_SECONDS`, and no longer than our database stays as it is where
        the database can say so.
        """
        now, version = time.monotonic(), self._workspaces.database.version()
        kept = self._standings.get(person)
        if (
            kept is not None
            and now - kept.moment <= STANDING_SECONDS
            and kept.version == version
            and may_enter(kept.standing, workspace)
        ):
            return True
        standing = await to_thread.run_sync(self._workspaces.settle, person)
        self._standings[person] = _Kept(standing, now, version)
        return may_enter(standing, workspace)

    async def _refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, UserError)
        sentence = self._login.sentence(request, error)
        if wants_page(request):
            if isinstance(error, LoginNeeded):
                return await self._login.answer(request, error)
            language = self._login.language(request)
            return HTMLResponse(
                error_page(self._site, language, error.status, sentence), error.status
            )
        code = _CODES.get(error.status, "INVALID_PARAMETER_VALUE")
        return JSONResponse({"error_code": code, "message": sentence}, error.status)


def application(settings: Settings) -> Starlette:
    """The service, with its part of the state directory got ready."""
    Layout.of(settings).prepare()
    app = Gateway(settings).app()
    # What was imported is no garbage; looking through it would hold requests up.
    gc.collect()
    gc.freeze()
    return app


def main() -> None:
    """Serve where the hub told this service to."""
    die_with_parent()
    settings = load_settings()
    serve(application(settings), Layout.of(settings), "mlflow")


if __name__ == "__main__":
    main()
