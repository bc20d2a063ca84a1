"""A graded lab cell by cell: the points from the gradebook, the words from the notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nbgrader import api
from sqlalchemy import create_engine, select

from ulab_core.layout import Layout
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courserights import course_rights
from ulab_curricula import PublishedLab

_HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$", re.MULTILINE)


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


def cell_titles(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Graded cells in the notebook's order, each with the heading it stands under.

    Several cells under one heading are numbered.
    """
    heading = ""
    found: list[tuple[str, str]] = []
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "markdown":
            headings = _HEADING.findall(_text(cell["source"]))
            heading = headings[-1] if headings else heading
        if about.get("grade") or about.get("task"):
            found.append((about["grade_id"], heading or about["grade_id"]))
    return dict(_numbered(found))


def _numbered(found: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    titles = [title for _, title in found]
    seen: dict[str, int] = {}
    for name, title in found:
        seen[title] = seen.get(title, 0) + 1
        yield name, f"{title} ({seen[title]})" if titles.count(title) > 1 else title


def cell_scores(
    layout: Layout, course_id: str, assignment: str, person: str, lab: PublishedLab, language: str
) -> list[CellScore]:
    """The points of every graded cell of a person's lab, in the notebook's order."""
    if not layout.gradebook(course_id).exists():
        return []
    titles = cell_titles(json.loads(lab.release_notebook(language).read_bytes()))
    query = (
        select(
            api.BaseCell.name,
            api.Grade.score,
            api.Grade.max_score_gradecell,
            api.Grade.max_score_taskcell,
            api.Grade.needs_manual_grade,
        )
        .select_from(api.Grade)
        .join(api.BaseCell, api.BaseCell.id == api.Grade.cell_id)
        .join(api.SubmittedNotebook, api.SubmittedNotebook.id == api.Grade.notebook_id)
        .join(
            api.SubmittedAssignment,
            api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id,
        )
        .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
        .where(api.SubmittedAssignment.student_id == person, api.Assignment.name == assignment)
    )
    engine = create_engine(gradebook_url(layout, course_id))
    try:
        with course_rights(layout, course_id), engine.connect() as connection:
            rows = connection.execute(query).all()
    finally:
        engine.dispose()
    order = {name: place for place, name in enumerate(titles)}
    scores = [
        CellScore(name, titles.get(name, name), score or 0.0, graded or task or 0.0, bool(waits))
        for name, score, graded, task, waits in rows
    ]
    return sorted(scores, key=lambda cell: order.get(cell.name, len(order)))


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
