"""How the runs of a class compare, for those who teach it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ulab_core.models import Person, Role, utc_now
from ulab_core.rights import Act
from ulab_coursework.courses import find_assignment, people_of, require_right
from ulab_mlflow.admin import MlflowDown
from ulab_portal import moments
from ulab_portal.areas import area
from ulab_portal.page import Page, reading, sentence
from ulab_portal.run_view import Asked, Comparison, compare, runs_to_csv, to_csv
from ulab_portal.run_words import STATUSES

router = APIRouter(prefix="/courses/{course_id}/teach/labs/{name}")
Reader = Annotated[Page, Depends(reading)]


@router.get("/runs")
def runs(
    course_id: str,
    name: str,
    page: Reader,
    metric: str = "",
    better: str = "",
    against: str = "",
) -> Response:
    """The page; what MLflow has to be asked for comes after it by itself."""
    asked = Asked(metric, better, against)
    around, people = _about(page, course_id, name)
    logged = page.portal.class_runs.held(course_id, name)
    found = compare(people, logged, asked) if logged else None
    return page.answer("runs.html", **around, **_shown(page, found), asked=asked)


@router.get("/runs/compared")
def compared(
    course_id: str,
    name: str,
    page: Reader,
    metric: str = "",
    better: str = "",
    against: str = "",
) -> Response:
    """The part of the page that shows the runs, or why it can't."""
    around, people = _about(page, course_id, name)
    try:
        logged = page.portal.class_runs.read(course_id, name)
    except MlflowDown as error:
        return page.answer("_runs_away.html", **around, problem=sentence(error, page.language))
    found = compare(people, logged, Asked(metric, better, against))
    return page.answer("_runs.html", **around, **_shown(page, found))


@router.get("/runs.csv")
def students_table(
    course_id: str,
    name: str,
    page: Reader,
    metric: str = "",
    better: str = "",
) -> Response:
    """Each student's best value as a table that spreadsheets open."""
    _, people = _about(page, course_id, name)
    found = compare(people, page.portal.class_runs.read(course_id, name), Asked(metric, better))
    return _table(to_csv(found, page.language), f"{course_id}-{name}-best")


@router.get("/runs/all.csv")
def runs_table(course_id: str, name: str, page: Reader) -> Response:
    """Every run with its metrics and parameters as a table that spreadsheets open."""
    _, people = _about(page, course_id, name)
    found = compare(people, page.portal.class_runs.read(course_id, name), Asked())
    return _table(runs_to_csv(found, page.language), f"{course_id}-{name}-runs")


def _about(page: Page, course_id: str, name: str) -> tuple[dict[str, Any], list[Person]]:
    """What is around the numbers, and the students; the database is free when MLflow is asked."""
    with page.portal.db.read() as session:
        require_right(session, course_id, page.user.name, Act.SEE)
        found = find_assignment(session, course_id, name)
        people = people_of(session, course_id, Role.STUDENT)
        around = {
            "course": found.course,
            "course_title": found.course.title(page.language),
            "area": area(found.course.focus_area),
            "title": found.title(page.language),
            "lab": found,
        }
    return around, people


def _shown(page: Page, found: Comparison | None) -> dict[str, Any]:
    exact = _exact(page)
    return {
        "found": found,
        "scatter": found.scatter_chart(page.portal.settings.site.zone, exact) if found else "",
        "said": exact,
        "statuses": STATUSES,
    }


def _exact(page: Page) -> Callable[[datetime], str]:
    zone, now = page.portal.settings.site.zone, utc_now()
    return lambda moment: moments.exact(moment, zone, page.language, now)


def _table(text: str, name: str) -> Response:
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )
