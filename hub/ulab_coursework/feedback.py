"""Feedback: who may read it, and releasing it with what people graded by hand.

A page is made when it is first read, from what grading kept: most pages of a class that is graded
again are never opened.
"""

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
from ulab_core.models import Assignment, FeedbackPolicy, Role, Submission, utc_now
from ulab_core.rights import Act
from ulab_coursework import graded
from ulab_coursework.coursefolder import gradebook_lock, gradebook_url, read_file
from ulab_coursework.courserights import course_rights
from ulab_coursework.courses import find_assignment, require_right
from ulab_coursework.feedbackpage import render_feedback
from ulab_coursework.graded import Remarks
from ulab_coursework.owners import Owner, owner_of
from ulab_coursework.releases import lab_of
from ulab_coursework.shown_grades import grade_stamps, marks_of
from ulab_coursework.standing import (
    Standing,
    class_standing,
    counting_of,
    feedback_is_open,
)
from ulab_coursework.submissions import find


class NotReleased(Conflict):
    """There is feedback, or will be, and this reader may not see it yet."""


def feedback_html(db: Database, layout: Layout, submission_id: str, person: str) -> str:
    """The feedback page of a submission, for its owner and who teaches the course.

    Raises
    ------
    NotFound
        No such submission, or someone else's.
    NotReleased
        Not graded yet, or not released yet.
    """
    with db.read() as session:
        submission, role = find(session, submission_id, person)
        is_graded = submission.graded_at is not None
        assignment = submission.assignment
        open_ = feedback_is_open(assignment)
        whose = Owner.of(submission.person_id, submission.group_id)
    if not is_graded:
        raise NotReleased(mark("This submission has not been graded yet, so there is no feedback."))
    if role is Role.STUDENT and not open_:
        raise NotReleased(mark("Your instructor has not released the feedback yet."))
    _freshen(db, layout, assignment, whose)
    page = graded.kept_page(layout, submission_id) or _make_page(db, layout, submission_id)
    if page is None:
        raise NotFound(
            mark("The feedback of this submission is missing. Ask for it to be graded again.")
        )
    return page


def _make_page(db: Database, layout: Layout, submission_id: str) -> str | None:
    """Write the page of what grading kept; None when it kept nothing."""
    made_of = graded.marks_time(layout, submission_id)
    marks = graded.load_marks(layout, submission_id)
    if made_of is None or marks is None:
        return None
    try:
        notebook = graded.read_notebook(layout, submission_id)
    except FileNotFoundError:
        return None
    with db.read() as session:
        submission = session.get_one(Submission, submission_id)
        language = submission.language
        title = submission.assignment.title(language)
        release = lab_of(layout, submission.assignment).release_notebook(language)
    page = render_feedback(
        notebook,
        json.loads(release.read_bytes()),
        graded.load_verdicts(layout, submission_id),
        marks,
        title,
        language,
    )
    graded.keep_page(layout, submission_id, page, made_of)
    return page


def written_at(layout: Layout, submission_id: str) -> datetime | None:
    """When what a submission's feedback shows was last changed; None when there is none."""
    for file in (layout.marks_file(submission_id), layout.feedback_file(submission_id)):
        try:
            return datetime.fromtimestamp(file.stat().st_mtime, UTC)
        except FileNotFoundError:
            continue
    return None


def freshen(db: Database, layout: Layout, course_id: str, assignment: str, person: str) -> None:
    """Write a student's feedback anew if a person has graded by hand since.

    Nothing tells the base of it, so it looks whenever someone reads. What waits for its release
    stays as it was released.
    """
    with db.read() as session:
        found = find_assignment(session, course_id, assignment)
        whose = owner_of(session, found.id, person)
    _freshen(db, layout, found, whose)


def _freshen(db: Database, layout: Layout, assignment: Assignment, whose: Owner) -> None:
    if assignment.feedback_policy is not FeedbackPolicy.AT_ONCE:
        return
    with db.read() as session:
        newest = counting_of(session, assignment, whose)
    course_id, name = assignment.course_id, assignment.name
    if newest is not None and outdated(layout, course_id, name, [newest], newest.entry):
        rewrite(db, layout, course_id, name, whose)


def outdated(
    layout: Layout,
    course_id: str,
    assignment: str,
    newest: Iterable[Standing | None],
    entry: str | None = None,
) -> list[Standing]:
    """Those of the submissions that count whose feedback is not what the gradebook holds.

    Parameters
    ----------
    entry
        Their name in the gradebook, if all have one.
    """
    if not layout.gradebook(course_id).exists():
        return []
    with course_rights(layout, course_id):
        stamps = grade_stamps(gradebook_url(layout, course_id), assignment, entry)
    found = list(_graded(newest))
    shown = graded.stamps(layout, (one.id for one in found))
    return [one for one in found if one.entry in stamps and shown.get(one.id) != stamps[one.entry]]


def release_feedback(
    db: Database, layout: Layout, course_id: str, assignment: str, actor: str
) -> int:
    """Take manual points and comments into the feedback, and show it to the students.

    Returns
    -------
    int
        How many students' feedback there is.
    """
    with db.read() as session:
        require_right(session, course_id, actor, Act.RELEASE)
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
    db: Database, layout: Layout, course_id: str, assignment: str, whose: Owner | None = None
) -> int:
    """Take points and comments of the submissions that count, or of one owner's, anew."""
    # Locked from the start: a submission graded meanwhile would be shown under an older one's id.
    with gradebook_lock(layout, course_id):
        with db.read() as session:
            if whose is None:
                rows = class_standing(session, course_id, assignment)
                newest = [row.counting for row in rows]
            else:
                target = find_assignment(session, course_id, assignment)
                newest = [counting_of(session, target, whose)]
        # A group's is there once for each of its members.
        distinct = {one.id: one for one in _graded(newest)}.values()
        return sum(_take(layout, course_id, assignment, one) for one in distinct)


def _take(layout: Layout, course_id: str, assignment: str, submission: Standing) -> bool:
    """Take one submission's points and comments; False when its notebook isn't there."""
    before = graded.load_marks(layout, submission.id)
    if not layout.graded_notebook(submission.id).exists():
        # Graded before notebooks were kept; the course's folder has the newest one.
        place = f"autograded/{submission.entry}/{assignment}/{assignment}.ipynb"
        try:
            content = read_file(layout.course(course_id), place)
        except FileNotFoundError:
            return False
        notebook = nbformat.reads(content.decode(), as_version=4)
        graded.keep_notebook(layout, submission.id, notebook)
    url, remarks = gradebook_url(layout, course_id), before.remarks if before else Remarks()
    with course_rights(layout, course_id):
        marks = marks_of(url, assignment, submission.entry, remarks)
    graded.keep_marks(layout, submission.id, marks)
    return True


def _graded(newest: Iterable[Standing | None]) -> Iterable[Standing]:
    return (one for one in newest if one is not None and one.graded_at is not None)
