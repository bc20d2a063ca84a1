"""Workers, the portal and the database die at random while a class hands in.

`ULAB_CHAOS_SUBMISSIONS=300` makes it as big as a class; it is small in the suite for the time.
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from integration.chaos_support import REAL
from integration.coursework_support import COURSE, LAB, Base, answer, make_base
from integration.postgres_support import Postgres, installed
from nbgrader.api import Gradebook
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from ulab_core.models import AuditEntry, Job, JobState, Lane, Role, Submission
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courses import enrol, ensure_person
from ulab_coursework.queue import enqueue_all, is_worn_out
from ulab_hub.services import services

SUBMISSIONS = int(os.environ.get("ULAB_CHAOS_SUBMISSIONS", "36"))
EACH = 3
PATIENCE_S = 30 + 3 * SUBMISSIONS
CLASSMATES = 8
"""How many students are at it at the same moment."""
FORKS = "fork-server-kernel"
COMES_UP_S = 2.0
"""Where the portal takes longer until it first answers, all dies more slowly in proportion."""
THINKS_S = 2.0
"""Before a student hands in again: a class that were through at once would see nothing die."""
MOST_GIVEN_UP = 0.05


@dataclass
class Site:
    """A base whose portal and workers are processes that can be killed and come back."""

    base: Base
    port: int
    postgres: Postgres | None
    pace: float = 1.0
    """How many times as long things take here: what never comes up could not be tried."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: collections.Counter[str] = field(default_factory=collections.Counter)

    def start(self, name: str) -> None:
        what = ["portal", str(self.port)] if name == "portal" else ["worker"]
        command = [sys.executable, str(Path(__file__).parent / "chaos_support.py"), *what]
        env = os.environ | {"JUPYTERHUB_SERVICE_NAME": name}
        if name == FORKS:
            [service] = [one for one in services(self.base.settings) if one["name"] == name]
            command, env = service["command"], env | service["environment"]
        with (self.base.layout.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, env=env, stdout=log, stderr=log)

    @property
    def victims(self) -> list[str]:
        """All that can die."""
        return [*self.running, *(["connections", "postgresql"] if self.postgres else [])]

    def kill(self, name: str) -> None:
        self.killed[name] += 1
        if name in self.running:
            self.running[name].send_signal(signal.SIGKILL)
            self.running[name].wait()
            self.start(name)
            return
        assert self.postgres is not None
        if name == "postgresql":
            self.postgres.crash()
            return
        self.postgres.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Site]:
    postgres = None
    if request.param == "postgresql":
        if not installed():
            pytest.skip("PostgreSQL is not installed")
        postgres = Postgres(tmp_path).__enter__()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    base = make_base(
        tmp_path,
        monkeypatch,
        config=f'[database]\nurl = "{postgres.new_database() if postgres else ""}"\n'
        "[grading]\nslots = 2\nmemory_mb = 1024\n",
    )
    found = Site(base, port, postgres)
    yield found
    found.stop()
    base.db.engine.dispose()
    if postgres is not None:
        postgres.__exit__()


def hand_in(site: Site, student: str, content: bytes) -> dict[str, str]:
    """Ask until there is an answer, as a program of a careful student does."""
    address = f"http://127.0.0.1:{site.port}/services/ulab/api/courses/{COURSE}/assignments/{LAB}"
    headers = {"cookie": f"person={student}", "sec-fetch-site": "same-origin"}
    until = time.monotonic() + PATIENCE_S * site.pace
    while time.monotonic() < until:
        try:
            got = httpx.post(f"{address}/submissions", content=content, headers=headers, timeout=30)
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        if got.status_code in (200, 201):
            receipt: dict[str, str] = got.json()
            return receipt
        assert got.status_code >= 500, got.text
        time.sleep(0.2)
    raise AssertionError("no receipt")


def wreak_havoc(site: Site, over: threading.Event) -> None:
    """Kill all of them round by round until it is over; the seed says in which order, and when."""
    chance, round_ = random.Random(4), list[str]()
    while not over.wait(chance.uniform(0.5, 2.0) * site.pace):
        round_ = round_ or chance.sample(site.victims, len(site.victims))
        site.kill(round_.pop())


def body(student: int, attempt: int) -> str:
    right = (student + attempt) % 2
    return f"return a + b  # {attempt}" if right else f"return 3  # {attempt}"


