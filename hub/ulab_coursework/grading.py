"""Grading one submission: have it judged, and save what it earned."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbgrader.preprocessors import LimitOutput

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Submission, utc_now
from ulab_coursework import queue, store
from ulab_coursework.assign import apply
from ulab_coursework.coursefolder import (
    FolderTampered,
    course_gid,
    gradebook_lock,
    gradebook_url,
    prepare_folder,
    read_file,
    timestamp,
    write_file,
)
from ulab_coursework.courserights import course_rights
from ulab_coursework.graded import Remarks, keep_marks, keep_notebook, store_verdicts
from ulab_coursework.grades import Score, questions_of, save_grades
from ulab_coursework.marking import Marked, Marker, NotStarted
from ulab_coursework.notebooks import parse
from ulab_coursework.owners import Owner, names_of_group
from ulab_coursework.regrading import follow, note_regraded
from ulab_coursework.releases import lab_of
from ulab_coursework.shown_grades import marks_of
from ulab_coursework.tries import load_tries
from ulab_coursework.versions import tests_digest
from ulab_curricula import PublishedLab


class GradingFailed(UserError):
    """This submission can't be graded; trying again would not help."""


class LeaseLost(Exception):
    """Another worker has taken the job; its result counts."""


@dataclass(frozen=True)
class Work:
    """What there is to know about a submission in order to grade it."""

    submission_id: str
    course_id: str
    course_number: int
    assignment: str
    owner: Owner
    student: str
    """Its name in the gradebook."""
    display_name: str
    sha256: str
    received_at: datetime
    lab: PublishedLab
    version: str
    tests: str
    before: Score | None
    """What it has by these very tests already."""


def _tell_nobody(progress: queue.Progress) -> None:
    """Where no page shows how far grading is."""


def grade(
    db: Database,
    layout: Layout,
    marker: Marker,
    held: queue.Lease,
    slot: int = 0,
    progress: Callable[[queue.Progress], None] = _tell_nobody,
) -> Score:
    """Do a grading job to its end; doing it twice gives the same.

    Many threads may do so at once: it changes nothing that belongs to the whole process. A
    submission that these very tests have graded is left as it is, unless the job is forced.

    Parameters
    ----------
    slot
        The slot's number, which chooses the sandboxes' host users.
    progress
        Called with each question that is begun.

    Raises
    ------
    GradingFailed
        With a sentence for the student.
    LeaseLost
        The job went to another worker meanwhile.
    """
    work = _look_up(db, layout, held.submission_id)
    if work.before is not None and not held.forced:
        with db.write() as session:
            if not queue.done(session, held):
                raise LeaseLost
            note_regraded(session, session.get_one(Submission, work.submission_id))
        return work.before
    content = store.fetch(layout, work.sha256)
    if store.digest(content) != work.sha256:
        raise GradingFailed(
            mark("The stored submission is damaged, so it can't be graded. Please submit it again.")
        )
    try:
        marked = marker.mark(
            parse(content),
            work.lab,
            slot,
            lambda *at: progress(queue.Progress(*at)),
            lambda: _begin(db, held),
        )
    except NotStarted as error:
        raise GradingFailed(
            mark(
                "Grading could not start your notebook. Your submission is stored; the "
                "administrator finds the reason in the log of the grading worker."
            )
        ) from error
    questions = questions_of(marked.notebook)
    score = _save(db, layout, work, held, marked, content)
    with db.write() as session:
        if not queue.done(session, held):
            raise LeaseLost
        submission = session.get_one(Submission, work.submission_id)
        submission.score, submission.max_score = score.points, score.max_points
        submission.graded_at = utc_now()
        submission.graded_version, submission.tests_digest = work.version, work.tests
        submission.questions = questions
        note_regraded(session, submission)
    follow(db, layout, work.course_id, work.assignment, work.owner)
    return score


def _begin(db: Database, held: queue.Lease) -> None:
    if not queue.begin(db, held):
        raise LeaseLost


def _look_up(db: Database, layout: Layout, submission_id: str) -> Work:
    with db.read() as session:
        submission = session.get_one(Submission, submission_id)
        assignment, person = submission.assignment, submission.person
        lab = lab_of(layout, assignment)
        tests = tests_digest(lab)
        student, display_name = person.name, person.display_name
        owner = Owner.of(person.id, submission.group_id)
        if submission.group_id is not None and owner.entry is not None:
            name, people = names_of_group(session, submission.group_id)
            student = owner.entry
            display_name = f"{name} ({', '.join(one.name for one in people)})"
        return Work(
            submission_id=submission.id,
            course_id=assignment.course_id,
            course_number=assignment.course.number,
            assignment=assignment.name,
            owner=owner,
            student=student,
            display_name=display_name,
            sha256=submission.sha256,
            received_at=submission.received_at,
            lab=lab,
            version=assignment.course.curriculum_version,
            tests=tests,
            before=_graded_with(submission, tests),
        )


