"""Reading the scores that count from a course's nbgrader gradebook, summed by the database."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from nbgrader import api
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ulab_core.i18n import mark, translations
from ulab_core.layout import Layout
from ulab_core.models import Assignment
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courserights import course_rights
from ulab_coursework.courses import find_course, find_person
from ulab_coursework.lateness import less_penalty
from ulab_coursework.owners import of_person
from ulab_coursework.shown_grades import engine_of
from ulab_coursework.tries import ClassTries, Tries, load_class, load_tries


class Points(NamedTuple):
    """What a student has in an assignment: automatic and manual points together.

    Attributes
    ----------
    points
        What counts: `raw` less `penalty`.
    needs_person
        Whether a cell waits for a person to grade it, so the points may still rise.
    raw
        What the gradebook has.
    penalty
        What being late costs, as deadline and rule are now.
    """

    points: float
    max_points: float
    needs_person: bool
    raw: float = 0.0
    penalty: float = 0.0


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
    """The points of a whole class: a few queries, whatever its size."""
    assignments = find_course(session, course_id).assignments
    return scores_for(layout, course_id, load_class(session, course_id, assignments))


def scores_for(layout: Layout, course_id: str, known: ClassTries) -> ClassScores:
    """The same of a class whose submissions were loaded before, in those assignments."""
    assignments = [of.assignment for of in known.tries.values()]
    names = [assignment.name for assignment in assignments]
    entries = _entries(layout, course_id, of=names)
    rows = [
        StudentScores(
            student.name,
            student.display_name,
            student.college,
            {
                of.assignment.name: points
                for of in known.tries.values()
                if (points := _points(student.id, student.name, of, entries)) is not None
            },
        )
        for student in known.students
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
    who = find_person(session, person)
    tries = load_tries(session, course.assignments, of_person(who.id))
    names = {of.owners.of(who.id).entry or who.name for of in tries.values()}
    entries = _entries(layout, course_id, names)
    return {
        of.assignment.name: points
        for of in tries.values()
        if (points := _points(who.id, who.name, of, entries)) is not None
    }


def held_at(
    layout: Layout, course_id: str, assignment: str, names: Collection[str] | None = None
) -> dict[str, datetime]:
    """By name in the gradebook, when the submission came that it has the points of.

    Parameters
    ----------
    names
        Those that are wanted; None for all.
    """
    entries = _entries(layout, course_id, names, of=[assignment])
    return {who: one.received_at for (who, name), one in entries.items() if name == assignment}


class _Entry(NamedTuple):
    points: float
    needs_person: bool
    received_at: datetime


def _points(
    person_id: int, name: str, of: Tries, entries: dict[tuple[str, str], _Entry]
) -> Points | None:
    """What a student has: the gradebook's points, unless another submission counts by now."""
    owner = of.owners.of(person_id)
    most = of.assignment.max_score
    held = entries.get((owner.entry or name, of.assignment.name))
    best = of.counting(owner)
    behind = best
    if best is not None and (held is None or held.received_at != best.received_at):
        if best.score is not None:
            # It was handed in, or became the best, a moment ago: the gradebook follows.
            points = less_penalty(best.score, best.penalty)
            return Points(points, most, False, best.score, best.penalty)
        behind = None
    if held is None:
        return None
    if behind is None:
        mine = of.by_owner.get(owner, ())
        behind = next((one for one in mine if one.received_at == held.received_at), None)
    taken = behind.penalty if behind else 0.0
    points = less_penalty(held.points, taken)
    return Points(points, most, held.needs_person, held.points, taken)


def _entries(
    layout: Layout,
    course_id: str,
    names: Collection[str] | None = None,
    of: Collection[str] | None = None,
) -> dict[tuple[str, str], _Entry]:
    """What the gradebook holds, by name in it and assignment; None for all of these."""
    if not layout.gradebook(course_id).exists():
        return {}
    query = (
        select(
            api.SubmittedAssignment.student_id,
            api.Assignment.name,
            func.sum(api.Grade.score),
            func.max(api.Grade.needs_manual_grade),
            func.max(api.SubmittedAssignment.timestamp),
        )
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .join(
            api.SubmittedNotebook,
            api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
        )
        .join(api.Grade, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .group_by(api.SubmittedAssignment.student_id, api.Assignment.name)
    )
    if names is not None:
        query = query.where(api.SubmittedAssignment.student_id.in_(names))
    if of is not None:
        query = query.where(api.Assignment.name.in_(of))
    engine = engine_of(gradebook_url(layout, course_id))
    with course_rights(layout, course_id), engine.connect() as connection:
        return {
            (student, name): _Entry(points or 0.0, bool(waiting), received.replace(tzinfo=UTC))
            for student, name, points, waiting, received in connection.execute(query)
            if received is not None
        }


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
            [*map(harmless_cell, (row.person, row.display_name, row.college))]
            + [f"{cell.points:g}" if cell else "" for cell in cells]
            # Nothing handed in is not the same as nothing right.
            + [f"{row.total:g}" if row.scores else ""]
        )
    return out.getvalue()


def harmless_cell(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
