"""A lab as its student sees it: open, submit, state, score, feedback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, UploadFile
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Role, Submission, utc_now
from ulab_core.rights import Act, may
from ulab_coursework import gradebook, groups
from ulab_coursework.courses import find_assignment, require_member
from ulab_coursework.owners import deadline_of, owner_of
from ulab_coursework.releases import lab_of
from ulab_coursework.standing import Standing, history
from ulab_coursework.submissions import find, receive, refuse_size, refuse_unpublished
from ulab_coursework.taking import room_of
from ulab_portal import late_words, moments
from ulab_portal.areas import area
from ulab_portal.cells import CellScore, cell_scores
from ulab_portal.handed_in import feedback_answer, notebook_answer
from ulab_portal.levels import LEVELS
from ulab_portal.page import BASE, Page, acting, reading
from ulab_portal.servers import ServerProblem, ServerState, open_address
from ulab_portal.states import STYLES, WORDS, LabState, lab_state

router = APIRouter()
MAX_POLLS = 80
THEME = "ulab-theme"
"""How often a submit page asks for the server before it says that something is wrong."""


@dataclass(frozen=True)
class LabStanding:
    """What the part of the lab's page that changes by itself shows."""

    state: LabState
    past: list[Standing]
    cells: list[CellScore]
    score: float | None
    max_score: float
    penalty: float = 0.0

    @property
    def newest(self) -> Standing | None:
        return self.past[0] if self.past else None

    @property
    def pending(self) -> bool:
        return self.newest is not None and self.newest.pending

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def style(self) -> str:
        return STYLES[self.state]

    @property
    def mark(self) -> str:
        """Changes whenever the shown part would."""
        newest = self.newest
        wait = newest.wait if newest else None
        at = f"{wait.ahead}.{wait.question}.{wait.done}" if wait else ""
        return f"{newest.id if newest else ''}-{self.state}-{self.score}-{len(self.past)}-{at}"


def visible_assignment(session: Session, course_id: str, name: str, page: Page) -> Assignment:
    """The lab, for a member of the course who may see it: students only once it is published."""
    role = require_member(session, course_id, page.user.name)
    found = find_assignment(session, course_id, name)
    if not may(role, Act.SEE):
        refuse_unpublished(found)
    return found


def lab_standing(session: Session, found: Assignment, page: Page) -> LabStanding:
    """How the lab stands for whoever asks, cell by cell once it is graded."""
    past = history(session, found.course_id, found.name, page.user.name)
    newest = past[0] if past else None
    limits = deadline_of(session, found, page.user.name)
    state = lab_state(newest, limits.closes_at, utc_now())
    counts, cells = None, []
    if state is LabState.GRADED:
        layout, person = page.portal.layout, page.user.name
        counts = gradebook.score_of(layout, session, found.course_id, person, found.name)
        entry = owner_of(session, found.id, person).entry or person
        cells = cell_scores(
            layout, found.course_id, found.name, entry, lab_of(layout, found), page.language
        )
    if counts is not None:
        past = [replace(one, score=counts.points) if one.counts else one for one in past]
    return LabStanding(
        state=state,
        past=past,
        cells=cells,
        # The gradebook knows what a person added by hand; the submission alone does not.
        score=counts.points if counts else None,
        max_score=found.max_score,
        penalty=counts.penalty if counts else 0.0,
    )


