"""`ulab bench pages`: an instructor's lists of a large class, beside what nbgrader needs."""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import httpx
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from ulab_core.errors import UserError
from ulab_core.hub_auth import HubUser
from ulab_core.i18n import mark
from ulab_core.settings import Settings
from ulab_deploy.base import Base
from ulab_deploy.bench import base as bench_base
from ulab_deploy.bench.graded_class import COURSE, TEACHER
from ulab_deploy.bench.listed_class import make_class
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.report import ratio, shown
from ulab_deploy.bench.start import scratch
from ulab_deploy.console import t
from ulab_portal.app import create_app
from ulab_portal.assets import PREFIX

LABS = 12
TIMES = 5
MOST = 10_000
MARK_MS = 200


class BadClass(UserError):
    """So large a class can't be measured."""


class PageFailed(UserError):
    """A page of the portal was not shown."""

    exit_code = 1


class Teacher:
    """Says that the instructor asks, where the portal would ask the hub."""

    def install(self, app: Starlette) -> None:
        """There are no routes: nobody logs in here."""

    async def current_user(self, request: Request) -> HubUser:
        return HubUser(TEACHER, False, frozenset(), "")

    trusted_user = current_user

    async def answer(self, request: Request, error: Exception) -> Response:
        raise error


def measure(settings: Settings, submissions: int, progress: Progress) -> dict[str, Any]:
    """Time the lists of a class with so many students, each of whom handed in each of `LABS` labs.

    Both read the same gradebook, in this process and one after the other, `TIMES` times after a
    first one that isn't counted. Ours are whole pages, with the queries, the HTML and all that the
    portal does with a request; nbgrader's are what its formgrader's handlers ask its API for, made
    JSON, without the table that the browser draws of it.

    Raises
    ------
    BadClass, PageFailed
    """
    if not 1 <= submissions <= MOST:
        raise BadClass(
            mark("A class of {count} can't be measured: give a number from 1 to {most}."),
            count=submissions,
            most=MOST,
        )
    with scratch() as folder:
        progress.stage(mark("Making the class…"))
        base = bench_base.prepare(settings, folder)
        try:
            labs = make_class(base, folder / "labs", submissions, LABS)
            progress.stage(mark("Asking nbgrader…"))
            _settle()
            stock = _of_nbgrader(base, labs[0])
            progress.stage(mark("Asking U Lab…"))
            ours = asyncio.run(_of_portal(base, labs[0]))
        finally:
            gc.unfreeze()
            bench_base.remove_sockets(base.layout)
    return {
        "submissions": submissions,
        "labs": LABS,
        "stock": stock,
        "ulab": ours,
        "ratio": ratio(stock["lab"], ours["lab"]),
    }


def _of_nbgrader(base: Base, lab: str) -> dict[str, float]:
    """Milliseconds of what formgrader asks for."""
    api = NbGraderAPI(CourseDirectory(root=str(base.layout.course(COURSE)), course_id=COURSE))
    asked: dict[str, Callable[[], Any]] = {
        # Manage Submissions, and Manual Grading.
        "lab": partial(api.get_submissions, lab),
        "by_hand": partial(api.get_notebook_submissions, lab, lab),
    }
    return {name: _ms(ask) for name, ask in asked.items()}


def _ms(ask: Callable[[], Any]) -> float:
    ask()
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        json.dumps(ask())
        took.append(time.perf_counter() - begun)
    return round(1000 * statistics.median(took), 1)


def _settle() -> None:
    """Do what the portal does before it serves, and for nbgrader the same."""
    gc.collect()
    gc.freeze()


async def _of_portal(base: Base, lab: str) -> dict[str, float]:
    """Milliseconds of the portal's pages."""
    teach = f"{PREFIX}courses/{COURSE}/teach"
    pages = {
        "lab": f"{teach}/labs/{lab}",
        "refreshed": f"{teach}/labs/{lab}/class",
        "course": teach,
        "scores_csv": f"{teach}/scores.csv",
    }
    app = create_app(base.settings, Teacher())
    _settle()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
        return {name: await _ms_of(partial(client.get, page)) for name, page in pages.items()}


async def _ms_of(ask: Callable[[], Awaitable[httpx.Response]]) -> float:
    took = []
    for _ in range(TIMES + 1):
        begun = time.perf_counter()
        answer = await ask()
        took.append(time.perf_counter() - begun)
        if answer.status_code != httpx.codes.OK:
            raise PageFailed(
                mark("The portal answered {status} to {page}."),
                status=answer.status_code,
                page=answer.url.path,
            )
    return round(1000 * statistics.median(took[1:]), 1)


def rows(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The measurement as a table."""
    yield "", "nbgrader", "U Lab", t("ratio")
    for title, name in (
        (t("a lab's submissions"), "lab"),
        (t("the same, while they are graded"), "refreshed"),
        (t("those to grade by hand"), "by_hand"),
        (t("the course with {labs} labs", labs=found["labs"]), "course"),
        (t("its scores as CSV"), "scores_csv"),
    ):
        one, other = found["stock"].get(name), found["ulab"].get(name)
        yield title, _shown(one), _shown(other), shown(ratio(one, other), "×")


def _shown(ms: float | None) -> str:
    return "-" if ms is None else f"{ms:.0f} ms"


def sentences(found: dict[str, Any]) -> Iterator[str]:
    slowest = max(found["ulab"].values())
    if slowest < MARK_MS:
        yield t("Each page of U Lab took less than {most} ms.", most=MARK_MS)
    else:
        yield t("The slowest page of U Lab took {slowest:.0f} ms.", slowest=slowest)
