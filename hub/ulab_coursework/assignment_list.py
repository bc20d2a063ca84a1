"""nbgrader's Assignment List with our sentences in place of its tracebacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nbgrader.apps import NbGrader
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.server_extensions.assignment_list import handlers
from tornado import web

from ulab_core.i18n import mark, translations
from ulab_coursework.exchange import Refused
from ulab_coursework.portal_client import language

BROKEN = mark("Something went wrong while your assignments were read: {reason}")


class SentencesAssignmentList(handlers.AssignmentList):
    """What JupyterLab's Assignment List asks."""

    def list_assignments(self, course_id: str | None = None) -> dict[str, Any]:
        return self._answer(lambda: self._listed(course_id))

    def fetch_assignment(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        return self._act("FetchAssignment", course_id, assignment_id)

    def fetch_feedback(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        return self._act("FetchFeedback", course_id, assignment_id)

    def submit_assignment(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        return self._act("Submit", course_id, assignment_id)

    def _act(self, plugin: str, course_id: str, assignment_id: str) -> dict[str, Any]:
        done = self._answer(lambda: self._plugin(plugin, course_id, assignment_id).start())
        return {"success": True} if done["success"] else done

    def _listed(self, course_id: str | None) -> list[dict[str, Any]]:
        found = []
        for cached in (False, True):
            lister = self._plugin("List", course_id or "", "")
            lister.cached = cached
            part = lister.start()
            for info in part:
                self._make_relative(info)
            found += sorted(part, key=lambda info: (info["course_id"], info["assignment_id"]))
        return found

    def _make_relative(self, info: dict[str, Any]) -> None:
        """JupyterLab opens files by their place below its root."""
        parts = [info, *info.get("notebooks", ())]
        for submission in info.get("submissions", ()):
            parts += [submission, *submission["notebooks"]]
        for part in parts:
            for key in ("path", "local_feedback_path"):
                if part.get(key) and part[key].startswith(f"{self.root_dir}/"):
                    part[key] = part[key][len(self.root_dir) + 1 :]

    def _plugin(self, name: str, course_id: str, assignment_id: str) -> Any:
        # Without nbgrader's change of directory, which all threads of the server would share.
        app = NbGrader()
        app.load_config_file()
        config = app.config
        config.CourseDirectory.course_id = course_id
        config.CourseDirectory.assignment_id = assignment_id
        return getattr(ExchangeFactory(config=config), name)(
            coursedir=CourseDirectory(config=config),
            authenticator=Authenticator(config=config),
            config=config,
        )

    def _answer(self, work: Callable[[], Any]) -> dict[str, Any]:
        try:
            return {"success": True, "value": work()}
        except Refused as error:
            self.log.warning("%s", error)
            return {"success": False, "value": str(error)}
        except Exception as error:
            self.log.exception("the assignment list failed")
            said = translations(language()).gettext(BROKEN).format(reason=error)
            return {"success": False, "value": said}


async def _courses(handler: Any) -> None:
    handler.finish(await asyncio.to_thread(handler.manager.list_courses))


async def _assignments(handler: Any) -> None:
    course = handler.get_argument("course_id")
    handler.finish(await asyncio.to_thread(handler.manager.list_assignments, course))


async def _act(handler: Any, action: str) -> None:
    form = "course_id" in handler.request.arguments
    sent = handler.get_argument if form else (handler.get_json_body() or {}).get
    course, assignment = sent("course_id"), sent("assignment_id")
    manager = handler.manager
    work = {
        "fetch": manager.fetch_assignment,
        "submit": manager.submit_assignment,
        "fetch_feedback": manager.fetch_feedback,
    }[action]

    def do() -> dict[str, Any]:
        done: dict[str, Any] = work(course, assignment)
        return manager.list_assignments(course) if done["success"] else done

    handler.finish(await asyncio.to_thread(do))


def install(settings: dict[str, Any], manager: SentencesAssignmentList) -> None:
    """Have nbgrader's own addresses answered by `manager`, and never stop the server meanwhile.

    Stock handlers wait for the exchange in the server's only thread, so kernels would stand
    still while the portal is away.
    """
    settings["assignment_list_manager"] = manager
    handlers.CourseListHandler.get = web.authenticated(_courses)
    handlers.AssignmentListHandler.get = web.authenticated(_assignments)
    handlers.AssignmentActionHandler.post = web.authenticated(_act)
