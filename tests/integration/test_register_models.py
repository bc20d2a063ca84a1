"""`ulab.register()` in a member's kernel: the card comes from the run, the rest is asked for."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.mlflow_support import Site, running_site
from integration.tracking_support import Kernel, kernel_of

from ulab_teams.teams import create_team

TEAM = "windfarm"
RUN = """
import mlflow, ulab
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.http_dataset_source import HTTPDatasetSource
mlflow.set_experiment("day-ahead")
with mlflow.start_run() as run:
    mlflow.log_text("weights", "model/weights.txt")
    {more}
address = f"runs:/{{run.info.run_id}}/model"
"""
KNOWN = """
    mlflow.set_tag("ulab.notebook_sha256", "c" * 64)
    source = HTTPDatasetSource("https://example.org/elecdemand.csv")
    mlflow.log_input(MetaDataset(source, name="elecdemand", digest="1f2e"), context="training")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as found:
        with found.database.write() as session:
            create_team(session, TEAM, "Wind farm", "", "lin", "test")
        yield found


@pytest.fixture
def kernel(site: Site, tmp_path: Path) -> Iterator[Kernel]:
    """A member's, in a folder that is no assignment's."""
    with kernel_of(site, tmp_path) as found:
        yield found


def version(site: Site, model: str, number: str) -> dict[str, Any]:
    with site.client("lin", TEAM) as client:
        asked = {"name": model, "version": number}
        found = client.get("/api/2.0/mlflow/model-versions/get", params=asked)
        assert found.status_code == 200, found.text
        shown: dict[str, Any] = found.json()["model_version"]
        return shown


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def code(call: str, more: str = "pass") -> str:
    return RUN.format(more=more.strip()) + call


def test_the_run_fills_in_data_and_code_and_the_alias_is_given(site: Site, kernel: Kernel) -> None:
    call = (
        'made = ulab.register(address, "day-ahead", licence="MIT", intended_use="forecasts", '
        'alias="champion")\nprint(made.version)'
    )
    done = kernel.run(code(call, KNOWN), MLFLOW_WORKSPACE=TEAM)
    found = version(site, "day-ahead", last_line(done))
    assert {tag["key"]: tag["value"] for tag in found["tags"]} == {
        "ulab.card.data_revision": "elecdemand@1f2e",
        "ulab.card.code_sha256": "c" * 64,
        "ulab.card.licence": "MIT",
        "ulab.card.owner": "lin",
        "ulab.card.intended_use": "forecasts",
    }
    assert found["aliases"] == ["champion"]


def test_without_such_tags_it_registers_and_says_what_the_card_lacks(
    site: Site, kernel: Kernel
) -> None:
    call = 'made = ulab.register(address, "bare", licence="MIT")\nprint(made.version)'
    done = kernel.run(code(call), MLFLOW_WORKSPACE=TEAM)
    found = version(site, "bare", last_line(done))
    assert sorted(tag["key"] for tag in found["tags"]) == ["ulab.card.licence", "ulab.card.owner"]
    assert "ulab.card.data_revision, ulab.card.code_sha256, ulab.card.intended_use" in done.stderr
    # Copying a registered version keeps to the run that made it.
    again = f'made = ulab.register("models:/bare/{last_line(done)}", "bare")\nprint(made.run_id)'
    copied = kernel.run("import ulab\n" + again, MLFLOW_WORKSPACE=TEAM)
    assert last_line(copied) == found["run_id"]


def test_mlflows_client_shows_the_sentence_of_a_refused_promotion(
    site: Site, kernel: Kernel
) -> None:
    call = 'ulab.register(address, "held-back", licence="MIT", alias="champion")'
    done = kernel.run(code(call), MLFLOW_WORKSPACE=TEAM)
    assert done.returncode != 0
    assert "Its card lacks: data revision, code hash, intended use." in done.stderr
    assert not version(site, "held-back", "1").get("aliases")


def test_a_model_in_mlflows_format_is_registered_by_its_id(site: Site, kernel: Kernel) -> None:
    logged = """
    import numpy as np
    from sklearn.linear_model import LinearRegression
    import mlflow.sklearn
    fitted = LinearRegression().fit(np.eye(2), [0.0, 1.0])
    info = mlflow.sklearn.log_model(fitted, name="fitted", skops_trusted_types=[])
    mlflow.set_tag("ulab.notebook_sha256", "d" * 64)
"""
    call = """
by_id = ulab.register(f"models:/{info.model_id}", "fitted")
by_run = ulab.register(f"runs:/{run.info.run_id}/fitted", "fitted")
predicted = mlflow.pyfunc.load_model("models:/fitted/1").predict([[0, 1]])
print(by_id.version, by_run.version, predicted.round(6))
"""
    done = kernel.run(code(call, logged), MLFLOW_WORKSPACE=TEAM)
    assert last_line(done) == "1 2 [1.]"
    for number in ("1", "2"):
        tags = {tag["key"]: tag["value"] for tag in version(site, "fitted", number)["tags"]}
        assert tags["ulab.card.code_sha256"] == "d" * 64


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ('"runs:/" + run.info.run_id + "/nothing"', "keeps no nothing."),
        ('"runs:/" + run.info.run_id', "is no model's address"),
        ('"model.pt"', "is no model's address"),
        ('"s3://bucket/model"', "is no model's address"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_and_leaves_nothing(
    site: Site, kernel: Kernel, address: str, sentence: str
) -> None:
    done = kernel.run(code(f'ulab.register({address}, "nowhere")'), MLFLOW_WORKSPACE=TEAM)
    assert done.returncode != 0
    assert sentence in done.stderr
    with site.client("lin", TEAM) as client:
        listed = client.get("/api/2.0/mlflow/registered-models/search")
        assert '"nowhere"' not in listed.text


def test_a_tracked_run_is_registered_for_the_team_it_was_logged_to(
    site: Site, kernel: Kernel
) -> None:
    """As docs/models-and-sharing.md shows it."""
    shown = """
import pathlib, ulab
with ulab.track("small network", workspace="windfarm", lr=0.1) as run:
    run.log(loss=0.5)
    pathlib.Path("model.pt").write_bytes(b"weights")
    run.file("model.pt")
made = ulab.register(
    f"runs:/{run.run_id}/model.pt",
    "tracked",
    licence="Apache-2.0",
    intended_use="forecasts",
    code_sha256="e" * 64,
    data_revision="elecdemand@v1",
    alias="champion",
    workspace="windfarm",
)
print(made.version)
"""
    found = version(site, "tracked", last_line(kernel.run(shown)))
    assert found["aliases"] == ["champion"]
    with site.client("lin", TEAM) as client:
        listed = client.get(
            "/api/2.0/mlflow/artifacts/list", params={"run_id": found["run_id"]}
        ).json()
        assert [one["path"] for one in listed["files"]] == ["model.pt"]
