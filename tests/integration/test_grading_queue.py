"""The queue with the real judge: grading again, two slots, waiting, and moving to other tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    OTHER_LAB,
    Base,
    answer,
    grade_all,
    grades,
    hand_in,
    make_base,
    newest,
    publish_version,
)
from integration.postgres_support import Postgres, installed
from integration.test_workers import eventually, start_worker
from sqlalchemy import select
from typer.testing import CliRunner

from ulab_core.models import Job, JobState, Role, Submission, utc_now
from ulab_coursework import forming
from ulab_coursework.courses import enrol, ensure_person, find_assignment, find_course
from ulab_coursework.forming import GroupRefused
from ulab_coursework.groups import groups_of
from ulab_coursework.policies import set_policy
from ulab_coursework.regrading import grade_again
from ulab_coursework.releases import publish_assignment
from ulab_coursework.standing import State
from ulab_coursework.waiting import Wait
from ulab_deploy.cli import build

SLEEP_S = 3
CROWD = 8


def graded_at(base: Base) -> dict[str, datetime | None]:
    with base.db.read() as session:
        return {one.id: one.graded_at for one in session.scalars(select(Submission))}


def test_a_regrade_by_the_same_tests_moves_nothing_unless_it_is_forced(base: Base) -> None:
    hand_in(base, answer())
    hand_in(base, answer("return 3"), "bob")
    grade_all(base)
    before, points = graded_at(base), grades(base)
    assert grade_again(base.db, COURSE, LAB, "carol") == 2
    grade_all(base)
    assert (graded_at(base), grades(base)) == (before, points)
    assert grade_again(base.db, COURSE, LAB, "carol", force=True) == 2
    grade_all(base)
    after = graded_at(base)
    assert not set(after.values()) & set(before.values())
    assert grades(base) == points
    with base.db.read() as session:
        assert {job.state for job in session.scalars(select(Job))} == {JobState.DONE}


def test_two_slots_grade_side_by_side_and_who_waits_is_told_how_long(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = answer(f"import time; time.sleep({SLEEP_S}); return a + b")
    hand_in(base, slow)
    hand_in(base, slow, "bob")
    assert newest(base, "bob").wait == Wait(ahead=1, seconds=None), "nothing was graded yet"
    monkeypatch.setenv("ULAB_GRADING__SLOTS", "2")
    worker = start_worker(base)
    try:
        for person in ("alice", "bob"):
            eventually(lambda person=person: newest(base, person).state is State.GRADED)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    with base.db.read() as session:
        jobs = session.scalars(select(Job)).all()
    starts = [job.started_at for job in jobs if job.started_at]
    ends = [job.finished_at for job in jobs if job.finished_at]
    assert max(starts) < min(ends), "both were in hand at once"
    worst = max((end - start).total_seconds() for start, end in zip(starts, ends, strict=True))
    hand_in(base, answer("return sum((a, b))"))
    told = newest(base).wait
    assert told is not None
    assert (told.ahead, told.seconds is not None) == (0, True)
    assert SLEEP_S <= (told.seconds or 0) <= worst + 1


@pytest.fixture
def on_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Base]:
    """A base on PostgreSQL with a crowd of students."""
    if not installed():
        pytest.skip("PostgreSQL is not installed")
    with Postgres(tmp_path) as server:
        config = f'[database]\nurl = "{server.new_database()}"\n'
        made = make_base(tmp_path, monkeypatch, config=config)
        with made.db.write() as session:
            for number in range(CROWD):
                ensure_person(session, f"s{number}")
                enrol(session, COURSE, f"s{number}", Role.STUDENT, "carol")
        yield made
        made.db.engine.dispose()


def test_a_group_that_all_join_at_once_is_never_too_large(on_postgres: Base) -> None:
    size = 3
    with on_postgres.db.write() as session:
        set_policy(session, COURSE, LAB, {"group_size": size, "own_groups": True}, "carol")
        code = forming.make(session, COURSE, LAB, "s0", "Team", utc_now()).code or ""

    def join(number: int) -> bool:
        try:
            with on_postgres.db.write() as session:
                forming.join(session, COURSE, LAB, f"s{number}", code, utc_now())
        except GroupRefused:
            return False
        return True

    with ThreadPoolExecutor(CROWD) as pool:
        joined = list(pool.map(join, range(1, CROWD)))
    assert joined.count(True) == size - 1
    with on_postgres.db.read() as session:
        [team] = groups_of(session, find_assignment(session, COURSE, LAB))
    assert len(team.people) == size


def other_tests(lab: str, notebook: nbformat.NotebookNode) -> None:
    """Tests of version 2: what was right in the first question no longer is."""
    for cell in notebook.cells if lab == LAB else ():
        cell.source = cell.source.replace("== 3,", "== 4,")


def version_of(base: Base) -> str:
    with base.db.read() as session:
        return find_course(session, COURSE).curriculum_version


def ulab_move(*more: str) -> str:
    shown = CliRunner().invoke(build(), ["--language", "en", "course", "move", COURSE, "2", *more])
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_a_course_moves_to_other_tests_and_its_class_is_graded_by_them(base: Base) -> None:
    hand_in(base, answer())
    grade_all(base)
    publish_version(base.layout, "2", other_tests)
    assert f"{LAB}: other tests" in ulab_move("--regrade")
    assert version_of(base) == "2"
    grade_all(base)
    assert grades(base) == {"sums-visible": (0, None, False), "sums-hidden": (3, None, False)}
    assert newest(base).score == 3


def test_a_move_is_previewed_before_anything_changes(base: Base) -> None:
    hand_in(base, answer())
    grade_all(base)
    publish_version(base.layout, "2", other_tests)
    before, scores = newest(base), grades(base)
    said = ulab_move("--preview")
    assert "! The tests of sums-visible that students see are other than before." in said
    assert "Submissions that would be graded again: 1; with other points: 1." in said
    assert f"alice: {before.score:g} → 3" in said
    assert "sums-visible: 2 → 0" in said
    assert version_of(base) == "1"
    assert grades(base) == scores
    assert newest(base).score == before.score
    ulab_move("--regrade")
    grade_all(base)
    assert newest(base).score == 3


# The process dies when the first lab's cells are in the gradebook and the second's aren't.
DIES = """
import os, signal
from ulab_core.database import Database
from ulab_core.layout import Layout
from ulab_core.settings import load_settings
from ulab_coursework import moving
fill = moving.fill_gradebook
def fill_and_die(*given):
    fill(*given)
    os.kill(os.getpid(), signal.SIGKILL)
moving.fill_gradebook = fill_and_die
settings = load_settings()
moving.move(Database.of(settings), Layout.of(settings), "sums-2026", "2", "carol", regrades=True)
"""


def test_a_move_that_is_killed_in_the_middle_leaves_the_course_as_it_was(base: Base) -> None:
    publish_assignment(base.db, base.layout, COURSE, OTHER_LAB, None, "at_once", "carol")
    hand_in(base, answer())
    grade_all(base)
    publish_version(base.layout, "2", other_tests)
    done = subprocess.run([sys.executable, "-c", DIES], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert version_of(base) == "1"
    assert newest(base).score == 5
    hand_in(base, answer(), "bob")
    grade_all(base)
    assert newest(base, "bob").score == 5, "still by the tests of before"
    # Asked again, it goes through.
    assert f"{LAB}: other tests" in ulab_move("--regrade")
    grade_all(base)
    assert version_of(base) == "2"
    assert (newest(base).score, newest(base, "bob").score) == (3, 3)
