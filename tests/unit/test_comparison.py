"""Decisions about comparing a class's runs."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ulab_core.models import Person
from ulab_mlflow.class_runs import Logged
from ulab_mlflow.comparison import (
    Better,
    LoggedRun,
    Spread,
    better_of,
    metrics_of,
    params_of,
    points,
    results,
    spans_magnitudes,
    spread,
    usable,
)
from ulab_portal.run_view import MOST_POINTS, Asked, compare, run_headings, runs_to_csv, to_csv

NOON = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
NAN, INF = math.nan, math.inf
# What MLflow's database keeps of an infinite value.
KEPT_INFINITY = 1.7976931348623157e308


def run(
    person: str, minute: int = 0, status: str = "FINISHED", /, params: Any = None, **metrics: float
) -> LoggedRun:
    started = NOON + timedelta(minutes=minute)
    name = f"{person}{minute}"
    return LoggedRun(person, "1", f"id-{name}", name, status, started, metrics, params or {})


@pytest.mark.parametrize(
    ("metric", "better"),
    [
        ("accuracy", Better.HIGHER),
        ("val_accuracy", Better.HIGHER),
        ("valAccuracy", Better.HIGHER),
        ("top5_accuracy", Better.HIGHER),
        ("F1", Better.HIGHER),
        ("val_f1_macro", Better.HIGHER),
        ("R2", Better.HIGHER),
        ("roc_auc", Better.HIGHER),
        ("mAP", Better.HIGHER),
        ("loss", Better.LOWER),
        ("val_loss", Better.LOWER),
        ("mse_loss", Better.LOWER),
        ("test/rmse", Better.LOWER),
        ("MAPE", Better.LOWER),
        ("meanSquaredError", Better.LOWER),
        ("mean_absolute_error", Better.LOWER),
        ("train time", Better.LOWER),
        # The last word that is known says what it is.
        ("score_error", Better.LOWER),
        ("loss_accuracy", Better.HIGHER),
        # No word is known, also not as a part of a longer one.
        ("glossary", Better.HIGHER),
        ("something", Better.HIGHER),
        ("正确率", Better.HIGHER),
        ("", Better.HIGHER),
    ],
)
def test_which_end_is_better_is_told_by_the_name(metric: str, better: Better) -> None:
    assert better_of(metric) is better


@pytest.mark.parametrize(
    ("runs", "metrics"),
    [
        ([], []),
        ([run("ann")], []),
        # The number of students decides, not of runs.
        ([run("ann", 1, a=1), run("ann", 2, a=1), run("ann", 3, b=1), run("bob", 4, b=1)],
         ["b", "a"]),
        # Of equal ones: held-out data, then a known word, then the alphabet.
        ([run("ann", a=1, loss=1, val_loss=1, test_x=1)], ["val_loss", "test_x", "loss", "a"]),
        ([run("ann", **{"system/cpu": 1}), run("bob", **{"system/cpu": 1, "z": 1})],
         ["z", "system/cpu"]),
    ],
)  # fmt: skip
def test_the_metric_shown_first_is_that_of_most_students(
    runs: list[LoggedRun], metrics: list[str]
) -> None:
    assert metrics_of(runs) == metrics


def test_parameters_are_those_in_which_runs_differ() -> None:
    runs = [
        run("ann", 1, params={"lr": "0.1", "epochs": "5", "seed": "1"}),
        run("ann", 2, params={"lr": "0.2", "epochs": "5", "seed": "2"}),
        run("bob", 3, params={"lr": "0.1", "epochs": "5"}),
    ]
    assert params_of(runs) == ["lr", "seed"]
    assert params_of([]) == []


@pytest.mark.parametrize(
    ("value", "fit"),
    [(0.0, True), (-1e300, True), (NAN, False), (INF, False), (-INF, False),
     (KEPT_INFINITY, False), (-KEPT_INFINITY, False)],
)  # fmt: skip
def test_what_can_be_compared(value: float, fit: bool) -> None:
    assert usable(value) is fit


# Each row: the runs, and by student the place, the best value, its run's minute, runs, unusable.
@pytest.mark.parametrize(
    ("better", "runs", "found"),
    [
        ("higher", [], {"ann": (None, None, None, 0, 0), "bob": (None, None, None, 0, 0)}),
        ("higher", [run("ann", 1, m=0.5), run("ann", 2, m=0.7), run("bob", 3, m=0.9)],
         {"bob": (1, 0.9, 3, 1, 0), "ann": (2, 0.7, 2, 2, 0)}),
        ("lower", [run("ann", 1, m=0.5), run("ann", 2, m=0.7), run("bob", 3, m=0.9)],
         {"ann": (1, 0.5, 1, 2, 0), "bob": (2, 0.9, 3, 1, 0)}),
        # No number and infinity are never the best, not even where lower is better.
        ("lower", [run("ann", 1, m=NAN), run("ann", 2, m=-INF), run("ann", 3, m=0.5),
                   run("bob", 4, m=-KEPT_INFINITY)],
         {"ann": (1, 0.5, 3, 3, 2), "bob": (None, None, None, 1, 1)}),
        # Runs without the metric count as runs and have no value.
        ("higher", [run("ann", 1, other=1), run("bob", 2, m=0.1), run("bob", 3)],
         {"bob": (1, 0.1, 2, 2, 0), "ann": (None, None, None, 1, 0)}),
        # Whatever a run's state, its value counts.
        ("higher", [run("ann", 1, "FAILED", m=0.8), run("bob", 2, "RUNNING", m=0.6)],
         {"ann": (1, 0.8, 1, 1, 0), "bob": (2, 0.6, 2, 1, 0)}),
        # Equal values share a place, and the earliest run is named.
        ("higher", [run("ann", 9, m=1), run("ann", 5, m=1), run("bob", 3, m=1)],
         {"ann": (1, 1, 5, 2, 0), "bob": (1, 1, 3, 1, 0)}),
        # Runs of anyone else count for nothing.
        ("higher", [run("ann", 1, m=1), run("bob", 2, m=0), run("zoe", 3, m=7)],
         {"ann": (1, 1, 1, 1, 0), "bob": (2, 0, 2, 1, 0)}),
        # Who has runs comes before who has none.
        ("higher", [run("bob", 2)],
         {"bob": (None, None, None, 1, 0), "ann": (None, None, None, 0, 0)}),
    ],
)  # fmt: skip
def test_what_the_runs_of_a_student_come_to(
    better: str, runs: list[LoggedRun], found: dict[str, Any]
) -> None:
    got = results(["ann", "bob"], runs, "m", Better(better))
    assert {
        one.person: (
            one.place,
            one.value,
            int(one.best.name.removeprefix(one.person)) if one.best else None,
            one.runs,
            one.unusable,
        )
        for one in got
    } == found
    assert [one.person for one in got] == list(found), "the order"


@pytest.mark.parametrize(
    ("metrics", "params", "headings"),
    [
        (["loss"], ["lr"], ["loss", "lr"]),
        (["loss", "lr"], ["lr", "seed"], ["loss", "metrics.lr", "params.lr", "seed"]),
        (["Run"], ["State"], ["metrics.Run", "params.State"]),
        ([], [], []),
    ],
)
def test_no_two_columns_have_the_same_name(
    metrics: list[str], params: list[str], headings: list[str]
) -> None:
    assert run_headings(["Account", "Run", "State"], metrics, params) == headings


def test_after_a_tie_the_next_place_is_left_out() -> None:
    runs = [run(person, value, m=value) for person, value in zip("abcd", (2, 5, 2, 1), strict=True)]
    got = results(list("abcd"), runs, "m", Better.HIGHER)
    assert [(one.person, one.place) for one in got] == [("b", 1), ("a", 2), ("c", 2), ("d", 4)]


def test_the_last_run_is_that_of_any_metric() -> None:
    [found] = results(["ann"], [run("ann", 1, m=1), run("ann", 7)], "m", Better.HIGHER)
    assert found.last == NOON + timedelta(minutes=7)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], None),
        ([3.0], Spread(3, 3, 3, 3, 3)),
        ([1.0, 2.0], Spread(1, 1.25, 1.5, 1.75, 2)),
        ([5.0, 1.0, 3.0, 2.0, 4.0], Spread(1, 2, 3, 4, 5)),
        ([1.0, 1.0, 1.0, 9.0], Spread(1, 1, 1, 3, 9)),
    ],
)
def test_quartiles(values: list[float], found: Spread | None) -> None:
    assert spread(values) == found


def test_runs_are_plotted_against_numbers_words_or_when_they_began() -> None:
    runs = [
        run("ann", 1, params={"lr": "1e-3", "opt": "adam", "mix": "1"}, m=1),
        run("bob", 2, params={"lr": "0.1", "opt": "sgd", "mix": "auto"}, m=2),
        run("bob", 3, params={"lr": "0.5"}, m=NAN),
        run("bob", 4, m=4),
    ]
    assert [one.x for one in points(runs, "m", "lr")] == [0.001, 0.1]
    assert [one.x for one in points(runs, "m", "opt")] == ["adam", "sgd"]
    assert [one.x for one in points(runs, "m", "mix")] == ["1", "auto"]
    assert [one.y for one in points(runs, "m", None)] == [1, 2, 4]
    assert points(runs, "m", None)[0].x == (NOON.timestamp() + 60) * 1000
    assert points(runs, "none", "lr") == []


@pytest.mark.parametrize(
    ("values", "wide"),
    [([0.001, 0.1], True), ([1.0, 2.0], False), ([0.0, 100.0], False), ([-1.0, 100.0], False),
     ([], False), ([0.001, "auto"], False)],
)  # fmt: skip
def test_a_logarithmic_axis_is_for_what_spans_magnitudes(
    values: list[float | str], wide: bool
) -> None:
    assert spans_magnitudes(values) is wide


# The page's view -----------------------------------------------------------------------------

PEOPLE = [
    Person(name="ann", display_name="Ann", college="AI"),
    Person(name="bob", display_name="", college=""),
    Person(name="eve", display_name="=cmd()", college=""),
]


def logged(*runs: LoggedRun) -> Logged:
    return Logged(runs, NOON, cut=False)


def test_whatever_is_asked_for_something_is_compared() -> None:
    runs = logged(
        run("ann", 1, params={"lr": "1"}, loss=2), run("bob", 2, params={"lr": "2"}, loss=1)
    )
    for asked, found in (
        (Asked(), ("loss", Better.LOWER, "lr", "")),
        (Asked("loss", "higher", "time"), ("loss", Better.HIGHER, None, "")),
        (Asked("gone", "sideways", "param:gone"), ("loss", Better.LOWER, None, "gone")),
    ):
        got = compare(PEOPLE, runs, asked)
        assert (got.metric, got.better, got.param, got.missing) == found
    nothing = compare(PEOPLE, logged(), Asked("loss"))
    assert (nothing.metric, nothing.spread, nothing.points) == (None, None, [])
    assert len(nothing.silent) == 3


def test_runs_of_who_is_no_student_here_count_for_nothing() -> None:
    got = compare(PEOPLE, logged(run("ta", 1, loss=0), run("ann", 2, loss=5)), Asked())
    assert [one.person for one in got.compared] == ["ann"]
    assert len(got.runs) == 1
    assert "ta1" not in runs_to_csv(got, "en")


def test_many_runs_are_plotted_up_to_a_number_the_newest_first() -> None:
    runs = [run("ann", minute, loss=1.0) for minute in range(MOST_POINTS + 7)][::-1]
    got = compare(PEOPLE, logged(*runs), Asked(against="time"))
    assert len(got.points) == MOST_POINTS
    assert got.left_out == 7
    assert got.points[0].run is runs[0]


@pytest.mark.parametrize(
    ("values", "kind"), [(("0.001", "0.1"), "log"), (("1", "2"), "value"), (("b", "a"), "category")]
)
def test_the_axis_fits_the_parameter(values: tuple[str, str], kind: str) -> None:
    runs = [run("ann", n, params={"p": value}, m=1) for n, value in enumerate(values)]
    chart = json.loads(compare(PEOPLE, logged(*runs), Asked()).scatter_chart(ZoneInfo("UTC"), str))
    assert chart["kind"] == kind
    if kind == "category":
        assert [dot[0] for dot in chart["dots"]] == ["a", "b"]


def test_moments_are_plotted_in_the_sites_zone() -> None:
    got = compare(PEOPLE, logged(run("ann", m=1)), Asked(against="time"))
    chart = json.loads(got.scatter_chart(ZoneInfo("Asia/Shanghai"), lambda moment: "noon"))
    assert chart == {
        "kind": "time",
        "dots": [[(NOON.timestamp() + 8 * 3600) * 1000, 1, "Ann · ann0", "noon"]],
    }


def test_the_spreadsheets_have_everyone_and_every_run() -> None:
    got = compare(
        PEOPLE,
        logged(run("ann", 1, params={"lr": "0.1"}, loss=0.125), run("eve", 2, "FAILED", loss=NAN)),
        Asked(),
    )
    students = list(csv.reader(io.StringIO(to_csv(got, "en").removeprefix("\ufeff"))))
    assert students[1][:8] == ["ann", "Ann", "AI", "1", "loss", "0.125", "ann1", "FINISHED"]
    assert [row[0] for row in students[1:]] == ["ann", "eve", "bob"]
    assert students[2][1] == "'=cmd()", "no formula"
    assert students[2][5] == ""
    runs = list(csv.reader(io.StringIO(runs_to_csv(got, "zh").removeprefix("\ufeff"))))
    assert runs[0][-2:] == ["loss", "lr"]
    assert [row[-2:] for row in runs[1:]] == [["0.125", "0.1"], ["nan", ""]]
