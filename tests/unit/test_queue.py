"""The grading queue: leases, heartbeats, dead workers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ulab_core.database import Database, upgrade
from ulab_core.models import Assignment, Course, Job, JobState, Person, Submission
from ulab_core.settings import Settings
from ulab_coursework import queue

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    settings = Settings(server={"state_dir": tmp_path})
    upgrade(settings)
    found = Database.of(settings)
    with found.write() as session:
        course = Course(
            id="c", number=1, title_zh="课", title_en="c", focus_area="x",
            curriculum="x", curriculum_version="1",
        )  # fmt: skip
        assignment = Assignment(
            course=course, name="a", position=0, title_zh="a", title_en="a", minutes=1, max_score=1
        )
        person = Person(name="alice")
        for number in range(3):
            session.add(
                Submission(
                    id=f"s{number}", assignment=assignment, person=person, sha256="0" * 64,
                    size=1, via="portal",
                )
            )  # fmt: skip
    return found


def enqueue(db: Database, *ids: str) -> None:
    with db.write() as session:
        for number, one in enumerate(ids):
            job = queue.enqueue(session, session.get_one(Submission, one))
            job.created_at = NOW + timedelta(seconds=number)


def state(db: Database, submission: str) -> JobState:
    with db.read() as session:
        return session.get_one(Submission, submission).jobs[-1].state


def test_jobs_are_taken_in_order_and_only_once(db: Database) -> None:
    enqueue(db, "s1", "s0")
    taken = [queue.lease(db, "w", NOW), queue.lease(db, "v", NOW)]
    assert [one and one.submission_id for one in taken] == ["s1", "s0"]
    assert queue.lease(db, "w", NOW) is None


def test_who_hands_in_again_and_again_holds_up_nobody(db: Database) -> None:
    with db.write() as session:
        first = session.get_one(Submission, "s0")
        for number in range(3):
            found = session.get_one(Submission, f"s{number}")
            found.received_at = NOW + timedelta(seconds=number)
        session.add(
            Submission(
                id="bob", assignment_id=first.assignment_id, person=Person(name="bob"),
                sha256="0" * 64, size=1, via="portal", received_at=NOW + timedelta(seconds=9),
            )
        )  # fmt: skip
    enqueue(db, "s0", "s1", "s2", "bob")
    taken = [queue.lease(db, f"w{number}", NOW) for number in range(4)]
    assert [one and one.submission_id for one in taken] == ["s2", "bob", "s0", "s1"]


def test_asking_twice_for_a_waiting_submission_makes_one_job(db: Database) -> None:
    enqueue(db, "s0", "s0")
    assert queue.lease(db, "w", NOW) is not None
    assert queue.lease(db, "w", NOW) is None


def test_a_first_grading_goes_before_a_regrade(db: Database) -> None:
    with db.write() as session:
        session.get_one(Submission, "s0").graded_at = NOW
    enqueue(db, "s0", "s1")
    first = queue.lease(db, "w", NOW)
    assert first is not None
    assert first.submission_id == "s1"


def test_a_dead_workers_job_is_taken_again_when_the_lease_is_over(db: Database) -> None:
    enqueue(db, "s0")
    dead = queue.lease(db, "dead", NOW)
    assert dead is not None
    just_before = NOW + queue.LEASE - timedelta(seconds=1)
    assert queue.lease(db, "w", just_before) is None
    again = queue.lease(db, "w", NOW + queue.LEASE + timedelta(seconds=1))
    assert again is not None
    assert (again.job_id, again.attempt) == (dead.job_id, 2)
    assert not queue.heartbeat(db, dead)
    with db.write() as session:
        assert not queue.done(session, dead)
        assert queue.done(session, again)
    assert state(db, "s0") is JobState.DONE


def test_a_heartbeat_keeps_the_job(db: Database) -> None:
    enqueue(db, "s0")
    held = queue.lease(db, "w", NOW)
    assert held is not None
    assert queue.heartbeat(db, held, NOW + timedelta(seconds=14))
    assert queue.lease(db, "v", NOW + timedelta(seconds=28)) is None
    assert queue.lease(db, "v", NOW + timedelta(seconds=30)) is not None


def test_attempts_are_capped_with_a_sentence(db: Database) -> None:
    enqueue(db, "s0", "s1")
    later = NOW
    for _ in range(queue.MAX_ATTEMPTS):
        with db.write() as session:  # the other job is not what this is about
            session.get_one(Submission, "s1").jobs[0].state = JobState.DONE
        assert queue.lease(db, "w", later) is not None
        later += 2 * queue.LEASE
    with db.write() as session:
        session.get_one(Submission, "s1").jobs[0].state = JobState.QUEUED
    taken = queue.lease(db, "w", later)
    assert taken is not None
    assert taken.submission_id == "s1", "a worn-out job must not hold up the queue"
    with db.read() as session:
        job = session.get_one(Submission, "s0").jobs[0]
        assert (job.state, job.problem) == (JobState.FAILED, queue.INTERRUPTED)


def test_a_job_put_back_does_not_count_as_an_attempt(db: Database) -> None:
    enqueue(db, "s0")
    held = queue.lease(db, "w", NOW)
    assert held is not None
    with db.write() as session:
        assert queue.put_back(session, held)
    again = queue.lease(db, "v", NOW)
    assert again is not None
    assert again.attempt == 1


def test_many_workers_share_a_queue_without_doing_a_job_twice(db: Database) -> None:
    with db.write() as session:
        session.add_all(Job(submission_id="s0", attempts=0) for _ in range(30))

    def work(name: str) -> list[str]:
        mine = []
        while held := queue.lease(db, name):
            mine.append(held.job_id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        done = [job for jobs in pool.map(work, "abcd") for job in jobs]
    assert len(done) == 30
    assert len(set(done)) == 30
