"""Saving autograded points into nbgrader's gradebook without losing what a person graded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy import event

from ulab_coursework.answers import answers
from ulab_coursework.first_grades import CellGrade, save_first

MOST_REASON = 500


@dataclass(frozen=True)
class Score:
    """Points that autograding gave, and how many there are; what a person must grade counts 0."""

    points: float
    max_points: float


def score_of(notebook: nbformat.NotebookNode, undecided: Collection[str] = ()) -> Score:
    """Add up the points of a judged notebook; what a person decides counts 0."""
    points = max_points = 0.0
    for cell in notebook.cells:
        if utils.is_grade(cell):
            earned, possible = utils.determine_grade(cell)
            if cell.metadata.nbgrader["grade_id"] not in undecided:
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
    undecided: Collection[str] = (),
) -> Score:
    """Write a submission's autograded points at once; manual ones stay with their answers.

    nbgrader's own step does it cell by cell, each in a transaction, keeps manual points and
    comments whatever is handed in next, and asks for a fresh look at every cell that has them.
    Here they go when the answer is another one, and where nothing changed the mark of what was
    looked at is kept.

    Parameters
    ----------
    before
        The notebook that the gradebook's manual points and comments were given for, executed;
        None when it is not known.
    undecided
        The tests that a person is to give points for, since they could not be judged.
    """
    timestamp = received_at.astimezone(UTC).replace(tzinfo=None)
    cells = {
        cell.metadata.nbgrader["grade_id"]: cell
        for cell in notebook.cells
        if utils.is_grade(cell) or utils.is_solution(cell) or utils.is_task(cell)
    }
    with opened(url, course_id) as gradebook:
        grades = {
            name: CellGrade(_points(cell, name in undecided), _auto_comment(cell))
            for name, cell in cells.items()
        }
        if save_first(gradebook.db, assignment, student, display_name, timestamp, grades):
            return score_of(notebook, undecided)
        gradebook.update_or_create_student(student, first_name=display_name, last_name="")
        same = _is_graded_submission(gradebook, assignment, student, timestamp)
        submission = gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
        if not same:
            _forget_manual(submission, changed_answers(before, notebook))
        for found in submission.notebooks:
            for grade in found.grades:
                if grade.name in cells and utils.is_grade(cells[grade.name]):
                    _save_points(grade, cells[grade.name], grade.name in undecided)
            for comment in found.comments:
                if comment.name in cells:
                    comment.auto_comment = _auto_comment(cells[comment.name])
        gradebook.db.commit()
    return score_of(notebook, undecided)


@contextmanager
def opened(url: str, course_id: str) -> Iterator[Gradebook]:
    """A gradebook, closed afterwards, with the queries that this thread compiled before.

    nbgrader makes an engine each time it opens one, and compiling its queries anew took most of
    the 40 ms of a save. A closed gradebook connects again when it is used.
    """
    known: OrderedDict[tuple[str, str], Gradebook] = _THREAD.__dict__.setdefault(
        "gradebooks", OrderedDict()
    )
    gradebook = known.pop((url, course_id), None) or _gradebook(url, course_id)
    try:
        yield gradebook
    finally:
        gradebook.close()
    known[url, course_id] = gradebook
    if len(known) > MOST_REMEMBERED:
        known.popitem(last=False)


def _gradebook(url: str, course_id: str) -> Gradebook:
    gradebook = Gradebook(url, course_id)
    # Its steps commit one by one, and what was just read or made would be read again after each.
    gradebook.db.remove()
    gradebook.db.configure(expire_on_commit=False)
    event.listen(gradebook.engine, "connect", _keep_journal)
    return gradebook


def _keep_journal(connection: Any, _: object) -> None:
    # A journal that is removed after each commit is a new file each time, and ext4 then looks ever
    # longer for one that was not removed a moment ago.
    connection.execute("PRAGMA journal_mode=TRUNCATE")


_THREAD = threading.local()
MOST_REMEMBERED = 4


def _save_points(grade: Any, cell: nbformat.NotebookNode, undecided: bool) -> None:
    """Autograded points of a cell, and whether a person has to look at it."""
    points, most = _points(cell, undecided), utils.determine_grade(cell)[1]
    # A question may be worth less than when a person gave points for it.
    looked_at = (
        not grade.needs_manual_grade
        and grade.manual_score is not None
        and grade.manual_score <= most
        and grade.auto_score == points
    )
    grade.auto_score = points
    grade.needs_manual_grade = not looked_at and (grade.manual_score is not None or points is None)


def _points(cell: nbformat.NotebookNode, undecided: bool) -> float | None:
    """What autograding gives; None when a person is to."""
    if not utils.is_grade(cell):
        return None
    # An open question waits for a person, also when it looks as it was given out.
    by_hand = undecided or utils.is_solution(cell)
    points: float | None = utils.determine_grade(cell)[0]
    return None if by_hand else points


def _auto_comment(cell: nbformat.NotebookNode) -> str | None:
    same = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    empty = same or not cell.source.strip()
    return "No response." if empty and not utils.is_task(cell) else None


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
