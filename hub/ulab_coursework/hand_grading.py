"""What waits for points from a person, and why; and no points at once for all empty answers."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from nbgrader import api
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.layout import Layout
from ulab_core.rights import Act
from ulab_coursework.coursefolder import gradebook_lock, gradebook_url
from ulab_coursework.courserights import course_rights
from ulab_coursework.courses import find_assignment, require_right
from ulab_coursework.shown_grades import NBGRADERS_NO_RESPONSE, engine_of, of_submitted_cells
from ulab_coursework.tries import ClassTries, load_class


class Reason(StrEnum):
    """Why an answer waits for a person."""

    ANSWER = "answer"
    """An open question that has an answer to read."""
    EMPTY = "empty"
    """An open question whose cell has nothing in it, or what the lab gave out."""
    UNDECIDED = "undecided"
    """A test that could not be judged."""
    AGAIN = "again"
    """A person gave points, and it was graded again since, with another outcome."""


class Waiting(NamedTuple):
    """One answer that waits.

    Attributes
    ----------
    assignment, entry
        The assignment, and the student's or group's name in the gradebook.
    question
        The grade id.
    notebook
        What formgrader calls the submission.
    grade
        The gradebook's id of the points.
    """

    assignment: str
    entry: str
    question: str
    reason: Reason
    notebook: str
    grade: str


def reason_of(
    auto: float | None, manual: float | None, *, open_question: bool, empty: bool
) -> Reason:
    """Why something waits, from what the gradebook holds of it."""
    if auto is not None or manual is not None:
        return Reason.AGAIN
    if not open_question:
        return Reason.UNDECIDED
    return Reason.EMPTY if empty else Reason.ANSWER


def entries_of(known: ClassTries, assignment_id: int) -> dict[str, list[str]]:
    """By name in the gradebook whom a class has there now: people by what they are called.

    Who left the course, and what somebody handed in alone before they joined a group, is not there.
    """
    found: dict[str, list[str]] = {}
    owners = known.tries[assignment_id].owners
    for student in known.students:
        entry = owners.of(student.id).entry or student.name
        found.setdefault(entry, []).append(student.display_name or student.name)
    return found


def waiting(layout: Layout, course_id: str, assignments: Collection[str]) -> list[Waiting]:
    """All that waits in a course's gradebook for those assignments, by name in it.

    The caller has checked who asks, and looks at `entries_of` for who is still in the class.
    """
    if not layout.gradebook(course_id).exists():
        return []
    # Only cells that students write in have a comment of their own.
    query = (
        of_submitted_cells(
            api.Assignment.name,
            api.SubmittedAssignment.student_id,
            api.BaseCell.name,
            api.Grade.auto_score,
            api.Grade.manual_score,
            api.Comment.id,
            api.Comment.auto_comment,
            api.Grade.notebook_id,
            api.Grade.id,
        )
        .outerjoin(
            _OTHER, (_OTHER.c.name == api.BaseCell.name) & (_OTHER.c.of == api.Grade.notebook_id)
        )
        .outerjoin(api.Comment, api.Comment.id == _OTHER.c.comment)
        .where(api.Grade.needs_manual_grade, api.Assignment.name.in_(assignments))
        .order_by(api.SubmittedAssignment.student_id)
    )
    engine = engine_of(gradebook_url(layout, course_id))
    with course_rights(layout, course_id), engine.connect() as connection:
        return [
            Waiting(
                assignment,
                entry,
                question,
                reason_of(
                    auto,
                    manual,
                    open_question=comment is not None,
                    empty=said == NBGRADERS_NO_RESPONSE,
                ),
                notebook,
                grade,
            )
            for assignment, entry, question, auto, manual, comment, said, notebook, grade in (
                connection.execute(query)
            )
        ]


_CELL = api.BaseCell.__table__.alias()
_OTHER = (
    select(
        _CELL.c.name,
        api.Comment.notebook_id.label("of"),
        api.Comment.id.label("comment"),
    )
    .join(_CELL, _CELL.c.id == api.Comment.cell_id)
    .subquery()
)


def no_points_for_empty(
    db: Database, layout: Layout, course_id: str, assignment: str, actor: str
) -> int:
    """Give 0 points to each open question that a student of the class left as it was given out.

    They are points given by hand like any others: a person can change them, and they go when the
    student hands in another answer.

    Returns
    -------
    int
        How many answers.

    Raises
    ------
    NotAllowed
        `actor` neither teaches this course nor assists in it.
    """
    with db.read() as session:
        require_right(session, course_id, actor, Act.GRADE)
        present = _present(session, course_id, assignment)
    # Nothing is graded meanwhile, so what was empty stays it.
    with gradebook_lock(layout, course_id):
        empty = [
            one
            for one in waiting(layout, course_id, [assignment])
            if one.reason is Reason.EMPTY and one.entry in present
        ]
        given = _give_none(layout, course_id, [one.grade for one in empty]) if empty else 0
    with db.write() as session:
        target = f"{course_id}/{assignment}"
        people = sorted({one.entry for one in empty})
        record(session, actor, "assignment.zero_empty", target, answers=given, people=people)
    return given


def _present(session: Session, course_id: str, assignment: str) -> set[str]:
    found = find_assignment(session, course_id, assignment)
    return set(entries_of(load_class(session, course_id, [found]), found.id))


def _give_none(layout: Layout, course_id: str, grades: Collection[str]) -> int:
    table = api.Grade.__table__
    given = 0
    engine = engine_of(gradebook_url(layout, course_id))
    with course_rights(layout, course_id), engine.begin() as connection:
        for grade in grades:
            # Somebody may have given points in formgrader a moment ago.
            still = (table.c.id == grade) & table.c.manual_score.is_(None)
            changed = update(table).where(still, table.c.needs_manual_grade)
            values = changed.values(manual_score=0.0, needs_manual_grade=False)
            given += connection.execute(values).rowcount
    return given
