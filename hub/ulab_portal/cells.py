"""A graded lab cell by cell: the points from the gradebook, the titles from the notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nbgrader import api

from ulab_core.layout import Layout
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courserights import course_rights
from ulab_coursework.shown_grades import engine_of, of_submitted_cells
from ulab_curricula import PublishedLab
from ulab_curricula.titles import cell_titles


@dataclass(frozen=True)
class CellScore:
    """The points of one graded cell.

    Attributes
    ----------
    name
        nbgrader's id of the cell.
    title
        The heading the cell stands under, in the page's language.
    needs_person
        Whether a person has still to look at it.
    """

    name: str
    title: str
    points: float
    max_points: float
    needs_person: bool

    @property
    def full(self) -> bool:
        return not self.needs_person and self.points >= self.max_points


def cell_scores(
    layout: Layout, course_id: str, assignment: str, entry: str, lab: PublishedLab, language: str
) -> list[CellScore]:
    """The points of every graded cell of a lab, in the notebook's order.

    Parameters
    ----------
    entry
        The student's, or their group's, name in the gradebook.
    """
    if not layout.gradebook(course_id).exists():
        return []
    titles = cell_titles(json.loads(lab.release_notebook(language).read_bytes()))
    query = of_submitted_cells(
        api.BaseCell.name,
        api.Grade.score,
        api.Grade.max_score_gradecell,
        api.Grade.max_score_taskcell,
        api.Grade.needs_manual_grade,
    ).where(api.SubmittedAssignment.student_id == entry, api.Assignment.name == assignment)
    engine = engine_of(gradebook_url(layout, course_id))
    with course_rights(layout, course_id), engine.connect() as connection:
        rows = connection.execute(query).all()
    order = {name: place for place, name in enumerate(titles)}
    scores = [
        CellScore(name, titles.get(name, name), score or 0.0, graded or task or 0.0, bool(waits))
        for name, score, graded, task, waits in rows
    ]
    return sorted(scores, key=lambda cell: order.get(cell.name, len(order)))
