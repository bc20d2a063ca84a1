"""The runs of a class as a page and a spreadsheet show them: from values to values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ulab_core.i18n import mark, translations
from ulab_core.models import Person
from ulab_coursework.gradebook import HEADINGS, harmless_cell
from ulab_mlflow.class_runs import Logged
from ulab_mlflow.comparison import (
    Better,
    LoggedRun,
    Point,
    Result,
    Spread,
    better_of,
    metrics_of,
    params_of,
    points,
    results,
    spans_magnitudes,
    spread,
)

MOST_POINTS = 1000
TIME, PARAM = "time", "param:"
COLUMNS = (
    mark("Place"), mark("Metric"), mark("Best value"), mark("Run"), mark("State"),
    mark("Number of runs"), mark("Last run"),
)  # fmt: skip
RUN_COLUMNS = (mark("Account"), mark("Run"), mark("Run id"), mark("State"), mark("Started"))


@dataclass(frozen=True)
class Asked:
    """What to compare; empty for what fits the class.

    Attributes
    ----------
    against
        ``time``, or ``param:`` and a parameter's name.
    """

    metric: str = ""
    better: str = ""
    against: str = ""


@dataclass(frozen=True)
class Comparison:
    """A class compared by one metric."""

    logged: Logged
    people: dict[str, Person]
    metrics: list[str]
    metric: str | None
    better: Better
    guess: Better
    params: list[str]
    param: str | None
    """What the runs are plotted against; None is when they began."""
    results: list[Result]
    missing: str
    """The metric that was asked for and that nobody logged."""

    @cached_property
    def runs(self) -> list[LoggedRun]:
        """Those of the class, the newest first."""
        return [run for run in self.logged.runs if run.person in self.people]

    @property
    def compared(self) -> list[Result]:
        return [one for one in self.results if one.value is not None]

    @property
    def without(self) -> list[Result]:
        """Who has runs, and none with a number of this metric."""
        return [one for one in self.results if one.value is None and one.runs]

    @property
    def silent(self) -> list[Result]:
        """Who has logged nothing."""
        return [one for one in self.results if not one.runs]

    @cached_property
    def spread(self) -> Spread | None:
        return spread(one.value for one in self.results if one.value is not None)

    @cached_property
    def points(self) -> list[Point]:
        """The newest runs that have what is plotted, `MOST_POINTS` at most."""
        return self._all_points[:MOST_POINTS]

    @property
    def left_out(self) -> int:
        return len(self._all_points) - len(self.points)

    @cached_property
    def _all_points(self) -> list[Point]:
        return points(self.runs, self.metric, self.param) if self.metric else []

    def called(self, name: str) -> str:
        return self.people[name].display_name or name

    @property
    def best_chart(self) -> str:
        """What the plot of each student's best value shows, as JSON."""
        around = self.spread
        return json.dumps(
            {
                "dots": [[self.called(one.person), one.value] for one in self.compared],
                "quartiles": around and [around.lower, around.median, around.upper],
            }
        )

    def scatter_chart(self, zone: ZoneInfo, exact: Callable[[datetime], str]) -> str:
        """What the plot of all runs shows, as JSON; the labels are for whoever points at one."""
        kind = "time" if self.param is None else self._kind()
        dots = []
        for run, x, y in self.points:
            # The browser's own zone is not the site's.
            shift = 1000 * _offset(run, zone) if kind == "time" else 0
            said = self.said(run, exact)
            where = x + shift if isinstance(x, float) else x
            dots.append([where, y, f"{self.called(run.person)} · {run.name}", said])
        if kind == "category":
            dots.sort(key=lambda dot: str(dot[0]))
        return json.dumps({"kind": kind, "dots": dots})

    def said(self, run: LoggedRun, exact: Callable[[datetime], str]) -> str:
        """What a run is plotted against, in words."""
        if self.param is not None:
            return run.params.get(self.param, "")
        return exact(run.started) if run.started else ""

    def _kind(self) -> str:
        values = [one.x for one in self.points]
        if any(isinstance(value, str) for value in values):
            return "category"
        return "log" if spans_magnitudes(values) else "value"


def compare(people: Sequence[Person], logged: Logged, asked: Asked) -> Comparison:
    """Compare a class's students by what they logged."""
    known = {one.name: one for one in people}
    runs = [run for run in logged.runs if run.person in known]
    metrics, params = metrics_of(runs), params_of(runs)
    metric = asked.metric if asked.metric in metrics else next(iter(metrics), None)
    guess = better_of(metric or "")
    better = Better(asked.better) if asked.better in list(Better) else guess
    param = asked.against.removeprefix(PARAM) if asked.against.startswith(PARAM) else None
    if not asked.against:
        param = next(iter(params), None)
    return Comparison(
        logged=logged,
        people=known,
        metrics=metrics,
        metric=metric,
        better=better,
        guess=guess,
        params=params,
        param=param if param in params else None,
        results=results(list(known), runs, metric, better),
        missing=asked.metric if asked.metric not in ("", metric) else "",
    )


def to_csv(found: Comparison, language: str) -> str:
    """A row a student, also for those without a value."""
    translate = translations(language).gettext
    rows: list[list[Any]] = [[translate(title) for title in (*HEADINGS, *COLUMNS)]]
    for one in found.results:
        person, best = found.people[one.person], one.best
        rows.append(
            [
                *map(harmless_cell, (person.name, person.display_name, person.college)),
                one.place or "",
                harmless_cell(found.metric or ""),
                "" if one.value is None else repr(one.value),
                harmless_cell(best.name) if best else "",
                best.status if best else "",
                one.runs,
                one.last.isoformat(timespec="seconds") if one.last else "",
            ]
        )
    return _table(rows)


def runs_to_csv(found: Comparison, language: str) -> str:
    """A row a run, with every metric's last value and every parameter."""
    translate = translations(language).gettext
    params = sorted({param for run in found.runs for param in run.params})
    titles = [translate(title) for title in RUN_COLUMNS]
    rows: list[list[Any]] = [
        [*titles, *map(harmless_cell, run_headings(titles, found.metrics, params))]
    ]
    for run in found.runs:
        values = (run.metrics.get(metric) for metric in found.metrics)
        rows.append(
            [
                *map(harmless_cell, (run.person, run.name)),
                run.id,
                run.status,
                run.started.isoformat(timespec="seconds") if run.started else "",
                *("" if value is None else repr(value) for value in values),
                *(harmless_cell(run.params.get(param, "")) for param in params),
            ]
        )
    return _table(rows)


def run_headings(titles: Collection[str], metrics: list[str], params: list[str]) -> list[str]:
    """What the columns of metrics and parameters are called: each by a name that no other has.

    `ulab.track` notes the learning rate as both. Such a name is written as MLflow's search does.
    """
    return [
        *(f"metrics.{name}" if name in {*titles, *params} else name for name in metrics),
        *(f"params.{name}" if name in {*titles, *metrics} else name for name in params),
    ]


def _table(rows: list[list[Any]]) -> str:
    out = io.StringIO()
    out.write("\ufeff")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _offset(run: LoggedRun, zone: ZoneInfo) -> float:
    offset = run.started.astimezone(zone).utcoffset() if run.started else None
    return offset.total_seconds() if offset else 0.0
