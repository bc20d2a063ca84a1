"""Similar passages of a class, for those alone who teach the course."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.audit import record
from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.models import Assignment
from ulab_core.rights import Act
from ulab_coursework import comparing
from ulab_coursework.courses import find_assignment, require_right
from ulab_coursework.releases import lab_of
from ulab_coursework.similarity import Report, newest_of, read_report
from ulab_coursework.similarity_lock import being_made_since
from ulab_curricula.titles import answer_titles
from ulab_portal.areas import area
from ulab_portal.page import Page, reading
from ulab_portal.side_by_side import bars, questions
from ulab_portal.watching import allowed

router = APIRouter(prefix="/courses/{course_id}/teach/labs/{name}/similarity")
Comparer = Annotated[Page, allowed(Act.COMPARE)]
ON_A_PAGE = 50
Reader = Annotated[Page, Depends(reading)]


@router.get("")
def similarity(
    course_id: str, name: str, page: Reader, number: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """The newest report, most similar pairs first."""
    _, about = _about(page, course_id, name)
    layout = page.portal.layout
    report = read_report(page.portal.db, layout, course_id, name, page.user.name)
    with page.portal.db.write() as session:
        newest = newest_of(session, course_id, name)
        if report is not None:
            record(session, page.user.name, "similarity.look", f"{course_id}/{name}")
    alike = [pair for pair in report.pairs if pair.similarity] if report else []
    first = (number - 1) * ON_A_PAGE
    return page.answer(
        "similarity.html",
        **about,
        report=report,
        newer=_newer(report, {entry: one.id for entry, (one, _) in newest.items()}),
        submissions=len(newest),
        since=being_made_since(layout, course_id, name),
        failure=comparing.failure(layout, course_id, name),
        bars=bars(pair.similarity for pair in report.pairs) if report else [],
        pairs=alike[first : first + ON_A_PAGE],
        unlike=len(report.pairs) - len(alike) if report else 0,
        number=number,
        pages=-(-len(alike) // ON_A_PAGE),
    )


@router.get("/progress")
def progress(course_id: str, name: str, page: Reader) -> Response:
    """Whether it is still being made; the page itself when not."""
    _, about = _about(page, course_id, name)
    since = being_made_since(page.portal.layout, course_id, name)
    if since is None:
        return page.go(f"courses/{course_id}/teach/labs/{name}/similarity")
    return page.answer("_comparing.html", **about, since=since)


@router.post("")
def start(course_id: str, name: str, page: Comparer) -> Response:
    """Compare the newest submissions."""
    portal = page.portal
    comparing.start(portal.db, portal.layout, portal.settings, course_id, name, page.user.name)
    return page.go(f"courses/{course_id}/teach/labs/{name}/similarity")


@router.get("/pair")
def pair(course_id: str, name: str, page: Reader, first: str, second: str) -> Response:
    """Two students' or groups' work side by side."""
    found, about = _about(page, course_id, name)
    layout = page.portal.layout
    report = read_report(page.portal.db, layout, course_id, name, page.user.name)
    if report is None:
        raise NotFound(mark("These submissions have not been compared yet."))
    shown = report.between(first, second)
    with page.portal.db.write() as session:
        target = f"{course_id}/{name}"
        record(session, page.user.name, "similarity.look", target, people=list(shown.people))
    release = lab_of(layout, found).release_notebook(page.language)
    return page.answer(
        "similar_pair.html",
        **about,
        report=report,
        pair=shown,
        questions=questions((report.cells[first], report.cells[second]), shown.lines),
        titles=answer_titles(json.loads(release.read_bytes())),
    )


def _about(page: Page, course_id: str, name: str) -> tuple[Assignment, dict[str, Any]]:
    with page.portal.db.read() as session:
        require_right(session, course_id, page.user.name, Act.COMPARE)
        return _assignment(session, page, course_id, name)


def _assignment(
    session: Session, page: Page, course_id: str, name: str
) -> tuple[Assignment, dict[str, Any]]:
    found = find_assignment(session, course_id, name)
    return found, {
        "course": found.course,
        "course_title": found.course.title(page.language),
        "area": area(found.course.focus_area),
        "title": found.title(page.language),
        "lab": found,
    }


def _newer(report: Report | None, now: dict[str, str]) -> int:
    """How many have handed in since."""
    return sum(report.compared.get(entry) != one for entry, one in now.items()) if report else 0
