"""How many metrics a notebook gets logged: one call of MLflow each, and with `ulab.track()`.

Run as a program in the environment of a student's kernel. It prints one JSON value.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ulab_deploy.bench.hub_process import without_own_variables
from ulab_deploy.bench.tracking_load import API, PATIENCE_S, Connection, Target, failed
from ulab_deploy.bench.tracking_sides import COURSE, STUDENT
from ulab_mlflow.marker import FILE

NAME = "points"
EACH_STEP = 2
LOOK_S = 0.05
WARM_UP = 10


def one_by_one(seconds: float) -> dict[str, float]:
    """Log to MLflow as its documentation shows it."""
    import mlflow

    mlflow.set_experiment("log")
    with mlflow.start_run(run_name=NAME):
        for step in range(WARM_UP):
            mlflow.log_metric("warm", 0.5, step=step)
        begun, count = time.time(), 0
        while time.time() - begun < seconds:
            mlflow.log_metric("loss", 1 / (count + 1), step=count)
            count += 1
        return {"per_s": count / (time.time() - begun)}


def tracked(steps: int) -> dict[str, float]:
    """Log as a lab does it."""
    import ulab

    with ulab.track("warm") as run:
        for _ in range(WARM_UP):
            run.log(loss=0.5, accuracy=0.5)
    begun = time.time()
    with ulab.track(NAME) as run:
        for step in range(1, steps + 1):
            run.log(loss=1 / step, accuracy=1 - 1 / step)
    return {"begun": begun}


def bare_per_s(target: Target, folder: Path, seconds: float) -> float:
    """Metrics a second with ``mlflow.log_metric``.

    Raises
    ------
    TrackingFailed
    """
    said = _run(folder, {"MLFLOW_TRACKING_URI": target.url}, "bare", str(seconds))
    return float(said["per_s"])


def ulab_per_s(target: Target, folder: Path, steps: int) -> float:
    """Metrics a second with ``ulab.track()``, until the server has the last of them.

    Raises
    ------
    TrackingFailed
    """
    place = {"course": COURSE, "assignment": "log"}
    (folder / FILE).write_text(json.dumps(place), encoding="utf-8")
    variables = {
        "MLFLOW_TRACKING_URI": target.url,
        "MLFLOW_TRACKING_TOKEN": target.headers["authorization"].split()[1],
        "JUPYTERHUB_USER": STUDENT,
        "ULAB_LANGUAGE": "en",
    }
    begun = float(_run(folder, variables, "ulab", str(steps))["begun"])
    # It may send the rest after the notebook has gone on.
    until = time.monotonic() + PATIENCE_S
    connection = Connection(target)
    while time.monotonic() < until:
        if _last_step(connection, target) >= steps - 1:
            over = time.time()
            connection.http.close()
            return steps * EACH_STEP / (over - begun)
        time.sleep(LOOK_S)
    raise failed(NAME, f"{_last_step(connection, target)} / {steps}")


def _last_step(connection: Connection, target: Target) -> int:
    asked = {
        "experiment_ids": [target.experiments["log"]],
        "filter": f"attributes.run_name = '{NAME}'",
        "order_by": ["attributes.start_time DESC"],
        "max_results": 1,
    }
    runs = connection.post(f"{API}/runs/search", asked).get("runs", [])
    metrics = runs[0]["data"].get("metrics", []) if runs else []
    return min((int(one["step"]) for one in metrics), default=-1) if len(metrics) > 1 else -1


def _run(folder: Path, variables: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__, *arguments],
        cwd=folder,
        env=without_own_variables(os.environ) | {"HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise failed(NAME, done.stderr[-2000:])
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    how, much = sys.argv[1:]
    print(json.dumps(one_by_one(float(much)) if how == "bare" else tracked(int(much))))
