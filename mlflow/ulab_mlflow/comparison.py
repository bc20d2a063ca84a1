"""How the runs of a class compare: decisions alone, from runs to rows, numbers and points."""

from __future__ import annotations

import enum
import math
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

# MLflow's database has no infinity and keeps its largest number instead.
_LARGEST = 1.7e308
_LESS_IS_BETTER = frozenset({
    "cer", "deviation", "distance", "duration", "err", "error", "errors", "fid", "hamming",
    "latency", "loss", "mae", "mape", "mse", "msle", "nll", "penalty", "perplexity", "ppl",
    "regret", "residual", "rmse", "rmsle", "runtime", "seconds", "smape", "time", "wape", "wer",
})  # fmt: skip
_MORE_IS_BETTER = frozenset({
    "acc", "accuracy", "ap", "auc", "auroc", "bleu", "dice", "f1", "f2", "iou", "jaccard", "kappa",
    "map", "miou", "precision", "psnr", "r2", "recall", "reward", "rouge", "score", "sensitivity",
    "specificity", "ssim",
})  # fmt: skip
_HELD_OUT = frozenset(["val", "valid", "validation", "test", "eval", "dev", "holdout"])
_SYSTEM = "system/"


class Better(enum.StrEnum):
    """Which end of a metric is the good one."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True)
class LoggedRun:
    """A run of a student, as far as comparing needs it.

    Attributes
    ----------
    person
        Whose experiment it lies in, whatever the run itself claims.
    metrics
        Name to the last value.
    """

    person: str
    experiment: str
    id: str
    name: str
    status: str
    started: datetime | None
    metrics: Mapping[str, float]
    params: Mapping[str, str]


class Result(NamedTuple):
    """What one student's runs come to.

    Attributes
    ----------
    place
        1 for the best, the same for equal values; None without a value.
    value
        The best; None when no run has a number of this metric.
    best
        The run that has it: of equal ones the earliest.
    unusable
        How many runs have this metric as no number or as infinite.
    """

    person: str
    place: int | None
    value: float | None
    best: LoggedRun | None
    runs: int
    last: datetime | None
    unusable: int


class Spread(NamedTuple):
    """The quartiles of a class's best values, interpolated, the ends included."""

    lowest: float
    lower: float
    median: float
    upper: float
    highest: float


class Point(NamedTuple):
    """One run in the plot of something against the metric."""

    run: LoggedRun
    x: float | str
    y: float


def words_of(metric: str) -> list[str]:
    """The words in a metric's name.

    Examples
    --------
    >>> words_of("val_meanSquaredError@5")
    ['val', 'mean', 'squared', 'error', '5']
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", metric)
    return re.findall(r"[a-z]+[0-9]?(?![a-z])|[a-z]+|[0-9]+", apart.lower())


def better_of(metric: str) -> Better:
    """Which end is better, as far as the name tells; more where it tells nothing."""
    words = words_of(metric)
    # The last word says what it is: "loss_accuracy" is an accuracy, "score_error" an error.
    for word in reversed(words):
        if word in _LESS_IS_BETTER:
            return Better.LOWER
        if word in _MORE_IS_BETTER:
            return Better.HIGHER
    return Better.HIGHER


def metrics_of(runs: Iterable[LoggedRun]) -> list[str]:
    """The metrics of a class, the one to show first at the front.

    That is the one most students logged, so that nobody's hundred runs decide it. Of equal ones it
    is one of held-out data, then one whose good end is known; a machine's own come last.
    """
    students: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for metric in run.metrics:
            students[metric].add(run.person)

    def order(metric: str) -> tuple[bool, int, bool, bool, str]:
        words = set(words_of(metric))
        held_out, known = words & _HELD_OUT, words & (_MORE_IS_BETTER | _LESS_IS_BETTER)
        return (
            metric.startswith(_SYSTEM), -len(students[metric]), not held_out, not known, metric,
        )  # fmt: skip

    return sorted(students, key=order)


def params_of(runs: Iterable[LoggedRun]) -> list[str]:
    """The parameters in which runs differ, those that most students logged first."""
    students: dict[str, set[str]] = defaultdict(set)
    values: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for param, value in run.params.items():
            students[param].add(run.person)
            values[param].add(value)
    differing = (param for param, found in values.items() if len(found) > 1)
    return sorted(differing, key=lambda param: (-len(students[param]), param))


def usable(value: float) -> bool:
    """Whether a value can be compared: no number and infinity can't."""
    return math.isfinite(value) and abs(value) < _LARGEST


def results(
    students: Sequence[str], runs: Iterable[LoggedRun], metric: str | None, better: Better
) -> list[Result]:
    """What each student's runs come to: the best first, then those without a value by name.

    Runs of anyone else count for nothing. A run counts whatever its state: who stops training by
    hand has a failed run with a good value.
    """
    by_person: dict[str, list[LoggedRun]] = {person: [] for person in students}
    for run in runs:
        if run.person in by_person:
            by_person[run.person].append(run)
    sign = -1.0 if better is Better.HIGHER else 1.0
    found = []
    for person, own in by_person.items():
        with_metric = [run for run in own if metric is not None and metric in run.metrics]
        compared = [run for run in with_metric if usable(run.metrics[metric or ""])]
        best = min(
            compared,
            key=lambda run: (sign * run.metrics[metric or ""], _when(run), run.id),
            default=None,
        )
        found.append(
            Result(
                person=person,
                place=None,
                value=best.metrics[metric or ""] if best else None,
                best=best,
                runs=len(own),
                last=max((run.started for run in own if run.started), default=None),
                unusable=len(with_metric) - len(compared),
            )
        )
    found.sort(
        key=lambda one: (
            one.value is None,
            sign * one.value if one.value is not None else 0.0,
            not one.runs,
            one.person,
        )
    )
    return _placed(found)


def spread(values: Iterable[float]) -> Spread | None:
    """The quartiles of values; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    if len(ordered) == 1:
        return Spread(*ordered * 5)
    lower, median, upper = statistics.quantiles(ordered, n=4, method="inclusive")
    return Spread(ordered[0], lower, median, upper, ordered[-1])


def points(runs: Iterable[LoggedRun], metric: str, against: str | None) -> list[Point]:
    """The runs that have the metric and the parameter; None is when they began.

    `Point.x` is a number where every run's is one, milliseconds for a moment, and text elsewhere.
    """
    compared = [run for run in runs if usable(run.metrics.get(metric, math.nan))]
    if against is None:
        return [
            Point(run, run.started.timestamp() * 1000, run.metrics[metric])
            for run in compared
            if run.started
        ]
    having = [run for run in compared if against in run.params]
    numbers = [_number(run.params[against]) for run in having]
    if any(number is None for number in numbers):
        return [Point(run, run.params[against], run.metrics[metric]) for run in having]
    return [
        Point(run, number, run.metrics[metric])
        for run, number in zip(having, numbers, strict=True)
        if number is not None
    ]


def spans_magnitudes(values: Sequence[float | str]) -> bool:
    """Whether numbers are better told apart on a logarithmic axis, as learning rates are."""
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values) or not numbers or min(numbers) <= 0:
        return False
    return max(numbers) / min(numbers) >= 50


def _placed(ordered: list[Result]) -> list[Result]:
    found: list[Result] = []
    for number, one in enumerate(ordered, start=1):
        if one.value is None:
            found.append(one)
        elif found and found[-1].value == one.value:
            found.append(one._replace(place=found[-1].place))
        else:
            found.append(one._replace(place=number))
    return found


def _when(run: LoggedRun) -> float:
    return run.started.timestamp() if run.started else math.inf


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if usable(number) else None
