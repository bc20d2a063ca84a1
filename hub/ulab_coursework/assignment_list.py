"""nbgrader's Assignment List with our sentences in place of its tracebacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList

from ulab_core.i18n import mark, translations
from ulab_coursework.exchange import Refused
from ulab_coursework.portal_client import language

BROKEN = mark("Something went wrong while your assignments were read: {reason}")


class SentencesAssignmentList(AssignmentList):
    """What JupyterLab's Assignment List asks.

    nbgrader drops the reason when fetching fails and just lists again; here the reason is what
    that listing answers.
    """

    _failed: dict[str, Any] | None = None

    def list_assignments(self, course_id: str | None = None) -> dict[str, Any]:
        failed, self._failed = self._failed, None
        if failed is not None:
            return failed
        return self._answer(lambda: self._listed(course_id))

    def fetch_assignment(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        return self._act("FetchAssignment", course_id, assignment_id)

    def fetch_feedback(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        return self._act("FetchFeedback", course_id, assignment_id)

    def submit_assignment(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        done = self._answer(lambda: self._plugin("Submit", course_id, assignment_id).start())
        return {"success": True} if done["success"] else done

    def forget_failure(self) -> None:
        """The reason was told by other means."""
        self._failed = None

    def _act(self, plugin: str, course_id: str, assignment_id: str) -> dict[str, Any]:
        done = self._answer(lambda: self._plugin(plugin, course_id, assignment_id).start())
        if not done["success"]:
            self._failed = done
        return done

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
        with self.get_assignment_dir_config() as config:
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
