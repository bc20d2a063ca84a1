"""Whether a feedback page still shows what the gradebook holds."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from typing import Any

from nbgrader import api
from sqlalchemy import Select, create_engine, select

from ulab_core.layout import Layout

# The exporter puts attributes into an order of its own.
_STAMP = re.compile(rb'<meta (?:name="ulab-grades" )?content="([0-9a-f]{64})"')
_STAMP_BYTES = 600


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
    grades = select(
        api.SubmittedAssignment.student_id,
        api.BaseCell.name,
        api.Grade.auto_score,
        api.Grade.manual_score,
        api.Grade.extra_credit,
        api.Grade.needs_manual_grade,
    )
    comments = select(
        api.SubmittedAssignment.student_id,
        api.BaseCell.name,
        api.Comment.auto_comment,
        api.Comment.manual_comment,
    )
    found: dict[str, list[list[Any]]] = defaultdict(list)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            for query, kind in ((grades, api.Grade), (comments, api.Comment)):
                for row in connection.execute(_of(query, kind, assignment, student)):
                    found[row[0]].append([kind.__tablename__, *row[1:]])
    finally:
        engine.dispose()
    return {name: _digest(rows) for name, rows in found.items()}


def _of(query: Select[Any], kind: Any, assignment: str, student: str | None) -> Select[Any]:
    query = (
        query.select_from(api.SubmittedAssignment)
        .join(
            api.SubmittedNotebook,
            api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
        )
        .join(kind, kind.notebook_id == api.SubmittedNotebook.id)
        .join(api.BaseCell, api.BaseCell.id == kind.cell_id)
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.Assignment.name == assignment)
        .order_by(api.BaseCell.name)
    )
    return query if student is None else query.where(api.SubmittedAssignment.student_id == student)


def _digest(rows: list[list[Any]]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def stamp_of_page(layout: Layout, submission_id: str) -> str | None:
    """The stamp that a submission's feedback page was written with; None without a page."""
    try:
        with layout.feedback_file(submission_id).open("rb") as page:
            found = _STAMP.search(page.read(_STAMP_BYTES))
    except FileNotFoundError:
        return None
    return found.group(1).decode() if found else ""
