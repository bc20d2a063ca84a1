"""Grading workers as processes that are killed, stopped and run side by side."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from integration.coursework_support import (
    COURSE,
    LAB,
    Base,
    answer,
    hand_in,
    newest,
)
from sqlalchemy import select

from ulab_core.models import Job, JobState, utc_now
from ulab_core.process import descendants
from ulab_coursework.gradebook import class_scores
from ulab_coursework.standing import State, class_standing

PATIENCE_S = 90


def start_worker(base: Base, number: int = 1) -> subprocess.Popen[bytes]:
    environment = os.environ | {"JUPYTERHUB_SERVICE_NAME": f"grading-worker-{number}"}
    with (base.layout.logs / f"worker-{number}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ulab_coursework.worker"],
            env=environment,
            stdout=log,
            stderr=log,
        )


def eventually(look: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if look():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def test_a_killed_workers_job_is_done_by_the_next_and_a_stopped_one_gives_it_back(
    base: Base, tmp_path: Path
) -> None:
    # Long enough to be killed in, at the first call alone.
    once = "vars(add).get('slept') or time.sleep(4); add.slept = True"
    hand_in(base, answer(f"import time; {once}; return a + b"))

    def in_sandbox(worker: subprocess.Popen[bytes]) -> bool:
        return newest(base).state is State.RUNNING and len(descendants(worker.pid)) > 3

    worker = start_worker(base)
    eventually(lambda: in_sandbox(worker))
    inside = descendants(worker.pid)
    worker.kill()
    worker.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in inside))
    with base.db.write() as session:  # do not sit the lease out
        [job] = session.scalars(select(Job))
        assert (job.state, job.takes) == (JobState.RUNNING, 1)
        job.leased_until = utc_now() - timedelta(seconds=1)

    worker = start_worker(base, 2)
    eventually(lambda: in_sandbox(worker))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    with base.db.read() as session:
        [job] = session.scalars(select(Job))
        assert (job.state, job.takes, job.worker) == (JobState.QUEUED, 1, None)

    worker = start_worker(base)
    try:
        eventually(lambda: newest(base).state is State.GRADED)
    finally:
        worker.terminate()
        worker.wait()
    assert newest(base).score == 5
    assert not list((base.layout.run / "grading").glob("*.db"))


def test_two_workers_fill_one_gradebook(base: Base) -> None:
    hand_in(base, answer("return 3"))
    hand_in(base, answer(), "bob")
    workers = [start_worker(base, number) for number in (1, 2)]
    try:
        eventually(lambda: {newest(base, p).state for p in ("alice", "bob")} == {State.GRADED})
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
    with base.db.read() as session:
        rows = class_scores(base.layout, session, COURSE).rows
        shown = class_standing(session, COURSE, LAB)
    assert [(row.person, row.total) for row in rows] == [("alice", 2), ("bob", 5)]
    assert [row.newest.score for row in shown if row.newest] == [2, 5]
