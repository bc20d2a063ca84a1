"""Saving autograded points into nbgrader's gradebook without losing what a person graded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveAutoGrades

from ulab_coursework.assign import apply, resources_of


@dataclass(frozen=True)
class Score:
    """Points that autograding gave, and how many there are; what a person must grade counts 0."""

    points: float
    max_points: float


def stderr_is_no_error(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Show what graded cells wrote to stderr as ordinary output.

    nbgrader takes anything on stderr for a failure, so that a library's warning would cost a
    right answer its points. An exception is an output of another kind and still counts.
    """
    for cell in notebook.cells:
        if utils.is_grade(cell) and cell.cell_type == "code":
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.name = "stdout"
    return notebook


def score_of(notebook: nbformat.NotebookNode) -> Score:
    """Add up the points of an executed notebook."""
    points = max_points = 0.0
    for cell in notebook.cells:
        if utils.is_grade(cell):
            earned, possible = utils.determine_grade(cell)
            points += earned or 0.0
            max_points += possible
        elif utils.is_task(cell):
            max_points += float(cell.metadata.nbgrader["points"])
    return Score(points, max_points)


def save_grades(
    url: str,
    course_id: str,
    assignment: str,
    student: str,
    display_name: str,
    received_at: datetime,
    notebook: nbformat.NotebookNode,
) -> Score:
    """Write a submission's autograded points; manual points and comments stay.

    nbgrader asks for a fresh look at every cell with manual points. When the very same
    submission is graded again with the same result, that would only undo a person's work, so
    the marks of what was looked at are kept then.
    """
    timestamp = received_at.astimezone(UTC).replace(tzinfo=None)
    with Gradebook(url, course_id) as gradebook:
        gradebook.update_or_create_student(student, first_name=display_name, last_name="")
        before = _looked_at(gradebook, assignment, student, timestamp)
        gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
    apply((SaveAutoGrades,), notebook, resources_of(url, assignment, student))
    with Gradebook(url, course_id) as gradebook:
        for grade in _grades(gradebook, assignment, student):
            if before.get(grade.name, ()) == (grade.auto_score, grade.manual_score):
                grade.needs_manual_grade = False
        gradebook.db.commit()
    return score_of(notebook)


def _grades(gradebook: Gradebook, assignment: str, student: str) -> list[Any]:
    submission = gradebook.find_submission(assignment, student)
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


def _looked_at(
    gradebook: Gradebook, assignment: str, student: str, timestamp: datetime
) -> dict[str, tuple[float | None, float | None]]:
    """Automatic and manual points of cells a person has done with, if it is the same submission."""
    try:
        submission = gradebook.find_submission(assignment, student)
    except ValueError:
        return {}
    if submission.timestamp != timestamp:
        return {}
    return {
        grade.name: (grade.auto_score, grade.manual_score)
        for grade in _grades(gradebook, assignment, student)
        if not grade.needs_manual_grade and grade.manual_score is not None
    }
