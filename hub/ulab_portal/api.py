"""The HTTP API that JupyterLab's exchange and other programs use; pages have their own routes."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.responses import Response

from ulab_core.hub_auth import HubUser
from ulab_core.i18n import LANGUAGES, translations
from ulab_core.models import Assignment, Course, FeedbackPolicy, Role
from ulab_core.rights import Act, may
from ulab_coursework import feedback, regrading, releases, submissions
from ulab_coursework.courses import (
    courses_of,
    find_assignment,
    find_course,
    require_member,
    require_right,
)
from ulab_coursework.standing import (
    Standing,
    class_standing,
    feedback_is_open,
    history,
)
from ulab_portal.handed_in import feedback_answer, notebook_answer
from ulab_portal.page import Portal, language_of, portal_of

router = APIRouter(prefix="/api")


async def _reader(request: Request) -> HubUser:
    return await portal_of(request).login.current_user(request)


async def _actor(request: Request) -> HubUser:
    return await portal_of(request).login.trusted_user(request)


Reader = Annotated[HubUser, Depends(_reader)]
Actor = Annotated[HubUser, Depends(_actor)]
Base = Annotated[Portal, Depends(portal_of)]


class GradeRequest(BaseModel):
    """Whose newest submission to grade; nobody named means everyone's.

    `force` grades also what was graded with the same tests before, as naming a student does.
    """

    model_config = ConfigDict(extra="forbid")
    student: str = ""
    force: bool = False


class PublishRequest(BaseModel):
    """How to publish an assignment; a deadline needs a zone."""

    model_config = ConfigDict(extra="forbid")
    due_at: AwareDatetime | None = None
    feedback_policy: FeedbackPolicy | None = None


@router.get("/courses")
def courses(user: Reader, base: Base) -> list[dict[str, Any]]:
    """The courses the caller is in."""
    with base.db.read() as session:
        return [_course(course, role) for course, role in courses_of(session, user.name)]


@router.get("/courses/{course_id}/assignments")
def assignments(course_id: str, user: Reader, base: Base) -> list[dict[str, Any]]:
    """A course's published assignments; who teaches it sees all."""
    with base.db.read() as session:
        role = require_member(session, course_id, user.name)
        found = find_course(session, course_id).assignments
        return [
            _assignment(one) for one in found if one.published_at is not None or may(role, Act.SEE)
        ]


@router.get("/courses/{course_id}/assignments/{assignment}/release")
def release(
    course_id: str,
    assignment: str,
    user: Reader,
    base: Base,
    request: Request,
    language: str | None = None,
) -> dict[str, Any]:
    """The files a student starts from, base64 each."""
    chosen = language if language in LANGUAGES else language_of(request, base)
    with base.db.read() as session:
        require_member(session, course_id, user.name)
        content = releases.released_notebook(base.layout, session, course_id, assignment, chosen)
        course = find_course(session, course_id)
        lab = {"curriculum": course.curriculum, "version": course.curriculum_version}
    files = {f"{assignment}.ipynb": base64.b64encode(content).decode()}
    return {
        "course": course_id, "assignment": assignment, "language": chosen, "files": files, **lab,
    }  # fmt: skip


@router.post("/courses/{course_id}/assignments/{assignment}/submissions", status_code=201)
async def submit(
    course_id: str,
    assignment: str,
    user: Actor,
    base: Base,
    request: Request,
    via: str = "jupyterlab",
) -> dict[str, Any]:
    """Take a notebook, the request's body as it is; answer with the receipt once it is stored."""
    content = await _body(request, base)
    receipt = await run_in_threadpool(
        submissions.receive,
        base.db,
        base.layout,
        base.settings,
        course_id,
        assignment,
        user.name,
        content,
        via if via in ("jupyterlab", "portal") else "jupyterlab",
    )
    return _plain(asdict(receipt))


@router.get("/courses/{course_id}/assignments/{assignment}/submissions")
def own_submissions(
    course_id: str, assignment: str, user: Reader, base: Base, request: Request
) -> list[dict[str, Any]]:
    """What the caller handed in, newest first."""
    with base.db.read() as session:
        require_member(session, course_id, user.name)
    feedback.freshen(base.db, base.layout, course_id, assignment, user.name)
    with base.db.read() as session:
        found = history(session, course_id, assignment, user.name)
    language = language_of(request, base)
    return [_seen(base, one, language) for one in found]


@router.get("/courses/{course_id}/assignments/{assignment}/inbound")
def inbound(
    course_id: str, assignment: str, user: Reader, base: Base, request: Request
) -> list[dict[str, Any]]:
    """The newest submission of every student or group, for who teaches the course."""
    with base.db.read() as session:
        require_right(session, course_id, user.name, Act.SEE)
        rows = class_standing(session, course_id, assignment)
    language = language_of(request, base)
    # A group's stands in the row of each of its members.
    newest = {row.newest.id: row.newest for row in rows if row.newest is not None}
    return [_seen(base, one, language) for one in newest.values()]


