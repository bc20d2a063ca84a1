"""Reading the scores that count from a course's nbgrader gradebook, summed by the database."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from nbgrader import api
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from ulab_core.i18n import mark, translations
from ulab_core.layout import Layout
from ulab_core.models import Assignment, Role
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courserights import course_rights
from ulab_coursework.courses import find_course, people_of


@dataclass(frozen=True)
class Points:
    """What a student has in an assignment: automatic and manual points together.

    Attributes
    ----------
    needs_person
        Whether a cell waits for a person to grade it, so the points may still rise.
    """

    points: float
    max_points: float
    needs_person: bool


@dataclass(frozen=True)
class StudentScores:
    """A student's points by assignment; one without a graded submission is missing."""

    person: str
    display_name: str
    college: str
    scores: dict[str, Points] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(points.points for points in self.scores.values())


@dataclass(frozen=True)
class ClassScores:
    """A course's assignments and its students' points, students by name."""

    assignments: Sequence[Assignment]
    rows: list[StudentScores]


def class_scores(layout: Layout, session: Session, course_id: str) -> ClassScores:
    """The points of a whole class: two queries, whatever its size."""
    course = find_course(session, course_id)
    assignments = list(course.assignments)
    found = _points(layout, course_id, {a.name: a.max_score for a in assignments})
    rows = [
        StudentScores(
            person.name,
            person.display_name,
            person.college,
            {a.name: p for a in assignments if (p := found.get((person.name, a.name)))},
        )
        for person in people_of(session, course_id, Role.STUDENT)
    ]
    return ClassScores(assignments, rows)


def score_of(
    layout: Layout, session: Session, course_id: str, person: str, assignment: str
) -> Points | None:
    """One student's points in one assignment; None before anything was graded.

    Whether a student may see them is another question: see `standing.feedback_is_open`.
    """
    return scores_of(layout, session, course_id, person).get(assignment)


def scores_of(layout: Layout, session: Session, course_id: str, person: str) -> dict[str, Points]:
    """One student's points in each graded assignment of a course, by its name."""
    course = find_course(session, course_id)
    maxima = {a.name: a.max_score for a in course.assignments}
    found = _points(layout, course_id, maxima, person)
    return {assignment: points for (_, assignment), points in found.items()}


def _points(
    layout: Layout, course_id: str, maxima: dict[str, float], person: str | None = None
) -> dict[tuple[str, str], Points]:
    if not layout.gradebook(course_id).exists():
        return {}
    query = (
        select(
            api.SubmittedAssignment.student_id,
            api.Assignment.name,
            func.sum(api.Grade.score),
            func.max(api.Grade.needs_manual_grade),
        )
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .join(
            api.SubmittedNotebook,
            api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
        )
        .join(api.Grade, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .group_by(api.SubmittedAssignment.student_id, api.Assignment.name)
    )
    if person is not None:
        query = query.where(api.SubmittedAssignment.student_id == person)
    engine = create_engine(gradebook_url(layout, course_id))
    try:
        with course_rights(layout, course_id), engine.connect() as connection:
            return {
                (student, name): Points(points or 0.0, maxima.get(name, 0.0), bool(waiting))
                for student, name, points, waiting in connection.execute(query)
            }
    finally:
        engine.dispose()


HEADINGS = (mark("Account"), mark("Full name"), mark("College"))
TOTAL = mark("Total")


def to_csv(scores: ClassScores, language: str) -> str:
    """The class as a table for a spreadsheet, which needs the byte order mark for Chinese."""
    translate = translations(language).gettext
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(
        [*map(translate, HEADINGS)]
        + [f"{a.title(language)} ({a.max_score:g})" for a in scores.assignments]
        + [translate(TOTAL)]
    )
    for row in scores.rows:
        cells = (row.scores.get(a.name) for a in scores.assignments)
        writer.writerow(
            [*map(_harmless, (row.person, row.display_name, row.college))]
            + [f"{cell.points:g}" if cell else "" for cell in cells]
            # Nothing handed in is not the same as nothing right.
            + [f"{row.total:g}" if row.scores else ""]
        )
    return out.getvalue()


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
