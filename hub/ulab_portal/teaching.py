"""A course as those who teach it see it: publishing, who submitted, scores, grading, feedback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ulab_core.models import Assignment, FeedbackPolicy, utc_now
from ulab_core.rights import Act
from ulab_coursework import feedback, gradebook, regrading, releases
from ulab_coursework.courses import find_assignment, find_course
from ulab_coursework.gradebook import Points
from ulab_coursework.owners import group_names
from ulab_coursework.progress import Progress, progress_of
from ulab_coursework.standing import ClassRow, class_rows, feedback_is_open
from ulab_coursework.tries import load_class
from ulab_portal import moments, past_deadline
from ulab_portal.areas import area
from ulab_portal.page import BASE, Page, reading
from ulab_portal.people import members
from ulab_portal.servers import formgrader_address
from ulab_portal.states import STYLES, WORDS, LabState, distribution, lab_state, percent
from ulab_portal.watching import allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach")


@dataclass(frozen=True)
class ClassLab:
    """One lab of a course as its instructor sees it."""

    assignment: Assignment
    title: str
    progress: Progress
    points: dict[str, Points]
    due_field: str
    rows: list[ClassRow] = field(default_factory=list)
    """Nobody where the numbers are all that is shown."""
    unreleased: int = 0
    """How many students' feedback is older than what was graded by hand since its release."""
    groups: Mapping[int, str] = field(default_factory=dict)
    """The groups' names by number."""

    @property
    def name(self) -> str:
        return self.assignment.name

    @cached_property
    def percents(self) -> list[int]:
        found = (percent(got.points, got.max_points) for got in self.points.values())
        return [value for value in found if value is not None]

    @property
    def waits(self) -> bool:
        """Whether anything waits to be graded by hand."""
        return any(got.needs_person for got in self.points.values())

    @property
    def mean(self) -> int | None:
        found = self.percents
        return round(sum(found) / len(found)) if found else None

    @property
    def withheld(self) -> bool:
        """Whether there is feedback that students wait for."""
        return not feedback_is_open(self.assignment)

    @property
    def chart(self) -> str:
        """What the plot shows, as JSON."""
        return json.dumps({"counts": distribution(self.percents)})

    def state(self, row: ClassRow) -> LabState:
        return lab_state(row.newest, row.extended_to or self.assignment.due_at, utc_now())

    def word(self, row: ClassRow) -> str:
        return WORDS[self.state(row)]

    def style(self, row: ClassRow) -> str:
        return STYLES[self.state(row)]


def class_lab(
    found: Assignment, progress: Progress, scores: gradebook.ClassScores, page: Page
) -> ClassLab:
    """One lab with its class's points, and how far it is."""
    zone = page.portal.settings.site.zone
    due = found.due_at
    if due is None and found.published_at is None:
        due = moments.suggested_deadline(utc_now(), zone)
    return ClassLab(
        assignment=found,
        title=found.title(page.language),
        progress=progress,
        points={
            row.person: row.scores[found.name] for row in scores.rows if found.name in row.scores
        },
        due_field=moments.for_field(due, zone),
    )


