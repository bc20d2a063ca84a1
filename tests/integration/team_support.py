"""A team with a run and a model in a real MLflow, and the portal over it, for tests of teams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from integration.mlflow_support import Site, running_site
from integration.portal_support import Browser, KnownPeople
from starlette.applications import Starlette

from ulab_core.team_models import TeamRole
from ulab_coursework.courses import ensure_person
from ulab_portal.app import create_app
from ulab_teams.teams import create_team, remove_member, set_member

API = "/api/2.0/mlflow"
TEAM, AUDIENCE, THIRD = "windfarm", "grid", "solar"
SECRET = "MARKER-OF-THE-WHOLE-WORKSPACE"
SCRIPT = "<script>alert(1)</script>"
CARD = {
    "data_revision": "elecdemand@v1",
    "code_sha256": "a" * 64,
    "licence": "Apache-2.0",
    "owner": "lin",
    "intended_use": "day-ahead forecasts",
}
# Whom the leak tests ask: what each is, and whether a link for AUDIENCE or for everyone shows them
# anything.
DISPLAY_NAMES = {"wang": "王芳"}
PEOPLE = {
    "lin": "owner",
    "wang": "member",
    "prof": "mentor",
    "formerly": "ex-member",
    "gina": "member of the audience",
    "gone": "ex-member of the audience",
    "sun": "member of a third team",
    "stranger": "outsider",
    "root": "administrator",
}


@dataclass
class Teams:
    """The base with three teams.

    Attributes
    ----------
    run, other_run
        Runs of `TEAM`; the second is never shared.
    """

    site: Site
    app: Starlette
    run: str = ""
    other_run: str = ""
    number: str = ""

    def browser(self, person: str, language: str = "en") -> Browser:
        return Browser(self.app, person, language)

    @property
    def kept(self) -> Path:
        """Where MLflow keeps the files of `TEAM`."""
        state = self.site.settings.server.state_dir
        return state / "mlflow" / "artifacts" / "workspaces" / TEAM


def experiment(client: httpx.Client, name: str) -> str:
    client.post(f"{API}/experiments/create", json={"name": name})
    found = client.get(f"{API}/experiments/get-by-name", params={"experiment_name": name})
    assert found.status_code == 200, found.text
    return str(found.json()["experiment"]["experiment_id"])


def log_run(
    client: httpx.Client, experiment_id: str, name: str, files: dict[str, bytes], **params: str
) -> str:
    """A finished run with a metric of 40 steps, parameters, a data set, tags and files."""
    asked: dict[str, Any] = {"experiment_id": experiment_id, "start_time": 1000, "run_name": name}
    made = client.post(f"{API}/runs/create", json=asked)
    assert made.status_code == 200, made.text
    run_id = str(made.json()["run"]["info"]["run_id"])
    steps = [
        {"key": "loss", "value": 1 / (step + 1), "timestamp": step, "step": step}
        for step in range(40)
    ]
    batch = {
        "run_id": run_id,
        "metrics": [*steps, {"key": "mae", "value": 0.125, "timestamp": 1, "step": 0}],
        "params": [{"key": key, "value": value} for key, value in params.items()],
        "tags": [
            {"key": "stage", "value": SCRIPT},
            {"key": "mlflow.source.name", "value": "/home/lin/private/notebook.ipynb"},
        ],
    }
    data = {
        "name": "elecdemand",
        "digest": "1f2e",
        "source_type": "http",
        "source": json.dumps({"url": "https://example.org/elecdemand.csv"}),
    }
    inputs = {"run_id": run_id, "datasets": [{"dataset": data, "tags": []}]}
    for path, body in (("runs/log-batch", batch), ("runs/log-inputs", inputs)):
        answer = client.post(f"{API}/{path}", json=body)
        assert answer.status_code == 200, answer.text
    for path, content in files.items():
        where = f"/api/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/{path}"
        answer = client.put(where, content=content)
        assert answer.status_code == 200, answer.text
    ended = {"run_id": run_id, "status": "FINISHED", "end_time": 61000}
    assert client.post(f"{API}/runs/update", json=ended).status_code == 200
    return run_id


def register(client: httpx.Client, run_id: str, model: str, path: str, **card: str) -> str:
    """A version of a model made of what a run kept at `path`."""
    run = client.get(f"{API}/runs/get", params={"run_id": run_id}).json()["run"]
    client.post(f"{API}/registered-models/create", json={"name": model})
    asked = {
        "name": model,
        "source": f"{run['info']['artifact_uri']}/{path}",
        "run_id": run_id,
        "tags": [{"key": f"ulab.card.{key}", "value": text} for key, text in card.items()],
    }
    made = client.post(f"{API}/model-versions/create", json=asked)
    assert made.status_code == 200, made.text
    return str(made.json()["model_version"]["version"])


def fill_teams(site: Site) -> None:
    """Three teams, and people who were in them."""
    with site.database.write() as session:
        for name in PEOPLE:
            ensure_person(session, name, display_name=DISPLAY_NAMES.get(name, ""))
        create_team(session, TEAM, "Wind farm", "", "lin", "test")
        create_team(session, AUDIENCE, "Grid", "", "gina", "test")
        create_team(session, THIRD, "Solar", "", "sun", "test")
        set_member(session, TEAM, "wang", TeamRole.MEMBER, "test")
        set_member(session, TEAM, "prof", TeamRole.MENTOR, "test")
        for name, team in (("formerly", TEAM), ("gone", AUDIENCE)):
            set_member(session, team, name, TeamRole.MEMBER, "test")
            remove_member(session, team, name, "test")


@contextmanager
def running_teams(folder: Path) -> Iterator[Teams]:
    with running_site(folder) as site:
        fill_teams(site)
        teams = Teams(site, create_app(site.settings, KnownPeople()))
        with site.client("lin", TEAM) as client:
            number = experiment(client, "day-ahead")
            files = {
                "notes.txt": b"shared notes",
                "page.html": f"<html>{SCRIPT}</html>".encode(),
                "model/weights.pt": bytes(range(256)) * 64,
                "模型 说明.txt": "你好".encode(),
            }
            teams.run = log_run(client, number, "small network", files, lr="0.1", note=SCRIPT)
            secret = {"secret.txt": SECRET.encode(), "model/weights.pt": SECRET.encode()}
            teams.other_run = log_run(client, number, SECRET, secret, lr=SECRET)
            teams.number = register(client, teams.run, "day-ahead", "model", **CARD)
        yield teams
