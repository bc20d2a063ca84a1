"""What moving a course to another version would do to its scores, tried out; nothing is kept."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import select

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.layout import Layout
from ulab_core.models import Group, Person, Submission
from ulab_coursework.courses import find_course
from ulab_coursework.grades import questions_of
from ulab_coursework.judging import AHEAD, Judges
from ulab_coursework.marking import Marker
from ulab_coursework.moving import changes
from ulab_coursework.notebooks import parse
from ulab_coursework.regrade_report import Moved, moves
from ulab_coursework.regrading import to_regrade
from ulab_coursework.tries import load_tries
from ulab_curricula import PublishedLab, load_published


@dataclass(frozen=True)
class Tried:
    """One submission, graded by the other version's tests.

    Attributes
    ----------
    lab
        The lab's id.
    moved
        Its scores and what moved.
    problem
        Why it could not be graded; None when it was.
    """

    lab: str
    moved: Moved
    problem: UserError | None = None

    @property
    def other(self) -> bool:
        """Whether anything would be other than now."""
        return self.problem is not None or (
            bool(self.moved.moves) or self.moved.before != self.moved.after
        )


@dataclass(frozen=True)
class _Work:
    submission: Submission
    person: str
    group: str
    lab: PublishedLab


def try_move(
    db: Database,
    layout: Layout,
    judges: Judges,
    course_id: str,
    version: str,
    at_once: int,
    language: str,
    count: Callable[[int], None] = lambda all_of_it: None,
) -> Iterator[Tried]:
    """Grade what a move would grade again, and give each submission as it is done.

    Parameters
    ----------
    at_once
        How many submissions the judges run at the same time.
    language
        The one of a notebook that doesn't say.
    count
        Called with the number of submissions before the first is graded.

    Raises
    ------
    NotFound, CantMove
        As `moving.changes` says.
    """
    marker = Marker(judges, language)
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(at_once * AHEAD):
        slots.put(slot)

    def one(work: _Work) -> Tried:
        slot = slots.get()
        try:
            return _tried(work, layout, marker, slot)
        finally:
            slots.put(slot)

    work = _work(db, layout, course_id, version)
    count(len(work))
    with ThreadPoolExecutor(at_once * AHEAD) as pool:
        try:
            yield from pool.map(one, work)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _work(db: Database, layout: Layout, course_id: str, version: str) -> list[_Work]:
    with db.read() as session:
        changed = {
            one.name
            for one in changes(session, layout, course_id, version)
            if one.tests_changed and one.submitted
        }
        course = find_course(session, course_id)
        then = load_published(layout, course.curriculum, version)
        assignments = [one for one in course.assignments if one.name in changed]
        found = []
        for assignment, tries in zip(
            assignments, load_tries(session, assignments).values(), strict=True
        ):
            rows = session.execute(
                select(Submission, Person.name, Group.name)
                .join(Person, Person.id == Submission.person_id)
                .outerjoin(Group, Group.id == Submission.group_id)
                .where(Submission.id.in_(to_regrade(tries)))
                .order_by(Person.name, Submission.received_at)
            )
            lab = then.lab(assignment.name)
            found += [_Work(one, person, group or "", lab) for one, person, group in rows]
        session.expunge_all()
    return found


def _tried(work: _Work, layout: Layout, marker: Marker, slot: int) -> Tried:
    submission = work.submission
    problem, score, after = None, None, None
    try:
        content = layout.submission_file(submission.sha256).read_bytes()
        marked = marker.mark(parse(content), work.lab, slot)
        score, after = marked.score.points, questions_of(marked.notebook)
    except UserError as error:
        problem = error
    found = moves(submission.questions, after) if problem is None else ()
    moved = Moved(
        submission.id, work.person, submission.score, score, False, found, group=work.group
    )
    return Tried(work.lab.id, moved, problem)