@router.get("")
def course(
    course_id: str, page: Annotated[Page, Depends(reading)], added: int | None = None
) -> Response:
    """The course's labs, its class and its people."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        found = find_course(session, course_id)
        known = load_class(session, course_id, found.assignments)
        scores = gradebook.scores_for(page.portal.layout, course_id, known)
        progress = progress_of(session, known)
        labs = [class_lab(one, progress[one.id], scores, page) for one in found.assignments]
        return page.answer(
            "teach.html",
            course=found,
            viewer=viewer,
            title=found.title(page.language),
            area=area(found.focus_area),
            labs=labs,
            people=members(session, page.portal.layout, course_id),
            scores=scores.rows,
            waits=any(lab.waits for lab in labs),
            added=added,
            formgrader_url=formgrader_address(BASE, page.user.name, course_id),
        )


@router.get("/labs/{name}")
def lab(course_id: str, name: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """One lab: who submitted, how they did, and what to do about it."""
    return _lab(page, course_id, name, "teach_lab.html")


@router.get("/labs/{name}/class")
def lab_class(course_id: str, name: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """The part of that page that changes while submissions are graded."""
    return _lab(page, course_id, name, "_class.html")


def _lab(page: Page, course_id: str, name: str, template: str) -> Response:
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        found = find_assignment(session, course_id, name)
        known = load_class(session, course_id, [found])
        scores = gradebook.scores_for(page.portal.layout, course_id, known)
        rows = class_rows(session, known, found)
        outdated = 0
        if template == "teach_lab.html":
            tries = known.tries[found.id]
            outdated = regrading.outdated(session, page.portal.layout, found, tries)
        return page.answer(
            template,
            outdated=outdated,
            course=found.course,
            viewer=viewer,
            course_title=found.course.title(page.language),
            area=area(found.course.focus_area),
            formgrader_url=formgrader_address(BASE, page.user.name, course_id, name),
            lab=replace(
                class_lab(found, progress_of(session, known)[found.id], scores, page),
                rows=rows,
                unreleased=_unreleased(page, found, rows),
                groups=group_names(session, found.id),
            ),
        )


def _unreleased(page: Page, found: Assignment, rows: list[ClassRow]) -> int:
    if found.feedback_policy is FeedbackPolicy.AT_ONCE or not feedback_is_open(found):
        return 0
    newest = {row.counting.id: row.counting for row in rows if row.counting}.values()
    return len(feedback.outdated(page.portal.layout, found.course_id, found.name, newest))


@router.post("/labs/{name}/publish")
def publish(
    course_id: str,
    name: str,
    page: Annotated[Page, allowed(Act.PUBLISH)],
    due: Annotated[str, Form()] = "",
    feedback_policy: Annotated[FeedbackPolicy, Form()] = FeedbackPolicy.AT_ONCE,
    past: Annotated[bool, Form()] = False,
) -> Response:
    """Show a lab to the students, or change its deadline and feedback policy.

    A new deadline that has passed is asked about first: `past` is the answer.
    """
    portal, zone = page.portal, page.portal.settings.site.zone
    due_at = moments.entered(due, zone)
    with portal.db.read() as session:
        before = find_assignment(session, course_id, name)
    published = before.published_at is not None
    said = past_deadline.warning(utc_now(), due_at, before.closes_at, before.late_rule)
    is_new = not published or moments.for_field(before.due_at, zone) != due
    if said and is_new and not past:
        return past_deadline.question(page, said, "#publish-answer", published=published)
    releases.publish_assignment(
        portal.db, portal.layout, course_id, name, due_at, feedback_policy, page.user.name
    )
    # With another deadline another submission may be the best.
    regrading.follow(portal.db, portal.layout, course_id, name)
    return page.go(f"courses/{course_id}/teach/labs/{name}")


@router.post("/labs/{name}/withdraw")
def withdraw(course_id: str, name: str, page: Annotated[Page, allowed(Act.PUBLISH)]) -> Response:
    """Hide a lab from the students."""
    releases.withdraw_assignment(page.portal.db, course_id, name, page.user.name)
    return page.go(f"courses/{course_id}/teach/labs/{name}")


@router.post("/labs/{name}/grade")
def grade(
    course_id: str,
    name: str,
    page: Annotated[Page, allowed(Act.REGRADE)],
    student: Annotated[str, Form()] = "",
) -> Response:
    """Grade everyone's newest submission again, or one student's."""
    regrading.grade_again(page.portal.db, course_id, name, page.user.name, student)
    return _lab(page, course_id, name, "_class.html")


@router.post("/labs/{name}/release")
def release(course_id: str, name: str, page: Annotated[Page, allowed(Act.RELEASE)]) -> Response:
    """Let the students see scores and feedback."""
    portal = page.portal
    feedback.release_feedback(portal.db, portal.layout, course_id, name, page.user.name)
    return page.go(f"courses/{course_id}/teach/labs/{name}")


@router.get("/scores.csv")
def scores(course_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """Everyone's scores as a table that spreadsheets open."""
    with page.portal.db.read() as session:
        viewer_of(session, page, course_id)
        table = gradebook.class_scores(page.portal.layout, session, course_id)
        text = gradebook.to_csv(table, page.language)
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{course_id}.csv"'},
    )