@router.get("/courses/{course_id}/labs/{name}")
def lab(course_id: str, name: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """A lab's page."""
    with page.portal.db.read() as session:
        found = visible_assignment(session, course_id, name, page)
        course = found.course
        limits = deadline_of(session, found, page.user.name)
        published = lab_of(page.portal.layout, found)
        return page.answer(
            "lab.html",
            course=course,
            course_title=course.title(page.language),
            area=area(course.focus_area),
            title=found.title(page.language),
            published=published,
            level=LEVELS[published.level],
            standing=lab_standing(session, found, page),
            due_at=limits.due_at,
            closed=limits.closes_at is not None and utc_now() > limits.closes_at,
            group=groups.my_group(session, found, page.user.name, utc_now()),
            **_rules(session, found, page),
            open_url=open_address(BASE, page.user.name, course_id, name, found.profile),
            max_mb=page.portal.settings.grading.max_notebook_mb,
        )


@router.get("/courses/{course_id}/labs/{name}/state")
def state(
    course_id: str, name: str, page: Annotated[Page, Depends(reading)], seen: str = ""
) -> Response:
    """The part of a lab's page that changes by itself; nothing when it has not."""
    with page.portal.db.read() as session:
        found = visible_assignment(session, course_id, name, page)
        standing = lab_standing(session, found, page)
        if standing.mark == seen:
            return Response(status_code=204)
        return page.answer("_state.html", lab=found, course=found.course, standing=standing)


@router.post("/courses/{course_id}/labs/{name}/submit")
async def submit(
    course_id: str,
    name: str,
    page: Annotated[Page, Depends(acting)],
    polls: int = 0,
    started: bool = False,
) -> Response:
    """Hand in the notebook as it lies in the student's own server, which is started if needed.

    While the server starts, the answer is a part of the page that asks again by itself, so that
    nothing here has to be remembered.
    """
    profile = await run_in_threadpool(_profile_if_open, page, course_id, name)
    server = page.portal.server_of(page.user)
    now = await server.state()
    if now is ServerState.READY:
        receipt = await server.submit(course_id, name)
        # The server is the student's, and may answer anything.
        sha256, again = receipt["sha256"], bool(receipt.get("again"))
        return await run_in_threadpool(_submitted, page, course_id, name, sha256, again)
    if polls >= MAX_POLLS or (started and now is ServerState.STOPPED):
        raise ServerProblem(
            mark(
                "Your server did not start, so nothing was submitted. Open it from its page to "
                "see why, or upload the notebook file."
            )
        )
    if now is ServerState.STOPPED:
        await server.start(profile)
    return page.answer(
        "_starting.html",
        course_id=course_id,
        name=name,
        polls=polls + 1,
        started=started or now is not ServerState.STOPPING,
    )


@router.post("/courses/{course_id}/labs/{name}/upload")
async def upload(
    course_id: str, name: str, notebook: UploadFile, page: Annotated[Page, Depends(acting)]
) -> Response:
    """Hand in a notebook file."""
    if not notebook.filename:
        raise UserError(mark("Choose a notebook file first."))
    refuse_size(notebook.size or 0, page.portal.settings)
    content = await notebook.read()
    portal = page.portal
    receipt = await run_in_threadpool(
        receive,
        portal.db,
        portal.layout,
        portal.settings,
        course_id,
        name,
        page.user.name,
        content,
        "portal",
    )
    return await run_in_threadpool(_submitted, page, course_id, name, receipt.sha256, receipt.again)


@router.get("/submissions/{submission_id}/feedback")
def show_feedback(submission_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """The feedback, which holds what a student wrote: shown where it can do nothing."""
    with page.portal.db.read() as session:
        submission, role = find(session, submission_id, page.user.name)
        assignment = submission.assignment
        teaching = may(role, Act.SEE) and submission.person.name != page.user.name
        place = "teach/labs" if teaching else "labs"
        back = f"courses/{assignment.course_id}/{place}/{assignment.name}"
        notes = _notes(session, submission, page, for_student=role is Role.STUDENT)
    head = page.html("_feedback_head.html", back=back, notes=notes)
    theme = page.request.cookies.get(THEME, "")
    return feedback_answer(page.portal, submission_id, page.user.name, head, theme)


def _notes(
    session: Session, submission: Submission, page: Page, *, for_student: bool
) -> tuple[str, ...]:
    """What the feedback itself can't say, since it may be another thing tomorrow."""
    assignment, person = submission.assignment, submission.person.name
    past = history(session, assignment.course_id, assignment.name, person, for_student)
    seen = next((one for one in past if one.id == submission.id), None)
    if seen is None:
        return ()
    score = seen.score
    if seen.counts and score is not None:
        layout = page.portal.layout
        known = gradebook.score_of(layout, session, assignment.course_id, person, assignment.name)
        # The gradebook knows what a person added by hand.
        score = known.points if known else score
    found = late_words.HandedIn(
        received_at=seen.received_at,
        penalty=seen.penalty,
        score=score,
        max_score=seen.max_score or assignment.max_score,
        counts=seen.counts,
        submissions=len(past),
    )
    limits = deadline_of(session, assignment, person)
    return late_words.verdict(found, assignment, limits, page.language, _exact(page))


def _exact(page: Page) -> Callable[[datetime], str]:
    zone = page.portal.settings.site.zone
    return lambda moment: moments.exact(moment, zone, page.language, utc_now())


@router.get("/submissions/{submission_id}/notebook")
def download(submission_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """The very bytes that were handed in."""
    return notebook_answer(page.portal, submission_id, page.user.name)


def _profile_if_open(page: Page, course_id: str, name: str) -> str:
    with page.portal.db.read() as session:
        return visible_assignment(session, course_id, name, page).profile


def _rules(session: Session, found: Assignment, page: Page) -> dict[str, Any]:
    """What holds for whoever asks when they hand in, with the attempts that are left."""
    limits = deadline_of(session, found, page.user.name)
    owner = owner_of(session, found.id, page.user.name)
    return {
        "lab": found,
        "late_rules": late_words.rules(found, limits, page.language, _exact(page)),
        "room": room_of(session, found, owner, utc_now()),
    }


def _submitted(page: Page, course_id: str, name: str, sha256: str, again: bool) -> Response:
    with page.portal.db.read() as session:
        rules = _rules(session, find_assignment(session, course_id, name), page)
        response = page.answer("_submitted.html", sha256=sha256, again=again, **rules)
    response.headers["hx-trigger"] = "ulab:submitted"
    return response
