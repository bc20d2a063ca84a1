"""A team's export in a plain MLflow without U Lab: the same runs, files and models, one by one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from integration.hub_stub import free_port
from integration.team_support import (
    API,
    CARD,
    TEAM,
    THIRD,
    Teams,
    experiment,
    log_run,
    register,
    running_teams,
)
from sqlalchemy import select
from typer.testing import CliRunner

from ulab_core.models import AuditEntry
from ulab_deploy.cli import build
from ulab_mlflow.export import kept_files
from ulab_mlflow.export_archive import archive
from ulab_mlflow.names import WORKSPACE_HEADER

FOREIGN = "MARKER-OF-ANOTHER-TEAM"
# Two servers and a dozen programs are started for these.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teams]:
    with running_teams(tmp_path_factory.mktemp("teams")) as found:
        fill(found)
        yield found


def fill(teams: Teams) -> None:
    """What an export must hold besides, and what it must not."""
    with teams.site.client("lin", TEAM) as lin:
        number = experiment(lin, "nightly")
        promoted = {"name": "day-ahead", "alias": "champion", "version": teams.number}
        assert lin.post(f"{API}/registered-models/alias", json=promoted).status_code == 200
        gone = log_run(lin, number, "deleted", {"kept.txt": b"still here"})
        assert lin.post(f"{API}/runs/delete", json={"run_id": gone}).status_code == 200
        many = log_run(lin, number, "many points", {})
        for start in range(0, 5000, 1000):
            points = [
                {"key": "long", "value": step / 7, "timestamp": step, "step": step}
                for step in range(start, start + 1000)
            ]
            asked = {"run_id": many, "metrics": points}
            assert lin.post(f"{API}/runs/log-batch", json=asked).status_code == 200
        odd = [
            {"key": "odd", "value": value, "timestamp": 1, "step": step}
            for step, value in enumerate(("NaN", "Infinity", "-Infinity"))
        ]
        assert lin.post(f"{API}/runs/log-batch", json={"run_id": many, "metrics": odd}).is_success
        removed = experiment(lin, "removed")
        log_run(lin, removed, "of a removed experiment", {})
        asked = {"experiment_id": removed}
        assert lin.post(f"{API}/experiments/delete", json=asked).status_code == 200
    log_in_mlflows_format(teams)
    with teams.site.client("sun", THIRD) as sun:
        number = experiment(sun, FOREIGN)
        run = log_run(sun, number, FOREIGN, {f"{FOREIGN}.txt": FOREIGN.encode()}, lr=FOREIGN)
        register(sun, run, FOREIGN, f"{FOREIGN}.txt", **(CARD | {"licence": FOREIGN}))


def log_in_mlflows_format(teams: Teams) -> None:
    """A logged model and a trace, as a member's program makes them."""
    code = """
import mlflow, numpy as np
from sklearn.linear_model import LinearRegression
mlflow.set_experiment("nightly")
with mlflow.start_run(run_name="fitted"):
    fitted = LinearRegression().fit(np.eye(2), [0.0, 1.0])
    mlflow.sklearn.log_model(fitted, name="fitted", registered_model_name="fitted")
@mlflow.trace
def answer(x): return x + 1
answer(41)
mlflow.flush_trace_async_logging()
"""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "ULAB_"))}
    ours = {
        "MLFLOW_TRACKING_URI": teams.site.tracking_uri,
        "MLFLOW_TRACKING_TOKEN": teams.site.token("lin"),
        "MLFLOW_WORKSPACE": TEAM,
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=kept | ours, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def command(teams: Teams, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`ulab` on this base."""
    monkeypatch.chdir(tmp_path)
    state = str(teams.site.settings.server.state_dir)
    monkeypatch.setenv("ULAB_SERVER__STATE_DIR", state)


def ulab(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["--language", "en", "team", *arguments])


def said(*arguments: str) -> Any:
    shown = ulab(*arguments, "--json")
    assert shown.exit_code == 0, shown.output + str(shown.exception)
    return json.loads(shown.output)


@contextmanager
def plain_mlflow(folder: Path) -> Iterator[httpx.Client]:
    """MLflow's own server on an export, started as the export's README says."""
    readme = (folder / "README.md").read_text("utf-8")
    [line] = {line.strip() for line in readme.splitlines() if "mlflow server" in line}
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "ULAB_"))}
    with (folder.parent / "plain.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *line.split(), "--port", str(port), "--workers", "1"],
            cwd=folder,
            env=kept,
            stdout=log,
            stderr=log,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                until = time.monotonic() + 120
                while time.monotonic() < until and process.poll() is None:
                    try:
                        client.get("/health").raise_for_status()
                        break
                    except httpx.TransportError:
                        time.sleep(0.3)
                assert process.poll() is None, (folder.parent / "plain.log").read_text()
                yield client
        finally:
            process.terminate()
            process.wait(30)


def everything(client: httpx.Client) -> dict[str, Any]:
    """All that MLflow tells of experiments, runs, metrics, files, models and traces."""
    headers = client.headers

    def ask(path: str, key: str, **values: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            asked = values | {"max_results": 1000} | ({"page_token": token} if token else {})
            answer = client.get(f"{API}/{path}", params=asked, headers=headers)
            assert answer.status_code == 200, answer.text
            found += answer.json().get(key, [])
            token = answer.json().get("next_page_token", "")
            if not token:
                return found

    told: dict[str, Any] = {"runs": {}, "models": {}, "files": {}}
    experiments = ask("experiments/search", "experiments", view_type="ALL")
    told["experiments"] = {
        (one["experiment_id"], one["name"].replace(f" ({TEAM})", ""), one["lifecycle_stage"]): {
            tag["key"]: tag["value"] for tag in one.get("tags", [])
        }
        for one in experiments
        if one["experiment_id"] != "0"
    }
    ids = [one["experiment_id"] for one in experiments]
    asked = {"experiment_ids": ids, "run_view_type": "ALL", "max_results": 1000}
    for run in client.post(f"{API}/runs/search", json=asked).json()["runs"]:
        run_id = run["info"]["run_id"]
        run["info"].pop("artifact_uri")
        histories = {
            one["key"]: ask("metrics/get-history", "metrics", run_id=run_id, metric_key=one["key"])
            for one in run["data"].get("metrics", [])
        }
        full = client.get(f"{API}/runs/get", params={"run_id": run_id}).json()["run"]
        told["runs"][run_id] = (run["info"], _sorted(run["data"]), _sorted(histories))
        told["runs"][run_id] += (_sorted(full.get("inputs", {})), _sorted(full.get("outputs", {})))
        told["files"] |= files(client, run_id)
    for one in ask("registered-models/search", "registered_models"):
        told["models"][one["name"]] = sorted(
            (alias["alias"], alias["version"]) for alias in one.get("aliases", [])
        )
    for one in ask("model-versions/search", "model_versions"):
        for field in ("source", "run_link"):
            one.pop(field, None)
        told["models"][one["name"], one["version"]] = _sorted(one)
        where = {"name": one["name"], "version": one["version"]}
        for path in ("MLmodel", "weights.pt"):
            found = client.get("/model-versions/get-artifact", params=where | {"path": path})
            if found.status_code == 200:
                told["files"][one["name"], one["version"], path] = found.content
    traces = client.get(f"{API}/traces", params={"experiment_ids": ids, "max_results": 100})
    told["traces"] = {
        one["request_id"]: (one.get("status"), one.get("execution_time_ms"))
        for one in traces.json().get("traces", [])
    }
    for trace_id in told["traces"]:
        spans = client.get(
            "/ajax-api/2.0/mlflow/get-trace-artifact", params={"request_id": trace_id}
        )
        assert spans.status_code == 200, spans.text
        told["files"][trace_id, "spans"] = spans.content
    return told


def _sorted(value: Any) -> Any:
    """Lists in MLflow's answers have no order."""
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(one) for one in value), key=lambda one: json.dumps(one))
    return value


