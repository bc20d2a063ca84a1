"""Moving a course to another version of its curriculum, with the submissions it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Assignment, Course, Submission
from ulab_coursework.assign import fill_gradebook
from ulab_coursework.courses import find_course
from ulab_coursework.regrading import regrade
from ulab_coursework.versions import tests_digest
from ulab_curricula import PublishedCurriculum, PublishedLab, load_published


class CantMove(Conflict):
    """The course's work doesn't fit the other version."""


@dataclass(frozen=True)
class LabChange:
    """What another version means for one lab.

    Attributes
    ----------
    tests_changed
        Whether what decides points is other than now.
    submitted
        Whether anyone has handed it in.
    new
        Whether the course has no such lab yet.
    """

    name: str
    titles: Mapping[str, str]
    tests_changed: bool
    submitted: bool
    new: bool = False


def changes(
    session: Session, layout: Layout, course_id: str, version: str
) -> tuple[LabChange, ...]:
    """What moving a course to `version` would change.

    Raises
    ------
    NotFound
        There is no such version.
    CantMove
        A lab of the course is not in it, or submissions would lose questions or have new ones.
    """
    course = find_course(session, course_id)
    now = load_published(layout, course.curriculum, course.curriculum_version)
    then = load_published(layout, course.curriculum, version)
    offered = {lab.id: lab for lab in then.labs}
    found = []
    for one in course.assignments:
        lab = offered.get(one.name)
        if lab is None:
            raise CantMove(
                mark("Version {version} has no lab {assignment}, so the course can't move to it."),
                version=version,
                assignment=one.titles,
            )
        submitted = bool(session.scalar(select(exists().where(Submission.assignment_id == one.id))))
        old = now.lab(one.name)
        if submitted and cells_of(_notebook(old)) != cells_of(_notebook(lab)):
            raise CantMove(
                mark(
                    "In version {version} the lab {assignment} has other cells. Students "
                    "handed in already, and their work would be lost, so the course can't move "
                    "to it."
                ),
                version=version,
                assignment=one.titles,
            )
        changed = tests_digest(old) != tests_digest(lab)
        found.append(LabChange(one.name, lab.titles, changed, submitted))
    known = {one.name for one in course.assignments}
    added = [lab for lab in then.labs if lab.id not in known]
    return (*found, *(LabChange(lab.id, lab.titles, False, False, new=True) for lab in added))


def move(
    db: Database,
    layout: Layout,
    course_id: str,
    version: str,
    actor: str,
    *,
    regrades: bool = False,
) -> tuple[LabChange, ...]:
    """Run a course in another version of its curriculum; new labs are added unpublished.

    The caller has checked that `actor` may do this.

    Parameters
    ----------
    regrades
        Grade again what was handed in for labs whose tests are others.

    Raises
    ------
    NotFound, CantMove
        As `changes` says; nothing was changed.
    """
    with db.read() as session:
        planned = changes(session, layout, course_id, version)
        course = find_course(session, course_id)
        number, then = course.number, load_published(layout, course.curriculum, version)
        submitted = {one.name for one in planned if one.submitted}
        filled = {
            one.name: one.due_at
            for one in course.assignments
            if one.published_at or one.name in submitted
        }
    for name, due_at in filled.items():
        fill_gradebook(layout, course_id, number, then.lab(name), due_at)
    with db.write() as session:
        # Once more where nobody can hand in meanwhile.
        planned = changes(session, layout, course_id, version)
        course = find_course(session, course_id)
        before, course.curriculum_version = course.curriculum_version, version
        _take_over(session, course, then)
        record(
            session, actor, "course.move", course_id, version_before=before, version_after=version
        )
        session.flush()
        if regrades:
            changed = {one.name for one in planned if one.tests_changed and one.submitted}
            for one in course.assignments:
                if one.name in changed:
                    regrade(session, one, actor, before)
    return planned


def _take_over(session: Session, course: Course, then: PublishedCurriculum) -> None:
    known = {one.name: one for one in course.assignments}
    for position, lab in enumerate(then.labs):
        found = known.get(lab.id)
        if found is None:
            found = Assignment(course_id=course.id, name=lab.id)
            session.add(found)
        found.position = position
        found.title_zh, found.title_en = lab.titles["zh"], lab.titles["en"]
        found.profile, found.minutes, found.max_score = lab.profile, lab.minutes, lab.max_score


def cells_of(notebook: Mapping[str, Any]) -> dict[str, tuple[bool, ...]]:
    """The cells that nbgrader keeps submissions' work under, with what each of them is."""
    found = {}
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        kinds = tuple(bool(about.get(kind)) for kind in ("grade", "solution", "task"))
        if any(kinds) or about.get("locked"):
            found[about["grade_id"]] = kinds
    return found


def _notebook(lab: PublishedLab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab.source_notebook.read_bytes())
    return found