@router.get("/submissions/{submission_id}")
def submission(submission_id: str, user: Reader, base: Base, request: Request) -> dict[str, Any]:
    """Where one submission stands."""
    with base.db.read() as session:
        found = submissions.get(session, submission_id, user.name)
    return _seen(base, found, language_of(request, base))


@router.get("/submissions/{submission_id}/notebook")
def submitted_notebook(submission_id: str, user: Reader, base: Base) -> Response:
    """The bytes that were handed in."""
    return notebook_answer(base, submission_id, user.name)


@router.get("/submissions/{submission_id}/feedback")
def submission_feedback(submission_id: str, user: Reader, base: Base) -> Response:
    """The feedback page; what a student made of it may do nothing in the reader's browser."""
    return feedback_answer(base, submission_id, user.name)


@router.post("/courses/{course_id}/assignments/{assignment}/grade")
def grade(
    course_id: str, assignment: str, user: Actor, base: Base, wanted: GradeRequest | None = None
) -> dict[str, int]:
    """Queue newest submissions for grading."""
    wanted = wanted or GradeRequest()
    queued = regrading.grade_again(
        base.db, course_id, assignment, user.name, wanted.student, force=wanted.force
    )
    return {"queued": queued}


@router.post("/courses/{course_id}/assignments/{assignment}/publish")
def publish(
    course_id: str, assignment: str, user: Actor, base: Base, wanted: PublishRequest | None = None
) -> dict[str, Any]:
    """Publish an assignment; what is not given stays as it was."""
    with base.db.read() as session:
        require_right(session, course_id, user.name, Act.PUBLISH)
        before = find_assignment(session, course_id, assignment)
    given = wanted.model_fields_set if wanted else set()
    due_at = wanted.due_at if wanted and "due_at" in given else before.due_at
    policy = (wanted.feedback_policy if wanted else None) or before.feedback_policy
    found = releases.publish_assignment(
        base.db, base.layout, course_id, assignment, due_at, policy, user.name
    )
    regrading.follow(base.db, base.layout, course_id, assignment)
    with base.db.read() as session:
        again = find_assignment(session, course_id, assignment)
        changed = regrading.outdated(session, base.layout, again)
    return _assignment(found) | {"graded_by_other_tests": changed}


@router.post("/courses/{course_id}/assignments/{assignment}/withdraw")
def withdraw(course_id: str, assignment: str, user: Actor, base: Base) -> dict[str, Any]:
    """Hide an assignment from students."""
    with base.db.read() as session:
        require_right(session, course_id, user.name, Act.PUBLISH)
    releases.withdraw_assignment(base.db, course_id, assignment, user.name)
    return {"published": False}


@router.post("/courses/{course_id}/assignments/{assignment}/release_feedback")
def release_feedback(course_id: str, assignment: str, user: Actor, base: Base) -> dict[str, int]:
    """Show students their feedback, with manual points and comments."""
    return {
        "released": feedback.release_feedback(
            base.db, base.layout, course_id, assignment, user.name
        )
    }


async def _body(request: Request, base: Portal) -> bytes:
    """The request's body, refused as soon as it is known to be too large."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit():
        submissions.refuse_size(int(announced), base.settings)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        submissions.refuse_size(size, base.settings)
        parts.append(part)
    return b"".join(parts)


def _course(course: Course, role: Role) -> dict[str, Any]:
    return {
        "id": course.id,
        "titles": {language: course.title(language) for language in LANGUAGES},
        "focus_area": course.focus_area,
        "term": course.term,
        "role": role.value,
    }


def _assignment(assignment: Assignment) -> dict[str, Any]:
    return _plain(
        {
            "name": assignment.name,
            "titles": {language: assignment.title(language) for language in LANGUAGES},
            "published": assignment.published_at is not None,
            "due_at": assignment.due_at,
            "minutes": assignment.minutes,
            "profile": assignment.profile,
            "max_score": assignment.max_score,
            "feedback_policy": assignment.feedback_policy.value,
            "feedback_open": feedback_is_open(assignment),
        }
    )


def _seen(base: Portal, found: Standing, language: str) -> dict[str, Any]:
    """A submission as JSON, with the moment its feedback was written if the caller may read it."""
    problem = translations(language).gettext(found.problem) if found.problem else None
    written = feedback.written_at(base.layout, found.id) if found.feedback else None
    return _plain(asdict(found) | {"problem": problem, "feedback_at": written})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
    }
