"""A large class on the instructor's pages: no page asks the databases more for more people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from integration.portal_support import KnownPeople
from sqlalchemy import Engine, event, update
from starlette.testclient import TestClient

from ulab_core.database import Database
from ulab_core.models import Assignment, FeedbackPolicy, Job, JobState, utc_now
from ulab_core.settings import load_settings
from ulab_deploy.bench import base as bench_base
from ulab_deploy.bench.graded_class import COURSE, TEACHER
from ulab_deploy.bench.listed_class import lab_names, make_class
from ulab_portal.app import create_app

LABS = 3
TEACH = f"/services/ulab/courses/{COURSE}/teach"
LAB = f"{TEACH}/labs/{lab_names(1)[0]}"
PAGES = (
    *(TEACH, f"{TEACH}/by-hand", f"{TEACH}/people", f"{TEACH}/scores.csv", f"{TEACH}/version"),
    *(LAB, f"{LAB}/class", f"{LAB}/policy", f"{LAB}/groups", f"{LAB}/regrade"),
    *(f"{LAB}/similarity", "/services/ulab/"),
    f"/services/ulab/api/courses/{COURSE}/assignments/{lab_names(1)[0]}/inbound",
)


def released(db: Database) -> None:
    """Feedback that was released once: it is compared with what people graded since."""
    with db.write() as session:
        session.execute(
            update(Assignment).values(
                feedback_policy=FeedbackPolicy.ON_RELEASE, feedback_released_at=utc_now()
            )
        )


def waiting(db: Database) -> None:
    """All is being graded."""
    with db.write() as session:
        session.execute(update(Job).values(state=JobState.QUEUED))


def graded(db: Database) -> None:
    """All is as it was made."""


STATES = (graded, waiting, released)


@contextmanager
def all_queries() -> Iterator[list[str]]:
    """Every statement to any database meanwhile, the gradebook's too."""
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def queries_of_pages(folder: Path, students: int) -> dict[tuple[str, str], int]:
    """How many statements each page takes, in each state of the class."""
    base = bench_base.prepare(load_settings(), folder)
    make_class(base, folder / "labs", students, LABS)
    app, db, found = create_app(base.settings, KnownPeople()), Database.of(base.settings), {}
    with TestClient(app, cookies={"person": TEACHER}) as browser:
        for state in STATES:
            state(db)
            for page in PAGES:
                browser.get(page)  # what is only asked once, is
                with all_queries() as statements:
                    got = browser.get(page)
                assert got.status_code == 200, (page, got.text)
                found[state.__name__, page] = len(statements)
                if page == LAB:
                    assert got.text.count("data-student=") == students
    db.engine.dispose()
    app.state.portal.db.engine.dispose()
    bench_base.remove_sockets(base.layout)
    return found


@pytest.mark.timeout(120)
def test_no_page_takes_more_queries_for_a_larger_class(tmp_path: Path) -> None:
    small, large = tmp_path / "10", tmp_path / "100"
    small.mkdir()
    large.mkdir()
    few, many = queries_of_pages(small, 10), queries_of_pages(large, 100)
    assert min(few.values()) > 0
    assert many == few
