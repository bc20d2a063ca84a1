"""A Jupyter Server extension in a person's server: open a lab, validate it, hand it in.

The portal's pages call it with the person's own token, and JupyterLab's Assignment List gets
its sentences from it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import url_path_join
from nbgrader.server_extensions.validate_assignment.handlers import ValidateAssignmentHandler
from tornado import web

from ulab_core.errors import NotFound, UserError
from ulab_core.i18n import mark
from ulab_coursework import assignment_list, workspace
from ulab_coursework.exchange import sentence
from ulab_coursework.portal_client import PortalClient
from ulab_coursework.validating import validate


class _InHome:
    """What the handlers share: the folder JupyterLab shows."""

    settings: dict[str, Any]

    @property
    def root(self) -> Path:
        return Path(self.settings["ulab_root"])


class OpenHandler(_InHome, JupyterHandler):
    """GET: fetch the lab if it is not in the home yet, then go to it in JupyterLab."""

    @web.authenticated
    async def get(self) -> None:
        course, assignment = self.get_argument("course"), self.get_argument("assignment")
        try:
            path = await asyncio.to_thread(open_lab, self.root, course, assignment)
        except UserError as error:
            # JupyterLab's own error page shows the sentence.
            raise web.HTTPError(error.status, sentence(error), reason="U Lab") from None
        self.redirect(url_path_join(self.base_url, "lab", "tree", quote(str(path))))


def open_lab(root: Path, course: str, assignment: str) -> Path:
    """Make sure the lab's notebook is in the home; its place below `root`.

    A notebook that is there is opened even when the portal can't be reached or the lab is no
    longer published: it is the student's.
    """
    notebook = workspace.notebook_of(root, course, assignment)
    if not notebook.exists():
        workspace.fetch(PortalClient(), root, course, assignment)
    return notebook.relative_to(root)


class _ActHandler(_InHome, APIHandler):
    """POST with ``{"course", "assignment"}``; answers JSON, refusals with a sentence."""

    async def act(self, course: str, assignment: str) -> dict[str, Any]:
        raise NotImplementedError

    @web.authenticated
    async def post(self) -> None:
        body = self.get_json_body()
        try:
            if not isinstance(body, dict):
                raise UserError(mark("Say which course and assignment is meant."))
            course, assignment = str(body.get("course", "")), str(body.get("assignment", ""))
            answer, status = await self.act(course, assignment), 200
        except UserError as error:
            answer, status = {"error": sentence(error)}, error.status
        self.set_status(status)
        self.finish(answer)


class SubmitHandler(_ActHandler):
    """Hands in the notebook as it was last saved; answers the receipt."""

    async def act(self, course: str, assignment: str) -> dict[str, Any]:
        return await asyncio.to_thread(
            workspace.submit, PortalClient(), self.root, course, assignment, "portal", True
        )


class ValidateHandler(_ActHandler):
    """Runs the notebook's visible tests here and answers which fail."""

    async def act(self, course: str, assignment: str) -> dict[str, Any]:
        notebook = workspace.notebook_of(self.root, course, assignment)
        if not notebook.exists():
            raise NotFound(
                mark("There is no {path} in your files. Open the lab first."),
                path=notebook.relative_to(self.root),
            )
        found = await validate(notebook)
        return {key: found.get(key, []) for key in ("passed", "failed", "changed", "type_changed")}


class FeedbackHandler(_ActHandler):
    """Puts the feedback there is into the home; answers the newest page's place."""

    async def act(self, course: str, assignment: str) -> dict[str, Any]:
        manager = self.settings["assignment_list_manager"]
        done = await asyncio.to_thread(manager.fetch_feedback, course, assignment)
        if not done["success"]:
            raise UserError("{sentence}", sentence=done["value"])
        folder = workspace.folder_of(self.root, course, assignment) / "feedback"
        pages = sorted(folder.glob(f"*/{assignment}.html"))
        return {"path": str(pages[-1].relative_to(self.root)) if pages else None}


async def _validate_without_blocking(handler: ValidateAssignmentHandler) -> None:
    """JupyterLab's own Validate button, answered as nbgrader does."""
    body = handler.get_json_body() or {}
    root = Path(handler.settings["ulab_root"])
    target = (root / str(handler.get_argument("path", body.get("path", "")))).resolve()
    if not target.is_relative_to(root):
        raise web.HTTPError(403, "path outside the home")
    try:
        answer: dict[str, Any] = {"success": True, "value": await validate(target)}
    except UserError as error:
        answer = {"success": False, "value": sentence(error)}
    handler.finish(answer)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "ulab_coursework.labserver"}]


def _load_jupyter_server_extension(app: Any) -> None:
    web_app = app.web_app
    root = Path(app.root_dir).resolve()
    web_app.settings["ulab_root"] = str(root)
    # Extensions load by name, so nbgrader's own is there already and is replaced.
    assignments = assignment_list.SentencesAssignmentList(parent=app)
    assignments.root_dir = str(root)
    assignment_list.install(web_app.settings, assignments)
    ValidateAssignmentHandler.post = web.authenticated(_validate_without_blocking)
    if "ULAB_COURSE" in os.environ:
        from ulab_coursework import formgrader

        formgrader.install(web_app.settings["nbgrader_exporter"])
        pages = web_app.settings["nbgrader_jinja2_env"]
        formgrader.add_way_back(pages, os.environ["ULAB_COURSE"])
    routes = {
        "open": OpenHandler,
        "submit": SubmitHandler,
        "validate": ValidateHandler,
        "feedback": FeedbackHandler,
    }
    base_url = web_app.settings["base_url"]
    web_app.add_handlers(
        ".*$",
        [(url_path_join(base_url, "ulab", name), handler) for name, handler in routes.items()],
    )
