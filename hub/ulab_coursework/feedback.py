"""Feedback: who may read it, and releasing it with what people graded by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import nbformat

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import Conflict, NotFound
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import FeedbackPolicy, Role, utc_now
from ulab_coursework import feedbackpage
from ulab_coursework.coursefolder import (
    course_gid,
    gradebook_lock,
    gradebook_url,
    read_file,
    write_file,
)
from ulab_coursework.courserights import course_rights
from ulab_coursework.courses import find_assignment, require_instructor
from ulab_coursework.releases import lab_of
from ulab_coursework.shown_grades import grade_stamps, stamp_of_page
from ulab_coursework.standing import Standing, class_standing, feedback_is_open, newest_of
from ulab_coursework.submissions import find
from ulab_curricula import PublishedLab


class NotReleased(Conflict):
    """There is feedback, or will be, and this reader may not see it yet."""


def feedback_html(db: Database, layout: Layout, submission_id: str, person: str) -> str:
    """The feedback page of a submission, for its owner and the course's instructors.

    Raises
    ------
    NotFound
        No such submission, or someone else's.
    NotReleased
        Not graded yet, or not released yet.
    """
    with db.read() as session:
        submission, role = find(session, submission_id, person)
        graded = submission.graded_at is not None
        assignment = submission.assignment
        open_ = feedback_is_open(assignment)
        whose = (assignment.course_id, assignment.name, submission.person.name)
    if not graded:
        raise NotReleased(mark("This submission has not been graded yet, so there is no feedback."))
    if role is Role.STUDENT and not open_:
        raise NotReleased(mark("Your instructor has not released the feedback yet."))
    freshen(db, layout, *whose)
    try:
        return layout.feedback_file(submission_id).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            mark("The feedback of this submission is missing. Ask for it to be graded again.")
        ) from None


def written_at(layout: Layout, submission_id: str) -> datetime | None:
    """When a submission's feedback page was written; None when there is none."""
    try:
        return datetime.fromtimestamp(layout.feedback_file(submission_id).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def freshen(db: Database, layout: Layout, course_id: str, assignment: str, person: str) -> None:
    """Write a student's feedback anew if a person has graded by hand since.

    Nothing tells the base of it, so it looks whenever someone reads. What waits for its release
    stays as it was released.
    """
    with db.read() as session:
        found = find_assignment(session, course_id, assignment)
        newest = newest_of(session, course_id, person).get(assignment)
    if found.feedback_policy is not FeedbackPolicy.AT_ONCE:
        return
    if newest is not None and outdated(layout, course_id, assignment, [newest], person):
        rewrite(db, layout, course_id, assignment, person)


def outdated(
    layout: Layout,
    course_id: str,
    assignment: str,
    newest: Iterable[Standing | None],
    person: str | None = None,
) -> list[Standing]:
    """Those of the newest submissions whose feedback is not what the gradebook holds.

    Parameters
    ----------
    person
        Whose submissions these are, if all are one's.
    """
    if not layout.gradebook(course_id).exists():
        return []
    with course_rights(layout, course_id):
        stamps = grade_stamps(gradebook_url(layout, course_id), assignment, person)
    return [
        one
        for one in _graded(newest)
        if one.person in stamps and stamp_of_page(layout, one.id) != stamps[one.person]
    ]


def release_feedback(
    db: Database, layout: Layout, course_id: str, assignment: str, actor: str
) -> int:
    """Write the feedback anew, with manual points and comments, and show it to the students.

    Returns
    -------
    int
        How many students' feedback was written.
    """
    with db.read() as session:
        require_instructor(session, course_id, actor)
    written = rewrite(db, layout, course_id, assignment)
    with db.write() as session:
        found = find_assignment(session, course_id, assignment)
        found.feedback_released_at = utc_now()
        record(
            session,
            actor,
            "assignment.release_feedback",
            f"{course_id}/{assignment}",
            students=written,
        )
    return written


def rewrite(
    db: Database, layout: Layout, course_id: str, assignment: str, person: str | None = None
) -> int:
    """Write the feedback of the newest graded submissions, or of one person's, anew."""
    # Locked from the start: a submission graded meanwhile would be shown under an older one's id.
    with gradebook_lock(layout, course_id):
        with db.read() as session:
            found = find_assignment(session, course_id, assignment)
            lab, number = lab_of(layout, found), found.course.number
            titles = {language: found.title(language) for language in ("zh", "en")}
            if person is None:
                newest = [row.newest for row in class_standing(session, course_id, assignment)]
            else:
                newest = [newest_of(session, course_id, person).get(assignment)]
        written = 0
        for submission in _graded(newest):
            place = f"{submission.person}/{assignment}/{assignment}"
            title = titles[submission.language]
            page = _page(layout, course_id, assignment, lab, submission, place, title)
            if page is not None:
                folder, gid = layout.course(course_id), course_gid(number)
                write_file(folder, f"feedback/{place}.html", page, gid)
                keep_page(layout, submission.id, page)
                written += 1
    return written


def _page(
    layout: Layout,
    course_id: str,
    assignment: str,
    lab: PublishedLab,
    submission: Standing,
    place: str,
    title: str,
) -> bytes | None:
    """The feedback page of a graded submission; None when its notebook isn't there."""
    try:
        content = read_file(layout.course(course_id), f"autograded/{place}.ipynb")
    except FileNotFoundError:
        return None
    autograded = nbformat.reads(content.decode(), as_version=4)
    release = json.loads(lab.release_notebook(submission.language).read_bytes())
    with course_rights(layout, course_id):
        return feedbackpage.render(
            autograded,
            release,
            gradebook_url(layout, course_id),
            assignment,
            submission.person,
            title,
            submission.language,
            autograded.metadata.get("ulab_notes", ()),
        ).encode()


def _graded(newest: Iterable[Standing | None]) -> Iterable[Standing]:
    return (one for one in newest if one is not None and one.graded_at is not None)


def keep_page(layout: Layout, submission_id: str, page: bytes) -> None:
    """Store a feedback page in one step."""
    target = layout.feedback_file(submission_id)
    temporary = target.with_suffix(".part")
    temporary.write_bytes(page)
    temporary.replace(target)
