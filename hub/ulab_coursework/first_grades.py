"""Writing a student's first grades of an assignment into nbgrader's gradebook in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbgrader import api
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

_CELL = api.BaseCell.__table__.c
_CELLS = (
    select(api.Assignment.id, api.Notebook.id, _CELL.id, _CELL.name, _CELL.type)
    .select_from(api.Assignment)
    .outerjoin(api.Notebook, api.Notebook.assignment_id == api.Assignment.id)
    .outerjoin(api.BaseCell.__table__, _CELL.notebook_id == api.Notebook.id)
    .where(api.Assignment.name == bindparam("assignment"))
)
_SUBMISSION = (
    select(api.SubmittedAssignment.id)
    .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
    .where(
        api.Assignment.name == bindparam("assignment"),
        api.SubmittedAssignment.student_id == bindparam("student"),
    )
)
_STUDENT = select(api.Student.first_name).where(api.Student.id == bindparam("student"))
_GRADED, _COMMENTED = ("GradeCell", "TaskCell"), ("SolutionCell", "TaskCell")


@dataclass(frozen=True)
class CellGrade:
    """What autograding says of a cell.

    Attributes
    ----------
    points
        None for a person to give.
    comment
        nbgrader's own.
    """

    points: float | None = None
    comment: str | None = None


def save_first(
    session: Session,
    assignment: str,
    student: str,
    display_name: str,
    timestamp: datetime,
    grades: Mapping[str, CellGrade],
) -> bool:
    """Add a submission with all of its grades, unless the gradebook has one of this student's.

    nbgrader adds student, submission and each grade in transactions of their own, and looks all of
    it up again in between. These are the same rows.

    Parameters
    ----------
    session
        The gradebook's, which is committed.
    timestamp
        When it was received, in UTC and without a time zone.
    grades
        By the cell's grade id.

    Returns
    -------
    bool
        Whether it was added. If not, or if there is no such assignment, nothing was changed.
    """
    names = {"assignment": assignment, "student": student}
    if session.scalar(_SUBMISSION, names) is not None:
        return False
    cells = session.execute(_CELLS, names).all()
    if not cells:
        return False
    known = session.execute(_STUDENT, names).first()
    person = {"id": student, "first_name": display_name, "last_name": ""}
    if known is None:
        session.execute(insert(api.Student), [person])
    elif known.first_name != display_name:
        session.execute(update(api.Student), [person])
    submission = api.new_uuid()
    notebooks = {one: api.new_uuid() for _, one, *_ in cells if one is not None}
    _insert(
        session,
        api.SubmittedAssignment,
        [
            {
                "id": submission,
                "assignment_id": cells[0][0],
                "student_id": student,
                "timestamp": timestamp,
            }
        ],
    )
    _insert(
        session,
        api.SubmittedNotebook,
        [
            {"id": mine, "assignment_id": submission, "notebook_id": one}
            for one, mine in notebooks.items()
        ],
    )
    graded, commented = [], []
    for _, notebook, cell, name, kind in cells:
        row = {"notebook_id": notebooks.get(notebook), "cell_id": cell}
        grade = grades.get(name, CellGrade())
        if kind in _GRADED:
            waits = grade.points is None
            graded.append({**row, "auto_score": grade.points, "needs_manual_grade": waits})
        if kind in _COMMENTED:
            commented.append({**row, "auto_comment": grade.comment})
    _insert(session, api.Grade, graded)
    _insert(session, api.Comment, commented)
    session.commit()
    return True


def _insert(session: Session, kind: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(kind), rows)