def _graded_with(submission: Submission, tests: str) -> Score | None:
    if submission.tests_digest != tests or submission.score is None:
        return None
    return Score(submission.score, submission.max_score or 0.0)


def _save(
    db: Database,
    layout: Layout,
    work: Work,
    held: queue.Lease,
    marked: Marked,
    content: bytes,
) -> Score:
    """Write grades, the notebooks formgrader shows, and what the feedback page is made of."""
    notebook = apply((LimitOutput,), marked.notebook, {})
    rebuilt = marked.rebuilt
    remarks = Remarks(rebuilt.missing, rebuilt.duplicated, rebuilt.moved)
    gid = course_gid(work.course_number)
    with gradebook_lock(layout, work.course_id):
        # Whoever was stopped for a while must not write over what was graded meanwhile.
        if not queue.is_held(db, held):
            raise LeaseLost
        counts = _counts(db, work, marked.score)
        with _gradebook_for(layout, work.course_id, counts) as url:
            score = save_grades(
                url,
                work.course_id,
                work.assignment,
                work.student,
                work.display_name,
                work.received_at,
                notebook,
                _graded_before(layout, work),
                marked.undecided,
            )
            marks = marks_of(url, work.assignment, work.student, remarks)
        if counts:
            _write_for_formgrader(layout, work, notebook, content, gid)
        keep_notebook(layout, work.submission_id, notebook)
        store_verdicts(layout, work.submission_id, list(marked.verdicts.values()))
        # Last: only then does the page count as out of date.
        keep_marks(layout, work.submission_id, marks)
    return score


def _graded_before(layout: Layout, work: Work) -> nbformat.NotebookNode | None:
    """The student's notebook that formgrader has shown until now."""
    place = f"autograded/{work.student}/{work.assignment}/{work.assignment}.ipynb"
    try:
        content = read_file(layout.course(work.course_id), place).decode()
        return nbformat.reads(content, as_version=4)
    except (OSError, ValueError, FolderTampered):
        return None


def _counts(db: Database, work: Work, score: Score) -> bool:
    """Whether this submission, with what it scores now, is the one for the gradebook."""
    with db.read() as session:
        assignment = session.get_one(Submission, work.submission_id).assignment
        tries = load_tries(session, [assignment], work.owner.submissions())[assignment.id]
    found = tries.with_score(work.owner, work.submission_id, score.points).counting(work.owner)
    return found is not None and found.id == work.submission_id


@contextmanager
def _gradebook_for(layout: Layout, course_id: str, counts: bool) -> Iterator[str]:
    """The course's gradebook, or a copy to be thrown away for a submission that doesn't count."""
    url = gradebook_url(layout, course_id)
    if counts:
        with course_rights(layout, course_id):
            yield url
        return
    with tempfile.TemporaryDirectory(dir=layout.run, prefix="grading-") as folder:
        copy = Path(folder) / "gradebook.db"
        _copy_gradebook(layout, course_id, copy)
        yield f"sqlite:///{copy}"


def _copy_gradebook(layout: Layout, course_id: str, target: Path) -> None:
    """Copy a gradebook that formgrader may be writing to at this moment."""
    with closing(sqlite3.connect(":memory:")) as held:
        with (
            course_rights(layout, course_id),
            closing(sqlite3.connect(layout.gradebook(course_id))) as source,
        ):
            source.backup(held)
        # Written after the course's rights are gone: they don't reach into the working folder.
        with closing(sqlite3.connect(target)) as written:
            held.backup(written)


def _write_for_formgrader(
    layout: Layout,
    work: Work,
    notebook: nbformat.NotebookNode,
    content: bytes,
    gid: int | None,
) -> None:
    folder = prepare_folder(layout, work.course_id, gid)
    place = f"{work.student}/{work.assignment}"
    received = timestamp(work.received_at).encode()
    name = f"{work.assignment}.ipynb"
    for room, written in (
        ("submitted", content),
        ("autograded", nbformat.writes(notebook).encode()),
    ):
        write_file(folder, f"{room}/{place}/{name}", written, gid)
        write_file(folder, f"{room}/{place}/timestamp.txt", received, gid)
