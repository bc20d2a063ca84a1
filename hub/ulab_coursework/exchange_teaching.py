"""The exchange plug-ins that instructors use from formgrader, over HTTP as well."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange import abc

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_coursework.exchange import Exchange, timestamp_of


class ExchangeReleaseAssignment(Exchange, abc.ExchangeReleaseAssignment):
    """Publishes an assignment; its deadline and feedback policy stay as they are."""

    def work(self) -> None:
        self.client.post("courses", self.course_id, "assignments", self.assignment_id, "publish")
        self.log.info("Published %s", self.assignment_id)


class ExchangeReleaseFeedback(Exchange, abc.ExchangeReleaseFeedback):
    """Has the portal write the feedback from the gradebook and show it to the students."""

    def work(self) -> None:
        if self.coursedir.student_id not in ("", "*"):
            raise UserError(
                mark("Feedback is released for a whole assignment, not for single students.")
            )
        answer = self.client.post(
            "courses", self.course_id, "assignments", self.assignment_id, "release_feedback"
        )
        self.log.info("Released the feedback of %d students", answer["released"])


class ExchangeCollect(Exchange, abc.ExchangeCollect):
    """Copies every student's or group's newest submission into the course's folder."""

    def work(self) -> None:
        course, assignment = self.course_id, self.assignment_id
        for submission in self.client.get("courses", course, "assignments", assignment, "inbound"):
            student = submission["entry"]
            if self.coursedir.student_id not in ("", "*", student):
                continue
            folder = Path(
                self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment)
            )
            stamp, timestamp = folder / "timestamp.txt", timestamp_of(submission["received_at"])
            if stamp.exists() and stamp.read_text() == timestamp:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            content = self.client.get_bytes("submissions", submission["id"], "notebook")
            (folder / f"{assignment}.ipynb").write_bytes(content)
            stamp.write_text(timestamp)
            self.log.info("Collected %s of %s", assignment, student)
