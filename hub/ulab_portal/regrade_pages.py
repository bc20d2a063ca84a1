"""Grading a class again: asking for it, how far it is, and whose score it moved and why."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.models import Assignment
from ulab_core.rights import Act
from ulab_coursework import regrading
from ulab_coursework.courses import find_assignment
from ulab_coursework.regrade_report import Asked, regrades, report, to_csv
from ulab_coursework.releases import lab_of
from ulab_curricula.titles import cell_titles
from ulab_portal.areas import area
from ulab_portal.called import called
from ulab_portal.page import Page, reading
from ulab_portal.watching import allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach/labs/{name}/regrade")
Regrader = Annotated[Page, allowed(Act.REGRADE)]
MOST_KEPT = 1000
MOST_LISTED = 10


@router.get("")
def regrade(
    course_id: str, name: str, page: Annotated[Page, Depends(reading)], number: int | None = None
) -> Response:
    """The newest regrade, or the one of that number."""
    return _page(page, course_id, name, number, "regrade.html")


@router.get("/report")
def progress(
    course_id: str, name: str, page: Annotated[Page, Depends(reading)], number: int | None = None
) -> Response:
    """The part of that page that changes while submissions are graded."""
    return _page(page, course_id, name, number, "_regrade.html")


@router.post("")
def ask(
    course_id: str, name: str, page: Regrader, force: Annotated[bool, Form()] = False
) -> Response:
    """Grade the class again."""
    regrading.grade_again(page.portal.db, course_id, name, page.user.name, force=force)
    return page.go(f"courses/{course_id}/teach/labs/{name}/regrade")


@router.get("/report.csv")
def table(
    course_id: str, name: str, page: Annotated[Page, Depends(reading)], number: int | None = None
) -> Response:
    """The report as a table that spreadsheets open."""
    with page.portal.db.read() as session:
        viewer_of(session, page, course_id)
        found = find_assignment(session, course_id, name)
        shown = _shown(regrades(session, found, MOST_KEPT), number)
        text = to_csv(report(session, shown.id) if shown else [], page.language)
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{course_id}-{name}-regrade.csv"'},
    )


def _page(page: Page, course_id: str, name: str, number: int | None, template: str) -> Response:
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        found = find_assignment(session, course_id, name)
        return page.answer(
            template,
            course=found.course,
            course_title=found.course.title(page.language),
            area=area(found.course.focus_area),
            title=found.title(page.language),
            lab=found,
            viewer=viewer,
            outdated=regrading.outdated(session, page.portal.layout, found),
            **_report(session, page, found, number),
        )


def _report(session: Session, page: Page, found: Assignment, number: int | None) -> dict[str, Any]:
    known = regrades(session, found, MOST_KEPT)
    shown = _shown(known, number)
    rows = report(session, shown.id) if shown else []
    release = lab_of(page.portal.layout, found).release_notebook(page.language)
    names = {one.person for one in rows} | {one.actor for one in known}
    return {
        "asked": shown,
        "earlier": [one for one in known[1:] if one != shown][:MOST_LISTED],
        "newest": known[0] if known and shown != known[0] else None,
        "moved": [one for one in rows if not one.waits],
        "questions": cell_titles(json.loads(release.read_bytes())),
        "called": called(session, names),
    }


def _shown(known: list[Asked], number: int | None) -> Asked | None:
    if number is None:
        return known[0] if known else None
    shown = next((one for one in known if one.id == number), None)
    if shown is None:
        raise NotFound(mark("There is no such regrade of this lab."))
    return shown
