"""A class whose labs are all graded, written straight into both stores: for measuring lists."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader import api
from sqlalchemy import create_engine, insert, select

from ulab_core.database import Database
from ulab_core.models import Assignment, Enrolment, Job, JobState, Person, Role, Submission
from ulab_coursework import graded
from ulab_coursework.coursefolder import gradebook_url, timestamp
from ulab_coursework.graded import Marks
from ulab_coursework.shown_grades import grade_stamps
from ulab_curricula.labs import Lab, load_lab
from ulab_deploy.base import Base
from ulab_deploy.bench.graded_class import COURSE, furnish

TRIVIAL = Path(__file__).parent / "labs" / "bench" / "trivial"
BEGUN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def lab_names(count: int) -> list[str]:
    return [f"lab{number:02}" for number in range(1, count + 1)]


def make_class(base: Base, folder: Path, students: int, labs: int) -> list[str]:
    """Furnish a base with a course whose students have each handed in each lab once.

    Nothing is graded for it: points, marks and files are written as the worker would.

    Parameters
    ----------
    folder
        Empty, for the labs' sources.

    Returns
    -------
    list
        The labs' names; nbgrader's folders are there for the first alone.
    """
    names = lab_names(labs)
    furnish(base, [_copy(folder, name) for name in names])
    people = [f"student{number:05}" for number in range(students)]
    ids = _into_database(base, people)
    _into_gradebook(base, people, ids)
    stamps = grade_stamps(gradebook_url(base.layout, COURSE), names[0])
    for person in people:
        graded.keep_marks(base.layout, ids[names[0], person], Marks({}, stamps[person]))
    _into_folders(base, people, names[0])
    return names


def _copy(folder: Path, name: str) -> Lab:
    """The trivial lab under another name."""
    target = folder / "bench" / name
    target.mkdir(parents=True)
    for file in ("lab.py", "lab.yaml"):
        text = (TRIVIAL / file).read_text(encoding="utf-8")
        text = text.replace(f"id: {TRIVIAL.name}\n", f"id: {name}\n")
        (target / file).write_text(text, encoding="utf-8")
    return load_lab(target)


def _handed_in(number: int) -> datetime:
    return BEGUN + timedelta(seconds=number)


def _into_database(base: Base, people: Sequence[str]) -> dict[tuple[str, str], str]:
    """Put people, submissions and finished jobs into the base; ids by lab and person."""
    db, found = Database.of(base.settings), {}
    with db.write() as session:
        session.execute(
            insert(Person), [{"name": name, "display_name": name.title()} for name in people]
        )
        numbers = {
            person.name: person.id
            for person in session.scalars(select(Person).where(Person.name.in_(people)))
        }
        session.execute(
            insert(Enrolment),
            [
                {"course_id": COURSE, "person_id": number, "role": Role.STUDENT}
                for number in numbers.values()
            ],
        )
        submissions: list[dict[str, Any]] = []
        for lab in session.scalars(select(Assignment).where(Assignment.course_id == COURSE)):
            for number, name in enumerate(people):
                found[lab.name, name] = one = uuid.uuid4().hex
                submissions.append(
                    {
                        "id": one,
                        "assignment_id": lab.id,
                        "person_id": numbers[name],
                        "sha256": one + one,
                        "size": 10_000,
                        "via": "portal",
                        "received_at": _handed_in(number),
                        "graded_at": _handed_in(number + 5),
                        "score": points_of(number),
                        "max_score": lab.max_score,
                    }
                )
        session.execute(insert(Submission), submissions)
        session.execute(
            insert(Job),
            [{"submission_id": one["id"], "state": JobState.DONE} for one in submissions],
        )
    return found


def points_of(number: int) -> float:
    """What a student of that number has: not all the same, so that a chart shows something."""
    return float((0, 2, 3, 5)[number % 4])


def _into_gradebook(base: Base, people: Sequence[str], ids: dict[tuple[str, str], str]) -> None:
    """Put the same into the course's gradebook: an entry, a notebook, two grades, a comment."""
    engine = create_engine(gradebook_url(base.layout, COURSE))
    rows: dict[Any, list[dict[str, Any]]] = {
        kind: []
        for kind in (api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment)
    }
    with engine.begin() as connection:
        connection.execute(
            insert(api.Student), [{"id": name, "first_name": name.title()} for name in people]
        )
        books = connection.execute(
            select(api.Assignment.name, api.Assignment.id, api.Notebook.id).join(
                api.Notebook, api.Notebook.assignment_id == api.Assignment.id
            )
        )
        for lab, assignment, notebook in books.all():
            cells = connection.execute(
                select(api.BaseCell.id, api.BaseCell.type)
                .where(api.BaseCell.notebook_id == notebook)
                .order_by(api.BaseCell.name)
            ).all()
            for number, name in enumerate(people):
                one, book = ids[lab, name], uuid.uuid4().hex
                rows[api.SubmittedAssignment].append(
                    {
                        "id": one,
                        "assignment_id": assignment,
                        "student_id": name,
                        "timestamp": _handed_in(number).replace(tzinfo=None),
                    }
                )
                rows[api.SubmittedNotebook].append(
                    {"id": book, "assignment_id": one, "notebook_id": notebook}
                )
                left = points_of(number)
                for cell, kind in cells:
                    ref = {"notebook_id": book, "cell_id": cell}
                    if kind == "GradeCell":
                        rows[api.Grade].append(
                            ref | {"auto_score": left, "needs_manual_grade": False}
                        )
                        left = 0.0
                    elif kind == "SolutionCell":
                        rows[api.Comment].append(ref)
        for kind, values in rows.items():
            connection.execute(insert(kind), values)
    engine.dispose()


def _into_folders(base: Base, people: Sequence[str], lab: str) -> None:
    """Put the notebooks where nbgrader looks for what was handed in and graded."""
    course = base.layout.course(COURSE)
    notebook = (course / "release" / lab / f"{lab}.ipynb").read_text(encoding="utf-8")
    for number, name in enumerate(people):
        for room in ("submitted", "autograded"):
            place = course / room / name / lab
            place.mkdir(parents=True)
            (place / f"{lab}.ipynb").write_text(notebook, encoding="utf-8")
            (place / "timestamp.txt").write_text(timestamp(_handed_in(number)), encoding="utf-8")
