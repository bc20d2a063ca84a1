"""Submissions: what is taken, what is refused, and that nothing taken is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    OTHER_LAB,
    Base,
    answer,
    hand_in,
    newest,
    set_deadline,
)
from sqlalchemy import func, select

from ulab_core.errors import NotAllowed, NotFound, TooLarge
from ulab_core.i18n import translations
from ulab_core.models import AuditEntry, Job, JobState, Lane, Submission, utc_now
from ulab_coursework import queue, releases
from ulab_coursework.courses import find_course
from ulab_coursework.notebooks import NotANotebook, OtherAssignment
from ulab_coursework.progress import Progress, progress_of
from ulab_coursework.standing import class_standing, history
from ulab_coursework.taking import AfterDeadline
from ulab_coursework.tries import load_class


def test_what_is_taken_is_stored_before_the_receipt_and_old_ones_stay(base: Base) -> None:
    before = utc_now()
    first = hand_in(base, answer("return 1"))
    assert before <= first.received_at <= utc_now()
    assert base.layout.submission_file(first.sha256).read_bytes() == answer("return 1")
    second = hand_in(base, answer("return 2"))
    again = hand_in(base, answer("return 1"))
    assert len({first.id, second.id, again.id}) == 3
    with base.db.read() as session:
        found = history(session, COURSE, LAB, "alice")
        audited = session.scalar(
            select(func.count()).where(AuditEntry.action == "submission.receive")
        )
    assert [one.id for one in found] == [again.id, second.id, first.id]
    assert audited == 3


def test_the_same_bytes_again_give_the_same_receipt_also_at_once_and_when_late(base: Base) -> None:
    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(lambda _: hand_in(base, answer()), range(8)))
    assert len({receipt.id for receipt in receipts}) == 1
    assert sum(not receipt.again for receipt in receipts) == 1
    past = utc_now() - timedelta(seconds=1)
    set_deadline(base, past)
    assert hand_in(base, answer()).again
    with base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_after_the_deadline_nothing_is_taken_until_it_is_extended(base: Base) -> None:
    past = utc_now() - timedelta(seconds=1)
    set_deadline(base, past)
    with pytest.raises(AfterDeadline, match="Asia/Shanghai") as refused:
        hand_in(base, answer())
    assert "截止" in refused.value.sentence(translations("zh").gettext)
    future = utc_now() + timedelta(hours=1)
    set_deadline(base, future)
    assert not hand_in(base, answer()).again


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"content": b"{"}, NotANotebook),
        ({"content": b" " * (20 * 1024 * 1024 + 1)}, TooLarge),
        ({"content": answer("return a * b", lab=OTHER_LAB)}, OtherAssignment),
        ({"person": "dave"}, NotAllowed),
        ({"person": "nobody"}, NotAllowed),
        ({"assignment": OTHER_LAB}, NotFound),
        ({"assignment": "missing"}, NotFound),
    ],
)
def test_refusals_store_nothing(base: Base, how: dict[str, Any], refusal: type) -> None:
    with pytest.raises(refusal):
        hand_in(base, **{"content": answer(), **how})
    with base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 0
    assert not [path for path in base.layout.submissions.rglob("*") if path.is_file()]


def test_a_withdrawn_assignment_takes_nothing_and_loses_nothing(base: Base) -> None:
    receipt = hand_in(base, answer())
    releases.withdraw_assignment(base.db, COURSE, LAB, "carol")
    with pytest.raises(NotFound, match="not published"):
        hand_in(base, answer("return 0"))
    assert newest(base).id == receipt.id


def test_how_far_a_class_is_counts_its_newest_submissions(base: Base) -> None:
    releases.publish_assignment(base.db, base.layout, COURSE, OTHER_LAB, None, "at_once", "carol")
    hand_in(base, answer("return 1"))
    hand_in(base, answer("return 2"))
    hand_in(base, answer(lab=OTHER_LAB), assignment=OTHER_LAB)
    hand_in(base, answer(lab=OTHER_LAB), "bob", OTHER_LAB)
    assert how_far(base) == {LAB: Progress(2, 1, 1), OTHER_LAB: Progress(2, 2, 2)}
    with base.db.write() as session:
        for job in session.scalars(select(Job)):
            job.state = JobState.FAILED
    assert how_far(base) == {LAB: Progress(2, 1, 0, 1), OTHER_LAB: Progress(2, 2, 0, 2)}
    # Graded again: the newer job decides.
    with base.db.write() as session:
        ids = list(session.scalars(select(Submission.id)))
        queue.enqueue_all(session, ids, Lane.REGRADE)
    assert how_far(base) == {LAB: Progress(2, 1, 1), OTHER_LAB: Progress(2, 2, 2)}
    with base.db.write() as session:
        for job in session.scalars(select(Job).where(Job.state == JobState.QUEUED)):
            job.state = JobState.DONE
    assert how_far(base) == {LAB: Progress(2, 1), OTHER_LAB: Progress(2, 2)}


def how_far(base: Base) -> dict[str, Progress]:
    with base.db.read() as session:
        assignments = find_course(session, COURSE).assignments
        found = progress_of(session, load_class(session, COURSE, assignments))
        for one in assignments:
            rows = class_standing(session, COURSE, one.name)
            pending = sum(row.newest is not None and row.newest.pending for row in rows)
            assert pending == found[one.id].pending
        return {one.name: found[one.id] for one in assignments}
