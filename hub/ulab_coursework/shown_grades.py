"""What the gradebook holds for a feedback page, and which state of it that is."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from nbgrader import api
from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    Select,
    bindparam,
    create_engine,
    select,
)

from ulab_coursework.graded import Mark, Marks, Remarks

# What nbgrader writes about an answer that is still as it was given out.
NBGRADERS_NO_RESPONSE = "No response."


@lru_cache(maxsize=8)
def engine_of(url: str) -> Engine:
    """An engine that keeps no connection open, only what it compiled before."""
    return create_engine(url, poolclass=NullPool)


def of_submitted_cells(*columns: Any) -> Select[Any]:
    """A query of the gradebook that has a row for each graded cell of each submission."""
    return (
        select(*columns)
        .select_from(api.Grade)
        .join(api.BaseCell, api.BaseCell.id == api.Grade.cell_id)
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == api.Grade.notebook_id)
        .join(
            api.SubmittedAssignment,
            api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id,
        )
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
    )


def grade_stamps(url: str, assignment: str, student: str | None = None) -> dict[str, str]:
    """A digest of all points and comments in an assignment, by student.

    The caller has the course's rights.

    Parameters
    ----------
    url
        The gradebook's.
    student
        The only one to look at; None for all.
    """
    with engine_of(url).connect() as connection:
        return _stamps(connection, assignment, student)


def _stamps(connection: Connection, assignment: str, student: str | None) -> dict[str, str]:
    found: dict[str, list[list[Any]]] = defaultdict(list)
    for kind, columns in _STAMPED.items():
        for row in _rows(connection, kind, columns, assignment, student):
            found[row[0]].append([kind.__tablename__, *row[1:]])
    return {name: _digest(rows) for name, rows in found.items()}


_STAMPED: Mapping[Any, tuple[Any, ...]] = {
    api.Grade: (
        api.SubmittedAssignment.student_id,
        api.BaseCell.name,
        api.Grade.auto_score,
        api.Grade.manual_score,
        api.Grade.extra_credit,
        api.Grade.needs_manual_grade,
    ),
    api.Comment: (
        api.SubmittedAssignment.student_id,
        api.BaseCell.name,
        api.Comment.auto_comment,
        api.Comment.manual_comment,
    ),
}
_POINTS = (
    api.BaseCell.name,
    api.Grade.score,
    api.Grade.max_score,
    api.Grade.auto_score,
    api.Grade.manual_score,
    api.Grade.needs_manual_grade,
)
_COMMENTS = (api.BaseCell.name, api.Comment.auto_comment, api.Comment.manual_comment)


def _rows(
    connection: Connection,
    kind: Any,
    columns: tuple[Any, ...],
    assignment: str,
    student: str | None,
) -> Iterable[Any]:
    names = {"assignment": assignment} | ({} if student is None else {"student": student})
    return connection.execute(_query(kind, columns, student is not None), names)


@cache
def _query(kind: Any, columns: tuple[Any, ...], one_student: bool) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(api.SubmittedAssignment)
        .join(
            api.SubmittedNotebook,
            api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
        )
        .join(kind, kind.notebook_id == api.SubmittedNotebook.id)
        .join(api.BaseCell, api.BaseCell.id == kind.cell_id)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.Assignment.name == bindparam("assignment"))
        .order_by(api.BaseCell.name)
    )
    if not one_student:
        return query
    return query.where(api.SubmittedAssignment.student_id == bindparam("student"))


def _digest(rows: list[list[Any]]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def marks_of(url: str, assignment: str, student: str, remarks: Remarks) -> Marks:
    """A student's points and comments in an assignment, as they are now.

    The caller has the course's rights.

    Parameters
    ----------
    url
        The gradebook's.
    remarks
        What had to be mended in this submission.
    """
    with engine_of(url).connect() as connection:
        stamp = _stamps(connection, assignment, student).get(student, "")
        found = {
            name: Mark(
                points=None if waits and auto is None and manual is None else score or 0.0,
                max_points=most or 0.0,
                by_hand=manual is not None,
            )
            for name, score, most, auto, manual, waits in _rows(
                connection, api.Grade, _POINTS, assignment, student
            )
        }
        for name, auto, manual in _rows(connection, api.Comment, _COMMENTS, assignment, student):
            if manual or auto:
                mark = found.get(name, Mark(None))
                found[name] = replace(mark, comment=manual or auto)
    return Marks(found, stamp, remarks)
