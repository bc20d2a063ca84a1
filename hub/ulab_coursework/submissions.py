"""Taking a submission: checked, stored under its SHA-256, committed, then acknowledged."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import NotFound, TooLarge
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Assignment, Role, Submission, utc_now
from ulab_core.rights import Act, may
from ulab_core.settings import Settings
from ulab_coursework import queue, store
from ulab_coursework.courses import (
    find_assignment,
    find_person,
    require_member,
    role_in,
)
from ulab_coursework.notebooks import check_belongs, language_of, parse
from ulab_coursework.owners import Owner, locked_owner_of, owner_of
from ulab_coursework.standing import Standing, State, standing_of, state_of, waiting
from ulab_coursework.taking import refuse_now
from ulab_curricula import load_published


@dataclass(frozen=True)
class Receipt:
    """What a student holds in hand once the submission can't be lost any more.

    Attributes
    ----------
    received_at
        The server's clock, UTC.
    again
        The same bytes were handed in before and this is that receipt.
    attempts_left
        How many more are taken; None where there is no limit.
    """

    id: str
    sha256: str
    received_at: datetime
    size: int
    course_id: str
    assignment: str
    again: bool = False
    attempts_left: int | None = None


def refuse_size(size: int, settings: Settings) -> None:
    """Refuse a notebook that is over the limit.

    Raises
    ------
    TooLarge
        It is; the sentence says what usually makes a notebook big.
    """
    limit = settings.grading.max_notebook_mb
    if size > limit * 1024 * 1024:
        raise TooLarge(
            mark(
                "This notebook is larger than {limit} MB. Clear the outputs that hold many or big "
                "pictures, save it and submit again."
            ),
            limit=limit,
        )


def receive(
    db: Database,
    layout: Layout,
    settings: Settings,
    course_id: str,
    assignment: str,
    person: str,
    content: bytes,
    via: str,
) -> Receipt:
    """Take a notebook from a person and queue its grading.

    When this returns, the bytes are on the disk and the row is committed. Handing in the same
    bytes again gives the existing receipt, so a caller who heard no answer may safely repeat.

    Parameters
    ----------
    person
        The name of whoever hands in, as the hub knows it.
    via
        ``jupyterlab`` or ``portal``.

    Raises
    ------
    TooLarge, NotANotebook, OtherAssignment, NotAllowed, NotFound, AfterDeadline, NoAttempt
        With a sentence that says what to do. Nothing is stored then.
    """
    received_at = utc_now()
    refuse_size(len(content), settings)
    sha256 = store.digest(content)
    with db.read() as session:
        require_member(session, course_id, person)
        target = find_assignment(session, course_id, assignment)
        refuse_unpublished(target)
        owner = owner_of(session, target.id, person)
        if not _handed_in_before(session, target, owner, sha256):
            refuse_now(session, target, owner, received_at, settings)
        course = target.course
        titles = {one.name: one.titles for one in course.assignments}
        lab = load_published(layout, course.curriculum, course.curriculum_version).lab(assignment)
    notebook = parse(content)
    language = language_of(notebook, settings.site.language)
    release = lab.release_notebook(language).read_bytes()
    check_belongs(notebook, assignment, json.loads(release), titles)
    store.keep(layout, content)

    with db.write() as session:
        target = find_assignment(session, course_id, assignment)
        # Two at the same moment would both find that one attempt is left.
        owner = locked_owner_of(session, target.id, person)
        existing = _handed_in_before(session, target, owner, sha256)
        if existing is not None:
            if state_of(existing) is State.FAILED:
                queue.enqueue(session, existing)
            return _receipt(existing, course_id, assignment, again=True)
        # Asked again, because the instructor may have acted since.
        refuse_unpublished(target)
        room = refuse_now(session, target, owner, received_at, settings)
        submission = Submission(
            assignment_id=target.id,
            group_id=owner.group_id,
            person_id=find_person(session, person).id,
            sha256=sha256,
            size=len(content),
            language=language,
            via=via,
            received_at=received_at,
        )
        session.add(submission)
        session.flush()
        queue.enqueue(session, submission)
        record(
            session,
            person,
            "submission.receive",
            f"{course_id}/{assignment}",
            submission=submission.id,
            sha256=sha256,
            via=via,
        )
    left = None if room.left is None else room.left - 1
    return replace(_receipt(submission, course_id, assignment), attempts_left=left)


def refuse_unpublished(assignment: Assignment) -> None:
    if assignment.published_at is None:
        raise NotFound(
            mark("{assignment} is not published in this course."), assignment=assignment.titles
        )


def _handed_in_before(
    session: Session, assignment: Assignment, owner: Owner, sha256: str
) -> Submission | None:
    """The newest submission of a student or group, if it has these very bytes."""
    newest = session.scalar(
        select(Submission)
        .where(Submission.assignment_id == assignment.id, owner.submissions())
        .order_by(Submission.received_at.desc(), Submission.id.desc())
        .limit(1)
    )
    return newest if newest is not None and newest.sha256 == sha256 else None


def _receipt(
    submission: Submission, course_id: str, assignment: str, again: bool = False
) -> Receipt:
    return Receipt(
        id=submission.id,
        sha256=submission.sha256,
        received_at=submission.received_at,
        size=submission.size,
        course_id=course_id,
        assignment=assignment,
        again=again,
    )


def find(session: Session, submission_id: str, person: str) -> tuple[Submission, Role]:
    """A submission and what the reader is in its course, when the reader may see it.

    Raises
    ------
    NotFound
        There is none, or it is someone else's and the reader doesn't teach the course.
        The two look alike, so that ids can't be probed.
    """
    submission = session.get(
        Submission,
        submission_id,
        options=[joinedload(Submission.assignment), joinedload(Submission.person)],
    )
    if submission is not None:
        role = role_in(session, submission.assignment.course_id, person)
        if role is not None and (may(role, Act.SEE) or _is_of(session, submission, person)):
            return submission, role
    raise NotFound(mark("There is no such submission of yours."))


def _is_of(session: Session, submission: Submission, person: str) -> bool:
    if submission.group_id is None:
        return submission.person.name == person
    return owner_of(session, submission.assignment_id, person).group_id == submission.group_id


def get(session: Session, submission_id: str, person: str) -> Standing:
    """Where one submission stands, for a reader who may see it."""
    submission, role = find(session, submission_id, person)
    found = standing_of(session, submission, for_student=not may(role, Act.SEE))
    return waiting(session, found)


def notebook_bytes(db: Database, layout: Layout, submission_id: str, person: str) -> bytes:
    """The submitted bytes, for their owner and who teaches the course."""
    with db.read() as session:
        submission, _ = find(session, submission_id, person)
        sha256 = submission.sha256
    return store.fetch(layout, sha256)
