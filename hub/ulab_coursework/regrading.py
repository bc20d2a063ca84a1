"""Grading again: one student's, a whole class's with a report, and what now counts instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import (
    Assignment,
    Counts,
    Job,
    JobState,
    Lane,
    Person,
    Regrade,
    RegradedSubmission,
    Submission,
)
from ulab_core.rights import Act
from ulab_coursework import gradebook, queue
from ulab_coursework.courses import find_assignment, find_person, require_right
from ulab_coursework.owners import Owner
from ulab_coursework.releases import lab_of
from ulab_coursework.tries import Tries, load_tries
from ulab_coursework.versions import tests_digest


def grade_again(
    db: Database,
    course_id: str,
    assignment: str,
    actor: str,
    student: str = "",
    *,
    force: bool = False,
) -> int:
    """Queue what counts of every student, or of one, for grading.

    Everyone's is a regrade whose report is kept, and where the best counts all submissions are
    graded: another one may be the best.

    Parameters
    ----------
    student
        Whose, an account or a name in the gradebook; empty means the whole class. One student's is
        graded in any case, a class's where the tests are others than it was graded with.
    force
        Grade all of them in any case.

    Returns
    -------
    int
        How many submissions were queued.
    """
    with db.write() as session:
        require_right(session, course_id, actor, Act.REGRADE)
        target = find_assignment(session, course_id, assignment)
        if not student:
            return regrade(session, target, actor, force=force).submissions
        tries = load_tries(session, [target])[target.id]
        best = tries.counting(_owner_called(session, tries, student))
        if best is None:
            raise NotFound(
                mark("{person} has not submitted {assignment}."),
                person=student,
                assignment=target.titles,
            )
        queue.enqueue_all(session, [best.id], Lane.REGRADE, forced=True)
        record(session, actor, "assignment.grade", f"{course_id}/{target.name}", submissions=1)
    return 1


def _owner_called(session: Session, tries: Tries, name: str) -> Owner:
    """A group by its name in the gradebook, which no account can have, or a student's owner."""
    group = next((one for one in tries.by_owner if one.entry == name), None)
    return group or tries.owners.of(find_person(session, name).id)


class Asked:
    """A regrade that was asked for: its number, and how many submissions were queued."""

    def __init__(self, id_: int, submissions: int) -> None:
        self.id = id_
        self.submissions = submissions


def regrade(
    session: Session,
    assignment: Assignment,
    actor: str,
    version_before: str = "",
    *,
    force: bool = False,
) -> Asked:
    """Queue a class's submissions and keep their scores of now, for the report."""
    tries = load_tries(session, [assignment])[assignment.id]
    ids = to_regrade(tries)
    version = assignment.course.curriculum_version
    asked = Regrade(
        assignment_id=assignment.id,
        actor=actor,
        version_before=version_before or version,
        version_after=version,
    )
    session.add(asked)
    session.flush()
    rows = session.execute(
        select(Submission.id, Submission.score, Submission.questions).where(Submission.id.in_(ids))
    )
    session.add_all(
        RegradedSubmission(regrade_id=asked.id, submission_id=one, score_before=score, before=known)
        for one, score, known in rows
    )
    queue.enqueue_all(session, ids, Lane.REGRADE, forced=force)
    place = f"{assignment.course_id}/{assignment.name}"
    record(session, actor, "assignment.grade", place, submissions=len(ids), regrade=asked.id)
    return Asked(asked.id, len(ids))


def outdated(
    session: Session, layout: Layout, assignment: Assignment, tries: Tries | None = None
) -> int:
    """How many submissions a regrade would grade by other tests than they were graded with.

    Parameters
    ----------
    tries
        What was handed in for it, where that was loaded before.
    """
    tests = tests_digest(lab_of(layout, assignment))
    found = session.scalars(
        select(Submission.id).where(
            Submission.assignment_id == assignment.id,
            Submission.graded_at.is_not(None),
            Submission.tests_digest.is_distinct_from(tests),
            ~exists().where(
                Job.submission_id == Submission.id,
                Job.state.in_((JobState.QUEUED, JobState.RUNNING)),
            ),
        )
    )
    others = set(found)
    if not others:
        return 0
    tries = tries or load_tries(session, [assignment])[assignment.id]
    return len(others.intersection(to_regrade(tries)))


def to_regrade(tries: Tries) -> list[str]:
    """What a regrade grades: what counts, or everything where the best counts."""
    if tries.assignment.counts is Counts.BEST:
        return [one.id for tried in tries.by_owner.values() for one in tried]
    found = (tries.counting(owner) for owner in tries.by_owner)
    return [one.id for one in found if one is not None]


def note_regraded(session: Session, submission: Submission) -> None:
    """Write into open regrades what a submission scored now."""
    rows = session.scalars(
        select(RegradedSubmission).where(
            RegradedSubmission.submission_id == submission.id,
            RegradedSubmission.graded_at.is_(None),
        )
    )
    for row in rows:
        row.score_after, row.after = submission.score, submission.questions
        row.graded_at = submission.graded_at


def follow(
    db: Database, layout: Layout, course_id: str, assignment: str, of: Owner | None = None
) -> int:
    """Queue graded submissions that count by now while the gradebook has another one's points.

    That happens where the best counts: a regrade, a moved deadline or another rule may make
    another one the best.

    Parameters
    ----------
    of
        The only one whose submissions are looked at; None for all.
    """
    with db.read() as session:
        target = find_assignment(session, course_id, assignment)
        if of is not None and target.counts is Counts.LAST:
            return 0
        only = None if of is None else of.submissions()
        tries = load_tries(session, [target], only)[target.id]
        people = [one.person_id for one in tries.by_owner if one.person_id is not None]
        who = select(Person.id, Person.name).where(Person.id.in_(people))
        names = {one.id: one.name for one in session.execute(who)}
        entries = {one: one.entry or names[one.person_id or 0] for one in tries.by_owner}
        only_entries = None if of is None else list(entries.values())
        held = gradebook.held_at(layout, course_id, assignment, only_entries)
        wanted = _not_held(tries, entries, held)
    if wanted:
        with db.write() as session:
            # Graded by the same tests, but the gradebook has another one's points.
            queue.enqueue_all(session, wanted, Lane.REGRADE, forced=True)
    return len(wanted)


def _not_held(
    tries: Tries, entries: Mapping[Owner, str], held: Mapping[str, datetime]
) -> Collection[str]:
    found = []
    for owner, name in entries.items():
        best = tries.counting(owner)
        if best is None or best.score is None:
            continue
        if name in held and held[name] != best.received_at:
            found.append(best.id)
    return found
