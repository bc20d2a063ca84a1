"""Saving autograded points into nbgrader's gradebook without losing what a person graded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import SaveAutoGrades

from ulab_coursework.answers import answers
from ulab_coursework.assign import apply, resources_of

MOST_REASON = 500


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


def questions_of(notebook: nbformat.NotebookNode) -> dict[str, dict[str, Any]]:
    """By the grade id of each test: its points, how many there are, and why it failed."""
    found = {}
    for cell in notebook.cells:
        if utils.is_grade(cell) and cell.cell_type == "code":
            points, max_points = utils.determine_grade(cell)
            errors = [
                f"{output.ename}: {output.evalue}"[:MOST_REASON]
                for output in cell.outputs
                if output.output_type == "error"
            ]
            found[cell.metadata.nbgrader["grade_id"]] = {
                "points": points,
                "max_points": max_points,
                "reason": " ".join(errors).removesuffix(": "),
            }
    return found


def save_grades(
    url: str,
    course_id: str,
    assignment: str,
    student: str,
    display_name: str,
    received_at: datetime,
    notebook: nbformat.NotebookNode,
    before: nbformat.NotebookNode | None = None,
) -> Score:
    """Write a submission's autograded points; manual ones stay with the answer they are for.

    nbgrader keeps manual points and comments whatever is handed in next, and asks for a fresh
    look at every cell that has them. Here they go when the answer is another one, and where
    nothing changed the mark of what was looked at is kept.

    Parameters
    ----------
    before
        The notebook that the gradebook's manual points and comments were given for, executed;
        None when it is not known.
    """
    timestamp = received_at.astimezone(UTC).replace(tzinfo=None)
    with Gradebook(url, course_id) as gradebook:
        gradebook.update_or_create_student(student, first_name=display_name, last_name="")
        same = _is_graded_submission(gradebook, assignment, student, timestamp)
        submission = gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
        if not same:
            _forget_manual(submission, changed_answers(before, notebook))
            gradebook.db.commit()
        looked_at = _looked_at(submission)
    apply((SaveAutoGrades,), notebook, resources_of(url, assignment, student))
    with Gradebook(url, course_id) as gradebook:
        for grade in _grades(gradebook.find_submission(assignment, student)):
            if looked_at.get(grade.name, ()) == (grade.auto_score, grade.manual_score):
                grade.needs_manual_grade = False
        gradebook.db.commit()
    return score_of(notebook)


def changed_answers(before: nbformat.NotebookNode | None, now: nbformat.NotebookNode) -> set[str]:
    """The marked cells whose answer is not the one it was."""
    earlier = answers(before) if before is not None else {}
    return {name for name, answer in answers(now).items() if earlier.get(name) != answer}


def _is_graded_submission(
    gradebook: Gradebook, assignment: str, student: str, timestamp: datetime
) -> bool:
    try:
        found: datetime = gradebook.find_submission(assignment, student).timestamp
    except MissingEntry:
        return False
    return found == timestamp


def _forget_manual(submission: Any, changed: set[str]) -> None:
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            if grade.name in changed:
                grade.manual_score = grade.extra_credit = None
        for comment in notebook.comments:
            if comment.name in changed:
                comment.manual_comment = None


def _grades(submission: Any) -> list[Any]:
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


def _looked_at(submission: Any) -> dict[str, tuple[float | None, float | None]]:
    """Automatic and manual points of the cells that a person has done with."""
    return {
        grade.name: (grade.auto_score, grade.manual_score)
        for grade in _grades(submission)
        if not grade.needs_manual_grade and grade.manual_score is not None
    }
