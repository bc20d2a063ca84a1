"""Trying out a move on the portal: asking for it, how far it is, whose score would move and why."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.rights import Act
from ulab_coursework.courses import find_course
from ulab_coursework.moving import changes
from ulab_coursework.regrade_report import Move
from ulab_curricula.publication import PublishedCurriculum, load_published
from ulab_curricula.titles import cell_titles
from ulab_portal import move_trials
from ulab_portal.called import called
from ulab_portal.page import Page, reading
from ulab_portal.watching import allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach/version/{version}/trial")
Mover = Annotated[Page, allowed(Act.MOVE)]


@dataclass(frozen=True)
class LabRows:
    """The submissions of one lab that would be other than now.

    Attributes
    ----------
    questions
        The titles of its questions, by their cells.
    """

    title: str
    rows: list[dict[str, Any]]
    questions: dict[str, str]


@router.get("")
def trial(course_id: str, version: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """How far a trial is, or what came of it."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        course = find_course(session, course_id)
        layout = page.portal.layout
        then = load_published(layout, course.curriculum, version)
        found = move_trials.find(layout, course_id, course.curriculum_version, version)
        names = {row["person"] for row in found.rows} | {found.person} if found else set()
        return page.answer(
            "_trial.html",
            course=course,
            version=version,
            viewer=viewer,
            trial=found,
            groups=_groups(found, then, page.language) if found else [],
            called=called(session, names),
        )


@router.post("")
def ask(course_id: str, version: str, page: Mover) -> Response:
    """Grade the class by the other tests, changing nothing."""
    portal = page.portal
    with portal.db.read() as session:
        # Only what could be done is tried.
        if not any(
            one.tests_changed and one.submitted
            for one in changes(session, portal.layout, course_id, version)
        ):
            raise NotFound(mark("Nothing that was handed in would be graded by other tests."))
        before = find_course(session, course_id).curriculum_version
    move_trials.start(portal.layout, course_id, before, version, page.user.name, page.language)
    return page.go(f"courses/{course_id}/teach/version")


def _groups(found: move_trials.Trial, then: PublishedCurriculum, language: str) -> list[LabRows]:
    made = []
    for name, rows in itertools.groupby(found.rows, key=lambda row: row["lab"]):
        lab = then.lab(name)
        release = json.loads(lab.release_notebook(language).read_bytes())
        shown = [{**row, "moves": [Move(**move) for move in row["moves"]]} for row in rows]
        made.append(LabRows(lab.titles[language], shown, cell_titles(release)))
    return made