def points(student: int, attempt: int) -> float:
    return 5.0 if (student + attempt) % 2 else 2.0


@pytest.mark.timeout(6 * PATIENCE_S)
def test_nothing_is_lost_and_nothing_is_graded_twice_whatever_dies(site: Site) -> None:
    students = [f"s{number:03}" for number in range(SUBMISSIONS // EACH)]
    with site.base.db.write() as session:
        for name in students:
            ensure_person(session, name)
            enrol(session, COURSE, name, Role.STUDENT, "carol")
    for name in ("portal", "grading-worker-1", "grading-worker-2"):
        site.start(name)
    if os.environ.get(REAL):
        site.start(FORKS)
    site.pace = max(1.0, seconds_until_it_answers(site) / COMES_UP_S)

    def attend(number: int) -> list[str]:
        received = []
        for attempt in range(EACH):
            received.append(hand_in(site, students[number], answer(body(number, attempt)))["id"])
            time.sleep(THINKS_S * site.pace)
        return received

    over = threading.Event()
    havoc = threading.Thread(target=wreak_havoc, args=(site, over))
    havoc.start()
    try:
        with ThreadPoolExecutor(CLASSMATES) as pool:
            receipts = list(pool.map(attend, range(len(students))))
        wait_until_graded(site)
    finally:
        over.set()
        havoc.join()
    print(f"pace {site.pace:.1f}", dict(site.killed))
    assert set(site.killed) == set(site.victims)

    with site.base.db.read() as session:
        jobs = session.scalars(select(Job)).all()
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "submission.receive")
        ).all()
    # Each hand-in has one receipt, each receipt one row, one note in the audit log and one job.
    given = [one for mine in receipts for one in mine]
    assert len(set(given)) == len(given) == len(students) * EACH
    assert sorted(entry.detail["submission"] for entry in noted) == sorted(given)
    assert sorted(job.submission_id for job in jobs) == sorted(given)
    # Whose cells ran at three deaths is given up with a sentence, until someone asks again.
    given_up = [job for job in jobs if job.state is not JobState.DONE]
    assert {job.state for job in given_up} <= {JobState.FAILED}
    assert all(is_worn_out(job.attempts, job.takes) for job in given_up)
    print(len(given), "handed in,", len(given_up), "given up")
    assert len(given_up) <= MOST_GIVEN_UP * len(given)
    with site.base.db.write() as session:
        enqueue_all(session, [job.submission_id for job in given_up], Lane.REGRADE)
    wait_until_graded(site)
    with site.base.db.read() as session:
        rows = {one.id: one for one in session.scalars(select(Submission))}
    assert set(rows) == set(given)
    # Each has the grade that it must have…
    expected = {
        one: points(number, attempt)
        for number, mine in enumerate(receipts)
        for attempt, one in enumerate(mine)
    }
    assert {one: row.score for one, row in rows.items()} == expected
    # … and each student one entry in the gradebook, with the last one's points.
    with Gradebook(gradebook_url(site.base.layout, COURSE), COURSE) as gradebook:
        entries = gradebook.assignment_submissions(LAB)
        counted = [(entry.student.id, entry.score) for entry in entries]
        cells = [len(notebook.grades) for entry in entries for notebook in entry.notebooks]
    assert sorted(counted) == [
        (name, points(number, EACH - 1)) for number, name in enumerate(students)
    ]
    assert cells == [2] * len(students)


def seconds_until_it_answers(site: Site) -> float:
    begun = time.monotonic()
    while time.monotonic() < begun + PATIENCE_S:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{site.port}/services/ulab/static/portal.css", timeout=30)
            return time.monotonic() - begun
        time.sleep(0.1)
    raise AssertionError("the portal does not come up")


def wait_until_graded(site: Site) -> None:
    until = time.monotonic() + PATIENCE_S * site.pace
    while time.monotonic() < until:
        open_ = select(Job.id).where(Job.state.in_([JobState.QUEUED, JobState.RUNNING])).limit(1)
        try:
            with site.base.db.read() as session:
                if session.scalar(open_) is None:
                    return
        except OperationalError:
            assert site.postgres  # it is away
        time.sleep(0.2)
    raise AssertionError("not all was graded")
