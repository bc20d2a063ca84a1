"""Reads the runs that a class logged for one assignment, in few requests whatever its size."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ulab_core.settings import Settings
from ulab_mlflow.admin import GONE, Admin, MlflowDown, MlflowRefusal
from ulab_mlflow.answers import moment, number
from ulab_mlflow.comparison import LoggedRun
from ulab_mlflow.tenancy import experiment_name

_API = "2.0/mlflow/"
_EXPERIMENTS_A_PAGE = 1000
_RUNS_A_PAGE = 2000
MOST_RUNS = 20_000
FRESH_S = 15.0
# What took long to read is read less often, so that looking at it can't keep MLflow busy.
FRESH_FOR_EACH_SECOND = 10.0
LONGEST_WAIT_S = 20.0


@dataclass(frozen=True)
class Logged:
    """The runs of a class at one moment.

    Attributes
    ----------
    at
        When they were read.
    cut
        Whether there are more than `MOST_RUNS`, and only the newest are here.
    """

    runs: tuple[LoggedRun, ...]
    at: datetime
    cut: bool


class ClassRuns:
    """Reads the runs of classes, and keeps what it read for a while: `FRESH_S` seconds or more."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        # With the moment until which it may be shown.
        self._held: dict[tuple[str, str], tuple[float, Logged]] = {}

    @classmethod
    def of(cls, settings: Settings) -> ClassRuns:
        return cls(Admin.of(settings))

    def held(self, course: str, assignment: str) -> Logged | None:
        """What was read a short while ago; None when it has to be read."""
        until, found = self._held.get((course, assignment), (0.0, None))
        return found if time.monotonic() < until else None

    def read(self, course: str, assignment: str) -> Logged:
        """The runs in the experiments of an assignment, the newest first.

        Whose a run is says its experiment, which only the platform makes and names.

        Raises
        ------
        MlflowDown
            MLflow doesn't answer.
        """
        key = course, assignment
        # What is asked for at once is read once; nobody waits for ever behind an MLflow that hangs.
        lock = self._locks[key]
        if not lock.acquire(timeout=LONGEST_WAIT_S):
            raise MlflowDown
        try:
            return self.held(*key) or self._keep(key, time.monotonic(), self._read(*key))
        finally:
            lock.release()

    def _keep(self, key: tuple[str, str], began: float, read: Logged) -> Logged:
        """Keep what was read, and forget what is too old to be shown."""
        now = time.monotonic()
        until = now + max(FRESH_S, FRESH_FOR_EACH_SECOND * (now - began))
        fresh = {other: one for other, one in self._held.items() if now < one[0]}
        self._held = fresh | {key: (until, read)}
        return read

    def _read(self, course: str, assignment: str) -> Logged:
        people = dict(self._experiments(course, assignment))
        at = datetime.now(UTC)
        # By id: a run that begins meanwhile moves another one to the next page, to be read again.
        runs: dict[str, LoggedRun] = {}
        if not people:
            return Logged((), at, cut=False)
        asked: dict[str, Any] = {
            "experiment_ids": list(people),
            "max_results": _RUNS_A_PAGE,
            "order_by": ["attributes.start_time DESC"],
        }
        more = False
        for answer in self._admin.pages("POST", f"{_API}runs/search", inside=course, **asked):
            runs |= {one["info"]["run_id"]: _run(one, people) for one in answer.get("runs", ())}
            more = bool(answer.get("next_page_token"))
            if len(runs) >= MOST_RUNS:
                break
        return Logged(tuple(runs.values())[:MOST_RUNS], at, cut=more)

    def _experiments(self, course: str, assignment: str) -> Iterator[tuple[str, str]]:
        """The id of each experiment of the assignment, and whose it is."""
        prefix = experiment_name(assignment, "")
        asked = {"max_results": _EXPERIMENTS_A_PAGE, "filter": f"name LIKE '{prefix}%'"}
        try:
            for answer in self._admin.pages(
                "GET", f"{_API}experiments/search", inside=course, **asked
            ):
                for one in answer.get("experiments", ()):
                    # An underscore of the pattern stands for any letter.
                    if one["name"].startswith(prefix):
                        yield str(one["experiment_id"]), one["name"].removeprefix(prefix)
        except MlflowRefusal as refusal:
            # A course that nobody has opened in MLflow has no workspace yet.
            if refusal.code != GONE:
                raise


def _run(found: dict[str, Any], people: dict[str, str]) -> LoggedRun:
    info, data = found["info"], found.get("data", {})
    return LoggedRun(
        person=people[str(info["experiment_id"])],
        experiment=str(info["experiment_id"]),
        id=info["run_id"],
        name=info.get("run_name", ""),
        status=info.get("status", ""),
        started=moment(info.get("start_time")),
        metrics={one["key"]: number(one.get("value")) for one in data.get("metrics", ())},
        params={one["key"]: one.get("value", "") for one in data.get("params", ())},
    )
