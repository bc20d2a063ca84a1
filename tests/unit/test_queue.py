"""The grading queue: leases, heartbeats, dead workers, lanes; on SQLite and on PostgreSQL."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from integration.postgres_support import Postgres, installed
from sqlalchemy import event, select

from ulab_core.database import Database, upgrade
from ulab_core.models import Assignment, Course, Job, JobState, Lane, Person, Submission, utc_now
from ulab_core.settings import Settings
from ulab_coursework import queue
from ulab_coursework.lookout import Lookout

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    if not installed():
        pytest.skip("PostgreSQL is not installed")
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def db(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    settings = Settings(server={"state_dir": tmp_path}, database={"url": url})
    upgrade(settings)
    found = Database.of(settings)
    fill(found)
    yield found
    found.engine.dispose()


def fill(found: Database) -> None:
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
                    received_at=NOW + timedelta(seconds=number),
                )
            )  # fmt: skip


def enqueue(db: Database, *ids: str, lane: Lane = Lane.LIVE, forced: bool = False) -> None:
    with db.write() as session:
        for number, one in enumerate(ids):
            queue.enqueue(session, session.get_one(Submission, one), lane, forced=forced)
            for job in session.scalars(select(Job).where(Job.submission_id == one)):
                job.created_at = NOW + timedelta(seconds=number)


def held(db: Database, worker: str = "w", now: datetime = NOW) -> queue.Lease:
    found = queue.lease(db, worker, now)
    assert found is not None
    return found


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


def test_a_class_that_is_graded_again_never_goes_before_a_student_who_waits(db: Database) -> None:
    enqueue(db, "s0", "s1", lane=Lane.REGRADE)
    assert held(db).submission_id == "s0"
    enqueue(db, "s2")
    assert [held(db).submission_id for _ in range(2)] == ["s2", "s1"]


def test_asking_for_a_forced_regrade_makes_the_waiting_job_a_forced_one(db: Database) -> None:
    enqueue(db, "s0")
    enqueue(db, "s0", lane=Lane.REGRADE, forced=True)
    assert held(db).forced
    assert queue.lease(db, "w", NOW) is None


def test_courses_take_turns_in_a_lane(db: Database) -> None:
    with db.write() as session:
        course = Course(
            id="d", number=2, title_zh="课", title_en="d", focus_area="x",
            curriculum="x", curriculum_version="1",
        )  # fmt: skip
        assignment = Assignment(
            course=course, name="a", position=0, title_zh="a", title_en="a", minutes=1, max_score=1
        )
        session.add(
            Submission(
                id="other", assignment=assignment, person=Person(name="bob"), sha256="0" * 64,
                size=1, via="portal",
            )
        )  # fmt: skip
        for number in range(3):  # of three people, so that none is replaced
            session.get_one(Submission, f"s{number}").person = Person(name=f"p{number}")
    enqueue(db, "s0", "s1", "s2", "other")
    taken = [held(db, now=NOW + timedelta(seconds=n)).submission_id for n in range(4)]
    assert taken == ["s0", "other", "s1", "s2"]


def test_a_dead_workers_job_is_taken_again_when_the_lease_is_over(db: Database) -> None:
    enqueue(db, "s0")
    dead = held(db, "dead")
    just_before = NOW + queue.LEASE - timedelta(seconds=1)
    assert queue.lease(db, "w", just_before) is None
    again = held(db, "w", NOW + queue.LEASE + timedelta(seconds=1))
    assert (again.job_id, again.take) == (dead.job_id, 2)
    assert not queue.is_held(db, dead)
    assert queue.is_held(db, again)
    with db.write() as session:
        assert not queue.done(session, dead)
        assert queue.done(session, again)
    assert state(db, "s0") is JobState.DONE


def test_a_worker_that_starts_anew_frees_what_its_dead_self_held_and_nothing_else(
    db: Database,
) -> None:
    enqueue(db, "s0", "s1")
    ours, others = held(db, "host/1/77-a"), held(db, "host/11/78-b")
    assert queue.release_dead(db, "host/1/") == 1
    assert not queue.is_held(db, ours)
    assert queue.is_held(db, others)
    again = held(db, "host/1/79-c")
    assert (again.submission_id, again.take) == (ours.submission_id, 2)


def test_a_renewed_lease_keeps_the_job_and_a_lost_one_stays_lost(db: Database) -> None:
    enqueue(db, "s0", "s1")
    mine, lost = held(db), held(db)
    later = NOW + timedelta(seconds=14)
    with db.write() as session:
        assert queue.put_back(session, lost)
    queue.renew(db, [mine, lost], later)
    taken = held(db, "v", later)
    assert taken.submission_id == lost.submission_id
    assert not queue.is_held(db, lost)
    queue.renew(db, [taken], later + queue.LEASE)
    assert queue.lease(db, "v", NOW + timedelta(seconds=28)) is None
    assert held(db, "v", NOW + timedelta(seconds=30)).submission_id == mine.submission_id


def test_progress_is_told_by_the_holder_alone_and_begins_anew_with_the_next(db: Database) -> None:
    def told() -> tuple[str | None, int | None, int | None]:
        with db.read() as session:
            job = session.get_one(Submission, "s0").jobs[0]
            return job.question, job.questions_done, job.questions

    enqueue(db, "s0")
    first = held(db)
    queue.report(db, first, queue.Progress("sums-hidden", 1, 2))
    assert told() == ("sums-hidden", 1, 2)
    with db.write() as session:
        queue.put_back(session, first)
    queue.report(db, first, queue.Progress("sums-late", 2, 2))
    assert told() == ("sums-hidden", 1, 2)
    held(db, "v")
    assert told() == (None, None, None)


@pytest.mark.parametrize(
    ("begun", "interruptions"), [(True, queue.MAX_ATTEMPTS), (False, queue.MAX_TAKES)]
)
def test_interruptions_are_capped_with_a_sentence(
    db: Database, begun: bool, interruptions: int
) -> None:
    enqueue(db, "s0", "s1")
    later = NOW
    for _ in range(interruptions):
        with db.write() as session:  # the other job is not what this is about
            session.get_one(Submission, "s1").jobs[0].state = JobState.DONE
        taken = held(db, "w", later)
        assert not begun or queue.begin(db, taken)
        later += 2 * queue.LEASE
    with db.write() as session:
        session.get_one(Submission, "s1").jobs[0].state = JobState.QUEUED
    taken = queue.lease(db, "w", later)
    assert taken is not None
    assert taken.submission_id == "s1", "a worn-out job must not hold up the queue"
    with db.read() as session:
        job = session.get_one(Submission, "s0").jobs[0]
        assert (job.state, job.problem) == (JobState.FAILED, queue.INTERRUPTED)


@pytest.mark.parametrize(
    ("attempts", "takes", "worn_out"),
    [
        (0, 1, False),
        (queue.MAX_ATTEMPTS - 1, queue.MAX_TAKES - 1, False),
        (queue.MAX_ATTEMPTS, queue.MAX_ATTEMPTS, True),
        (0, queue.MAX_TAKES, True),
    ],
)
def test_a_job_is_worn_out_by_few_deaths_of_its_cells_or_by_many_before(
    attempts: int, takes: int, worn_out: bool
) -> None:
    assert queue.is_worn_out(attempts, takes) is worn_out


@pytest.mark.parametrize(
    ("begun", "counted", "attempts", "takes"),
    [
        (True, True, 1, 2),
        (True, False, 0, 1),
        (False, True, 0, 2),
        (False, False, 0, 1),
    ],
)
def test_a_job_put_back_counts_only_when_it_may_be_at_fault(
    db: Database, begun: bool, counted: bool, attempts: int, takes: int
) -> None:
    enqueue(db, "s0")
    first = held(db)
    assert not begun or queue.begin(db, first)
    with db.write() as session:
        assert queue.put_back(session, first, counted=counted)
    held(db, "v")
    with db.read() as session:
        job = session.get_one(Submission, "s0").jobs[0]
        assert (job.attempts, job.takes, job.begun_at) == (attempts, takes, None)


def test_a_lost_job_does_not_begin(db: Database) -> None:
    enqueue(db, "s0")
    lost = held(db)
    again = held(db, "w", NOW + 2 * queue.LEASE)
    assert not queue.begin(db, lost)
    assert queue.begin(db, again)


def test_many_workers_share_a_queue_without_doing_a_job_twice(db: Database) -> None:
    with db.write() as session:
        session.add_all(Job(submission_id="s0") for _ in range(30))

    together = threading.Barrier(4)

    def work(name: str) -> list[str]:
        mine = []
        together.wait()
        while taken := queue.lease(db, name):
            mine.append(taken.job_id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        done = [job for jobs in pool.map(work, "abcd") for job in jobs]
    assert len(done) == 30
    assert len(set(done)) == 30


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
def test_a_machine_whose_clock_is_wrong_takes_nobodys_job(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(db, "s1")
    mine = queue.lease(db, "mine")
    assert mine is not None
    monkeypatch.setattr(queue, "utc_now", lambda: datetime.now(UTC) + timedelta(hours=1))
    assert queue.lease(db, "ahead") is None
    queue.renew(db, [mine])
    with db.write() as session:
        until = session.get_one(Job, mine.job_id).leased_until
        assert until is not None
        assert until < datetime.now(UTC) + 2 * queue.LEASE
        session.get_one(Job, mine.job_id).leased_until = until - 2 * queue.LEASE
    monkeypatch.setattr(queue, "utc_now", lambda: datetime.now(UTC) - timedelta(hours=1))
    behind = queue.lease(db, "behind")
    assert behind is not None
    assert behind.take == 2


def statements(db: Database) -> list[str]:
    """What the database is asked from now on."""
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    return asked


def test_a_lookout_troubles_no_database_in_which_nothing_was_written(db: Database) -> None:
    lookout = Lookout(db)
    lookout.ANYWAY_S = 3600.0
    assert lookout.lease("w") is None
    asked = statements(db)
    for _ in range(5):
        assert lookout.lease("w") is None
    knows = db.engine.dialect.name == "sqlite"
    assert (not asked) == knows
    assert lookout.every_s == (360.0 if knows else 3600.0)


def test_a_lookout_sees_at_once_what_was_written(db: Database) -> None:
    lookout = Lookout(db)
    lookout.ANYWAY_S = 3600.0
    assert lookout.lease("w") is None
    enqueue(db, "s0", "s1")
    found = [lookout.lease("w"), lookout.lease("w")]
    assert {one.submission_id for one in found if one} == {"s0", "s1"}
    assert lookout.lease("w") is None


def test_a_lookout_sees_in_time_that_a_lease_has_run_out(db: Database) -> None:
    lookout = Lookout(db)
    lookout.ANYWAY_S = 0.05
    enqueue(db, "s0")
    first = queue.lease(db, "dead")
    assert first is not None
    with db.write() as session:
        session.get_one(Job, first.job_id).leased_until = utc_now() + timedelta(seconds=0.5)
    assert lookout.lease("w") is None
    until = time.monotonic() + 10
    while (again := lookout.lease("w")) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert again is not None
    assert again.take == first.take + 1
