"""`ulab bench tracking`: bare MLflow, its basic-auth, and our gateway, side by side."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import adopt_orphans
from ulab_core.settings import Settings
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.start import nothing_left, scratch, told_to_stop_is_ctrl_c
from ulab_deploy.bench.tracking_artifact import transfer
from ulab_deploy.bench.tracking_load import OPERATIONS, fill, rate
from ulab_deploy.bench.tracking_points import bare_per_s, ulab_per_s
from ulab_deploy.bench.tracking_sides import (
    BARE,
    BASIC_AUTH,
    SIDES,
    STARTERS,
    ULAB,
    Side,
    wait_for_rest,
)
from ulab_deploy.bench.tracking_stores import stores
from ulab_deploy.console import t

MOST_ROUNDS, MOST_SECONDS = 100, 60.0


class BadMeasure(UserError):
    """It can't be measured so often, or for so long."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes
    ----------
    rounds
        How often each operation is measured on each side; the median counts.
    seconds
        How long, each time.
    threads
        Clients at once.
    artifact_mb
        Size of the file, in units of a million bytes.
    steps
        Of the training loop that logs two metrics each step.
    """

    rounds: int = 5
    seconds: float = 2.0
    threads: int = 8
    artifact_mb: int = 600
    steps: int = 10_000


def measure(
    settings: Settings, sizes: Sizes, progress: Progress, database_url: str = ""
) -> dict[str, Any]:
    """Measure the three side by side, in rounds, so that what else the machine does hits all.

    Each is started anew with as many worker processes as `settings` give MLflow, and with a store
    of its own. In each round each operation is asked of one after the other, in another order
    than the round before.

    Parameters
    ----------
    database_url
        An SQLAlchemy address of a PostgreSQL server that may create databases; empty for SQLite.

    Raises
    ------
    BadMeasure, TrackingFailed, NoDatabases
    """
    if not (1 <= sizes.rounds <= MOST_ROUNDS and 0 < sizes.seconds <= MOST_SECONDS):
        raise BadMeasure(
            mark("Give from 1 to {rounds} rounds, and no more than {seconds:g} seconds."),
            rounds=MOST_ROUNDS,
            seconds=MOST_SECONDS,
        )
    mlflow = settings.mlflow.model_copy(
        update={"max_artifact_mb": max(settings.mlflow.max_artifact_mb, sizes.artifact_mb)}
    )
    settings = settings.model_copy(update={"mlflow": mlflow})
    adopt_orphans()
    with told_to_stop_is_ctrl_c(), nothing_left(), ExitStack() as stack:
        urls = stack.enter_context(stores(database_url, SIDES))
        sides: dict[str, Side] = {}
        for name in SIDES:
            progress.stage(_STARTING[name])
            folder = stack.enter_context(scratch())
            sides[name] = stack.enter_context(STARTERS[name](settings, folder, urls[name]))
            fill(sides[name].target)
        progress.stage(mark("Waiting until nothing is being loaded any more…"))
        wait_for_rest(list(sides.values()))
        found: dict[str, Any] = _rates(sides, sizes, progress)
        progress.stage(mark("Sending a large file up and down…"))
        found[f"artifact_{sizes.artifact_mb}mb"] = {
            name: transfer(side.target, [one.pid for one in side.processes], sizes.artifact_mb)
            for name, side in sides.items()
        }
        progress.stage(mark("Logging from a notebook…"))
        found["track"] = _tracked(sides, sizes, stack.enter_context(scratch()))
    return found


_STARTING: Mapping[str, str] = {
    BARE: mark("Starting MLflow without accounts…"),
    BASIC_AUTH: mark("Starting MLflow with its basic-auth…"),
    ULAB: mark("Starting the gateway and its MLflow…"),
}
_MEASURING: Mapping[str, str] = {
    "log_metric": mark("Logging metrics one by one…"),
    "log_batch": mark("Logging metrics by the hundred…"),
    "create_run": mark("Creating runs…"),
    "search": mark("Searching runs…"),
}


def _rates(sides: Mapping[str, Side], sizes: Sizes, progress: Progress) -> dict[str, Any]:
    rates: dict[str, dict[str, list[float]]] = {
        operation: {name: [] for name in sides} for operation in OPERATIONS
    }
    for number in range(sizes.rounds):
        for operation in OPERATIONS:
            progress.stage(_MEASURING[operation])
            shift = number % len(sides)
            for name in (*SIDES[shift:], *SIDES[:shift]):
                target = sides[name].target
                rates[operation][name].append(rate(target, operation, sizes.threads, sizes.seconds))
    return {
        operation: {name: round(statistics.median(own), 1) for name, own in of_sides.items()}
        for operation, of_sides in rates.items()
    }


def _tracked(sides: Mapping[str, Side], sizes: Sizes, folder: Path) -> dict[str, float]:
    return {
        "bare_log_metric_per_s": round(
            bare_per_s(sides[BARE].target, folder, 2 * sizes.seconds), 1
        ),
        "ulab_track_per_s": round(ulab_per_s(sides[ULAB].target, folder, sizes.steps), 1),
    }


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The measurement as a table; ratios are to bare MLflow."""
    yield "", t("bare MLflow"), "basic-auth", "U Lab", t("basic-auth to bare"), t("U Lab to bare")
    titles = {
        "log_metric": t("log-metric"),
        "log_batch": t("log-batch of 100"),
        "create_run": t("create a run"),
        "search": t("search runs"),
    }
    for operation, title in titles.items():
        one = found[operation]
        yield title, *(t("{rate:g} a second", rate=one[name]) for name in SIDES), *_ratios(one)
    for key, value in found.items():
        if not key.startswith("artifact_"):
            continue
        megabytes = key.removeprefix("artifact_").removesuffix("mb")
        for part, title, unit in (
            ("up_s", t("{size} MB file up", size=megabytes), "s"),
            ("down_s", t("{size} MB file down", size=megabytes), "s"),
            ("peak_mb", t("the server's memory meanwhile"), "MB"),
        ):
            part_of = {name: value[name][part] for name in SIDES}
            yield title, *(f"{part_of[name]:g} {unit}" for name in SIDES), *_ratios(part_of)


def _ratios(of_sides: Mapping[str, float]) -> tuple[str, str]:
    bare = of_sides[BARE]
    return f"{of_sides[BASIC_AUTH] / bare:.2f} ×", f"{of_sides[ULAB] / bare:.2f} ×"


def sentences(found: Mapping[str, Any]) -> Iterator[str]:
    track = found["track"]
    yield t(
        "A notebook logs {ulab:.0f} metrics a second with ulab.track(), and {bare:.0f} to bare "
        "MLflow with mlflow.log_metric: {ratio:.0f} times as many.",
        ulab=track["ulab_track_per_s"],
        bare=track["bare_log_metric_per_s"],
        ratio=track["ulab_track_per_s"] / track["bare_log_metric_per_s"],
    )
