"""nbgrader's exchange over HTTP: its plug-ins ask the portal, so no folder has to be shared."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange import abc
from traitlets import Bool

from ulab_core.errors import UserError
from ulab_core.i18n import mark, translations
from ulab_coursework import workspace
from ulab_coursework.coursefolder import timestamp
from ulab_coursework.portal_client import PortalClient, language


class Refused(abc.ExchangeError):
    """An exchange's error whose text is a sentence for whoever is looking."""


def sentence(error: UserError) -> str:
    """The error in the language of the person whose server this is."""
    return error.sentence(translations(language()).gettext)


def timestamp_of(moment: str) -> str:
    """A moment of the API as nbgrader writes moments."""
    return timestamp(datetime.fromisoformat(moment))


class Exchange(abc.Exchange):
    """What all plug-ins share."""

    path_includes_course = Bool(
        True, help="Assignments lie in a folder of their course, so that courses don't mix."
    ).tag(config=True)

    def start(self) -> Any:
        # The base class would answer nothing, and JupyterLab shows the text of what is raised.
        try:
            return self.work()
        except UserError as error:
            raise Refused(sentence(error)) from None

    def work(self) -> Any:
        raise NotImplementedError

    @property
    def client(self) -> PortalClient:
        return PortalClient()

    @property
    def root(self) -> Path:
        return Path(self.assignment_dir).resolve()

    @property
    def course_id(self) -> str:
        if not self.coursedir.course_id:
            raise UserError(mark("Name the course with --course."))
        return str(self.coursedir.course_id)

    @property
    def assignment_id(self) -> str:
        # The command line also takes a path.
        found = Path(str(self.coursedir.assignment_id)).name
        if not found:
            raise UserError(mark("Name the assignment with --assignment."))
        return found

    def wanted_courses(self) -> list[str]:
        """The course asked for, or all of the person's."""
        if self.coursedir.course_id not in ("", "*"):
            return [self.coursedir.course_id]
        return [course["id"] for course in self.client.get("courses")]

    def wanted(self, assignment: str) -> bool:
        return self.coursedir.assignment_id in ("", "*", assignment)

    def feedback_file(self, course: str, assignment: str, timestamp: str) -> Path:
        folder = workspace.folder_of(self.root, course, assignment)
        return folder / "feedback" / timestamp / f"{assignment}.html"

    def feedback_is_new(self, course: str, submission: dict[str, Any]) -> bool:
        """Whether the portal has feedback that is not in the home, or newer feedback."""
        if not submission["feedback_at"]:
            return False
        local = self.feedback_file(
            course, submission["assignment"], timestamp_of(submission["received_at"])
        )
        written = datetime.fromisoformat(submission["feedback_at"]).timestamp()
        return not local.exists() or local.stat().st_mtime < written


class ExchangeList(Exchange, abc.ExchangeList):
    """Lists what can be fetched, or what was handed in."""

    def work(self) -> list[dict[str, Any]]:
        if self.remove:
            return self._withdraw()
        list_one = self._submitted if self.inbound or self.cached else self._released
        found = []
        for course in self.wanted_courses():
            for assignment in self.client.get("courses", course, "assignments"):
                if self.wanted(assignment["name"]):
                    found += list_one(course, assignment)
        for info in found:
            self.log.info("%s %s %s", info["course_id"], info["assignment_id"], info["status"])
        return found

    def _released(self, course: str, assignment: dict[str, Any]) -> list[dict[str, Any]]:
        if not assignment["published"]:
            return []
        name = assignment["name"]
        folder = workspace.folder_of(self.root, course, name)
        notebooks = sorted(folder.glob("*.ipynb"))
        info = {
            "course_id": course,
            "assignment_id": name,
            "status": "fetched" if notebooks else "released",
            "path": str(folder),
            "notebooks": [{"notebook_id": n.stem, "path": str(n)} for n in notebooks],
        }
        return [info]

    def _submitted(self, course: str, assignment: dict[str, Any]) -> list[dict[str, Any]]:
        name = assignment["name"]
        where = "inbound" if self.inbound else "submissions"
        submissions = [
            self._submission(course, one)
            for one in self.client.get("courses", course, "assignments", name, where)
        ]
        by_student: dict[str, list[dict[str, Any]]] = {}
        for one in submissions:
            by_student.setdefault(one["student_id"], []).append(one)
        return [
            {
                "course_id": course,
                "student_id": student,
                "assignment_id": name,
                "status": "submitted",
                "submissions": sorted(ones, key=lambda one: one["timestamp"]),
            }
            for student, ones in by_student.items()
        ]

    def _submission(self, course: str, submission: dict[str, Any]) -> dict[str, Any]:
        name = submission["assignment"]
        timestamp = timestamp_of(submission["received_at"])
        page = self.feedback_file(course, name, timestamp)
        state = {
            "has_local_feedback": page.exists(),
            "has_exchange_feedback": bool(submission["feedback_at"]),
            "feedback_updated": page.exists() and self.feedback_is_new(course, submission),
        }
        return {
            "course_id": course,
            "student_id": submission["entry"],
            "assignment_id": name,
            "timestamp": timestamp,
            "status": "submitted",
            "path": str(workspace.folder_of(self.root, course, name)),
            "local_feedback_path": str(page.parent) if page.exists() else None,
            **state,
            "notebooks": [
                {
                    "notebook_id": name,
                    "path": str(workspace.notebook_of(self.root, course, name)),
                    "local_feedback_path": str(page) if page.exists() else None,
                    **state,
                }
            ],
        }

    def _withdraw(self) -> list[dict[str, Any]]:
        if self.inbound or self.cached:
            raise UserError(mark("Submissions can't be removed: what was handed in stays."))
        self.client.post("courses", self.course_id, "assignments", self.assignment_id, "withdraw")
        return []


class ExchangeFetchAssignment(Exchange, abc.ExchangeFetchAssignment):
    """Puts an assignment's files into the home, in the person's language."""

    def work(self) -> None:
        written = workspace.fetch(self.client, self.root, self.course_id, self.assignment_id)
        if not written:
            raise workspace.FetchedAlready(
                mark("You have all files of {assignment} already. None was overwritten."),
                assignment=self.assignment_id,
            )
        for path in written:
            self.log.info("Fetched %s", path)


class ExchangeSubmit(Exchange, abc.ExchangeSubmit):
    """Hands in the notebook as it was last saved."""

    def work(self) -> dict[str, Any]:
        receipt = workspace.submit(
            self.client, self.root, self.course_id, self.assignment_id, "jupyterlab"
        )
        self.log.info(
            "Submitted as %s at %s (SHA-256 %s)",
            receipt["id"],
            receipt["received_at"],
            receipt["sha256"],
        )
        return receipt


class ExchangeFetchFeedback(Exchange, abc.ExchangeFetchFeedback):
    """Puts the feedback there is for the person's own submissions into the home."""

    def work(self) -> None:
        course, assignment = self.course_id, self.assignment_id
        where = ("courses", course, "assignments", assignment, "submissions")
        for submission in self.client.get(*where):
            if self.feedback_is_new(course, submission):
                page = self.client.get_bytes("submissions", submission["id"], "feedback")
                target = self.feedback_file(
                    course, assignment, timestamp_of(submission["received_at"])
                )
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(page)
                self.log.info("Fetched feedback: %s", target)