def files(client: httpx.Client, run_id: str, folder: str = "") -> dict[Any, bytes]:
    found: dict[Any, bytes] = {}
    asked = {"run_id": run_id} | ({"path": folder} if folder else {})
    for one in client.get(f"{API}/artifacts/list", params=asked).json().get("files", []):
        if one.get("is_dir"):
            found |= files(client, run_id, one["path"])
            continue
        answer = client.get("/get-artifact", params={"run_id": run_id, "path": one["path"]})
        assert answer.status_code == 200, answer.text
        found[run_id, one["path"]] = answer.content
    return found


@pytest.mark.usefixtures("command")
def test_a_plain_mlflow_shows_the_same_and_nothing_of_others(teams: Teams, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    told = said("export", TEAM, str(folder))
    with teams.site.client("lin", TEAM) as client:
        assert client.headers[WORKSPACE_HEADER] == TEAM
        ours = everything(client)
    with plain_mlflow(folder) as client:
        plain = everything(client)
    assert len(ours["runs"]) == 6
    assert len(ours["runs"]) == told["runs"]
    assert len(ours["traces"]) == told["traces"] == 1
    assert any(info["lifecycle_stage"] == "deleted" for info, *_ in ours["runs"].values())
    assert max(len(h.get("long", [])) for _, _, h, *_ in ours["runs"].values()) == 5000
    assert ours["models"]["day-ahead"] == [("champion", "1")]
    assert {path for *_, path in ours["files"]} >= {
        *("kept.txt", "model/weights.pt", "MLmodel", "spans")
    }
    for part, found in ours.items():
        assert plain[part] == found, part
    summary = json.loads((folder / "export.json").read_text("utf-8"))
    assert summary["runs"] == told["runs"]
    assert sorted(one.name for one in folder.iterdir()) == [
        *("README.md", "artifacts", "export.json", "mlflow.db")
    ]
    for file in (one for one in folder.rglob("*") if one.is_file()):
        assert FOREIGN.encode() not in file.read_bytes(), file
        assert FOREIGN not in str(file)
    # The marker is where it should be, so that it would have been found.
    live = teams.site.settings.server.state_dir / "mlflow"
    assert any(FOREIGN.encode() in file.read_bytes() for file in live.glob("mlflow.sqlite*"))
    assert list(live.rglob(f"{FOREIGN}.txt"))
    assert not list((live / "tmp").glob("export-*"))
    with teams.site.database.read() as session:
        noted = session.scalars(
            select(AuditEntry.target).where(AuditEntry.action == "team.export")
        ).all()
    assert TEAM in noted


@pytest.mark.usefixtures("command")
def test_a_folder_with_something_in_it_is_left_alone(teams: Teams, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    shown = ulab("export", TEAM, str(folder))
    assert shown.exit_code != 0
    assert "is not empty" in shown.output
    assert [one.name for one in folder.iterdir()] == ["thesis.txt"]
    (folder / "thesis.txt").unlink()
    assert ulab("export", TEAM, str(folder)).exit_code == 0
    assert (folder / "mlflow.db").exists()
    shown = ulab("export", "nobody", str(tmp_path / "other"))
    assert "There is no team nobody." in shown.output
    assert not (tmp_path / "other").exists()


def test_an_owner_downloads_the_same_as_an_archive(teams: Teams, tmp_path: Path) -> None:
    lin = teams.browser("lin")
    answer = lin.act(f"teams/{TEAM}/export.tar")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{TEAM}-mlflow.tar"'
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as opened:
        opened.extractall(tmp_path, filter="data")
    folder = tmp_path / TEAM
    settings = teams.site.settings
    expected = {path: file.read_bytes() for path, file, _ in kept_files(settings, TEAM)}
    found = {
        file.relative_to(folder / "artifacts").as_posix(): file.read_bytes()
        for file in (folder / "artifacts").rglob("*")
        if file.is_file()
    }
    assert found == expected
    assert len(found) > 5
    with plain_mlflow(folder) as client, teams.site.client("lin", TEAM) as ours:
        assert everything(client) == everything(ours)
    assert FOREIGN.encode() not in answer.content
    assert not list((settings.server.state_dir / "mlflow" / "tmp").glob("export-*"))


@pytest.mark.parametrize("person", ["wang", "prof", "formerly", "gina", "stranger", "root"])
def test_only_an_owner_downloads_it(teams: Teams, person: str) -> None:
    browser = teams.browser(person)
    answer = browser.act(f"teams/{TEAM}/export.tar")
    assert answer.status_code == 403
    assert "Download the archive" not in browser.see(f"teams/{TEAM}").text


def test_another_sites_page_starts_no_download(teams: Teams) -> None:
    lin = teams.browser("lin")
    address = f"/services/ulab/teams/{TEAM}/export.tar"
    assert lin.post(address, data={}).status_code == 403
    assert lin.get(address).status_code == 405


def test_the_archive_is_made_in_small_parts_and_leaves_nothing(teams: Teams) -> None:
    large = next(teams.kept.glob(f"*/{teams.run}")) / "artifacts" / "large.bin"
    with large.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    room = teams.site.settings.server.state_dir / "mlflow" / "tmp"
    left = [room / "export-of-a-killed-portal", room / "export-of-another-reader"]
    for folder in left:
        folder.mkdir(parents=True)
    two_days_ago = time.time() - 2 * 86400
    os.utime(left[0], (two_days_ago, two_days_ago))
    try:
        parts = archive(teams.site.settings, TEAM)
        first = next(parts)
        assert [folder.exists() for folder in left] == [False, True]
        left[1].rmdir()
        assert list(room.glob("export-*")), "the database waits there"
        sizes = [len(first), *(len(part) for part in parts)]
        assert sum(sizes) > 64 * 1024 * 1024
        assert max(sizes) <= 1024 * 1024
        assert not list(room.glob("export-*"))
        # A reader who leaves in the middle ends it.
        parts = archive(teams.site.settings, TEAM)
        next(parts)
        del parts
        assert not list(room.glob("export-*"))
    finally:
        large.unlink()


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from ulab_deploy.cli import main
sys.argv = ["ulab", "--language", "en", "team", "export", "windfarm", sys.argv[2]]
main()
"""


@pytest.mark.parametrize("limit", [100_000, 3_000_000])
def test_a_full_disk_leaves_nothing_half(teams: Teams, tmp_path: Path, limit: int) -> None:
    """A limit on files stands for the disk: first the database, then a file meets it."""
    large = next(teams.kept.glob(f"*/{teams.run}")) / "artifacts" / "large.bin"
    large.write_bytes(os.urandom(4_000_000))
    try:
        state = str(teams.site.settings.server.state_dir)
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(limit), str(tmp_path / "out" / "export")],
            env=os.environ | {"ULAB_SERVER__STATE_DIR": state},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        large.unlink()
    assert done.returncode != 0
    assert "The disk is full" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
    assert not list((teams.site.settings.server.state_dir / "mlflow" / "tmp").glob("export-*"))
