"""A student's notebook: plain MLflow and `ulab.track()`, as a process of its own in a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from integration.mlflow_support import VISION, Site

PLAIN = """
import mlflow
with mlflow.start_run(run_name="first"):
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", 0.5)
    mlflow.log_text("hello", "notes.txt")
print(mlflow.last_active_run().info.run_id)
"""

TRACKED = """
import ulab, mlflow
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
with ulab.track("second", lr=0.1, epochs=700) as run:
    for epoch in range(700):
        run.log(loss=1 / (epoch + 1), accuracy=0.5)
    run.figure(plt.figure(), "curve")
assert mlflow.active_run() is None
print(run.run_id)
"""


def python(
    site: Site | None, folder: Path, code: str, person: str = "lin", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `code` as this person's kernel would."""
    ours = {
        "JUPYTERHUB_USER": person,
        "ULAB_LANGUAGE": "en",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    }
    if site is not None:
        ours |= {
            "MLFLOW_TRACKING_URI": site.tracking_uri,
            "MLFLOW_TRACKING_TOKEN": site.token(person),
        }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "ULAB_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=kept | ours | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An assignment's folder, as fetching it leaves it."""
    marker = {"course": VISION, "assignment": "garments", "language": "zh"}
    (tmp_path / ".ulab.json").write_text(json.dumps(marker))
    return tmp_path


def run_of(site: Site, person: str, run_id: str) -> dict[str, object]:
    with site.client(person) as client:
        answer = client.get("/api/2.0/mlflow/runs/get", params={"run_id": run_id})
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()["run"]
        return found


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_plain_mlflow_lands_in_the_own_experiment(mlflow_site: Site, folder: Path) -> None:
    run = run_of(mlflow_site, "lin", last_line(python(mlflow_site, folder, PLAIN)))
    assert run["info"]["experiment_id"] == mlflow_site.experiment_of("lin")
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert tags["ulab.course"] == VISION
    assert tags["ulab.assignment"] == "garments"
    assert tags["mlflow.user"] == "lin"
    with mlflow_site.client("lin") as client:
        listed = client.get(
            "/api/2.0/mlflow/artifacts/list", params={"run_id": run["info"]["run_id"]}
        )
        assert [found["path"] for found in listed.json()["files"]] == ["notes.txt"]


def test_track_sends_every_number_in_few_requests(mlflow_site: Site, folder: Path) -> None:
    run = run_of(mlflow_site, "lin", last_line(python(mlflow_site, folder, TRACKED)))
    assert run["info"]["status"] == "FINISHED"
    assert {p["key"]: p["value"] for p in run["data"]["params"]} == {"lr": "0.1", "epochs": "700"}
    last = {m["key"]: m for m in run["data"]["metrics"]}
    assert last["loss"]["step"] == 699
    with mlflow_site.client("lin") as client:
        asked = {"run_id": run["info"]["run_id"], "metric_key": "loss", "max_results": 1000}
        history = client.get("/api/2.0/mlflow/metrics/get-history", params=asked).json()
        assert [m["step"] for m in history["metrics"]] == list(range(700))


def test_outside_an_assignment_a_sentence_says_where_to_run_it(
    mlflow_site: Site, tmp_path: Path
) -> None:
    plain = python(mlflow_site, tmp_path, PLAIN)
    assert plain.returncode != 0
    assert "from the folder of an assignment" in plain.stderr
    tracked = python(mlflow_site, tmp_path, TRACKED)
    assert last_line(tracked) == "None"
    assert "from the folder of an assignment" in tracked.stderr
    assert "This run is not recorded" in tracked.stderr
    assert "INVALID_PARAMETER_VALUE" not in tracked.stderr


def test_who_is_not_in_the_course_is_told_so(mlflow_site: Site, folder: Path) -> None:
    done = python(mlflow_site, folder, TRACKED, person="stranger")
    assert last_line(done) == "None"
    assert VISION in done.stderr


def test_a_failed_run_is_marked_and_the_error_is_shown(mlflow_site: Site, folder: Path) -> None:
    code = """
import ulab
try:
    with ulab.track("broken") as run:
        run.log(loss=1.0)
        1 / 0
except ZeroDivisionError:
    print(run.run_id)
"""
    run = run_of(mlflow_site, "lin", last_line(python(mlflow_site, folder, code)))
    assert run["info"]["status"] == "FAILED"


def test_grading_sends_nothing_and_does_not_fail(folder: Path) -> None:
    nowhere = "http://127.0.0.1:9/services/mlflow"
    done = python(None, folder, TRACKED, ULAB_GRADING="1", MLFLOW_TRACKING_URI=nowhere)
    assert last_line(done) == "None"
    assert done.stderr == ""


def test_without_a_server_the_notebook_goes_on(folder: Path) -> None:
    code = "import ulab\nwith ulab.track() as run:\n    run.log(loss=1)\nprint(run.run_id)"
    done = python(None, folder, code)
    assert last_line(done) == "None"
    assert "There is no tracking server here." in done.stderr
