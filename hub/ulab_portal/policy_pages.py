"""An assignment's settings page: its policies, extensions, and who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Extension, Person, Role, utc_now
from ulab_core.rights import Act
from ulab_coursework import regrading
from ulab_coursework.courses import find_assignment, people_of
from ulab_coursework.policies import NOT_LATER, NOTHING_TO_EXTEND, extend, set_policy
from ulab_portal import late_curve, moments, past_deadline, policy_form
from ulab_portal.areas import area
from ulab_portal.history import changes_of
from ulab_portal.page import Page, reading, sentence
from ulab_portal.policy_form import Fields, Read
from ulab_portal.watching import Viewer, allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach/labs/{name}")
Setter = Annotated[Page, allowed(Act.POLICY)]
LONGEST_REASON = 500


class Sent(Fields):
    """The form's fields, and the button that was pressed."""

    past: bool = False


@router.get("/policy")
def policy(
    course_id: str, name: str, page: Annotated[Page, Depends(reading)], saved: bool = False
) -> Response:
    """The settings as they are."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        found = find_assignment(session, course_id, name)
        fields = policy_form.shown(found, page.portal.settings.site.zone)
        return page.answer(
            "policy.html", **_around(session, page, found, fields, viewer), saved=saved
        )


@router.post("/policy")
def save(course_id: str, name: str, page: Setter, fields: Annotated[Sent, Form()]) -> Response:
    """Change what was changed; a field that can't be read is said beside it, and nothing is.

    A new deadline that has passed is asked about first: `past` is the answer.
    """
    portal, zone = page.portal, page.portal.settings.site.zone
    got = policy_form.read(fields, zone)
    if got.problems:
        return _refused(page, course_id, name, fields, got)
    with portal.db.write() as session:
        found = find_assignment(session, course_id, name)
        wanted = policy_form.changes(found, got.values, zone)
        said = past_deadline.warning(
            utc_now(), got.values["due_at"], got.late.closes_at, got.late.rule
        )
        if said and not fields.past and wanted.keys() & {"due_at", "closes_at"}:
            return past_deadline.question(page, said, "#policy-answer", published=True)
        if wanted:
            set_policy(session, course_id, name, wanted, page.user.name)
    if wanted:
        regrading.follow(portal.db, portal.layout, course_id, name)
    return page.go(f"courses/{course_id}/teach/labs/{name}/policy?saved=1")


@router.post("/policy/preview")
def preview(course_id: str, name: str, page: Setter, fields: Annotated[Fields, Form()]) -> Response:
    """What the fields, as they stand, would make of late work; nothing is changed."""
    with page.portal.db.read() as session:
        found = find_assignment(session, course_id, name)
        got = policy_form.read(fields, page.portal.settings.site.zone)
        return page.answer("_late_curve.html", **_curve(found, got))


@router.post("/extensions")
def give(
    course_id: str,
    name: str,
    page: Setter,
    people: Annotated[list[str] | None, Form()] = None,
    until: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Give students a deadline of their own; nobody gets one when anything is wrong."""
    portal = page.portal
    with portal.db.read() as session:
        found = find_assignment(session, course_id, name)
        problems: dict[str, UserError] = {}
        until_at = None
        try:
            until_at = moments.entered(until, portal.settings.site.zone)
        except UserError as error:
            problems["until"] = error
        if found.due_at is None:
            problems["until"] = UserError(NOTHING_TO_EXTEND)
        elif until_at is None and "until" not in problems:
            problems["until"] = UserError(mark("Say until when."))
        elif until_at is not None and until_at <= found.due_at:
            problems["until"] = UserError(NOT_LATER)
        if not people:
            problems["people"] = UserError(mark("Choose at least one student."))
        if len(reason) > LONGEST_REASON:
            problems["reason"] = UserError(mark("Keep the reason below 500 characters."))
        if problems:
            viewer = viewer_of(session, page, course_id)
            values = _extensions(session, page, found, viewer)
            values |= {"chosen": people or [], "until": until, "reason": reason}
            return _with_problems(page, "_extensions.html", "#extensions", values, problems)
    with portal.db.write() as session:
        for one in people or []:
            extend(session, course_id, name, one, until_at, reason.strip(), page.user.name)
    return _extensions_changed(page, course_id, name)


@router.post("/extensions/remove")
def take_back(course_id: str, name: str, page: Setter, person: Annotated[str, Form()]) -> Response:
    """Take a student's extension back."""
    with page.portal.db.write() as session:
        extend(session, course_id, name, person, None, "", page.user.name)
    return _extensions_changed(page, course_id, name)


def _extensions_changed(page: Page, course_id: str, name: str) -> Response:
    regrading.follow(page.portal.db, page.portal.layout, course_id, name)
    return page.go(f"courses/{course_id}/teach/labs/{name}/policy?saved=1")


def _refused(page: Page, course_id: str, name: str, fields: Fields, got: Read) -> Response:
    with page.portal.db.read() as session:
        found = find_assignment(session, course_id, name)
        values = _around(session, page, found, fields, viewer_of(session, page, course_id))
        return _with_problems(page, "_policy_form.html", "#policy", values, got.problems)


def _with_problems(
    page: Page, part: str, target: str, values: dict[str, Any], problems: dict[str, UserError]
) -> Response:
    """The form as it was filled in, with the sentences at its fields; nothing was changed."""
    said = {name: sentence(error, page.language) for name, error in problems.items()}
    response = page.answer(part, 422, **(values | {"problems": said}))
    response.headers["hx-retarget"], response.headers["hx-reswap"] = target, "innerHTML show:top"
    return response


def _around(
    session: Session, page: Page, found: Assignment, fields: Fields, viewer: Viewer
) -> dict[str, Any]:
    got = policy_form.read(fields, page.portal.settings.site.zone)
    return {
        **_extensions(session, page, found, viewer),
        "course_title": found.course.title(page.language),
        "area": area(found.course.focus_area),
        "title": found.title(page.language),
        "fields": fields,
        "problems": {},
        "changes": changes_of(session, found, page),
        **_curve(found, got),
    }


def _curve(found: Assignment, got: Read) -> dict[str, Any]:
    plot = None
    if not got.problems:
        plot = late_curve.curve(got.late, got.values["due_at"], found.max_score)
    return {
        "curve": plot,
        "lab": found,
        "unread": bool(got.problems),
        "no_deadline": not got.problems and got.values["due_at"] is None,
        "rule": got.values.get("late_rule"),
    }


def _extensions(session: Session, page: Page, found: Assignment, viewer: Viewer) -> dict[str, Any]:
    given = session.execute(
        select(Extension, Person)
        .join(Person, Person.id == Extension.person_id)
        .where(Extension.assignment_id == found.id)
        .order_by(Extension.due_at, Person.name)
    ).all()
    return {
        "course": found.course,
        "lab": found,
        "given": [(person, one.due_at, one.reason) for one, person in given],
        "students": people_of(session, found.course_id, Role.STUDENT),
        "problems": {},
        "chosen": [],
        "until": "",
        "reason": "",
        "viewer": viewer,
    }
