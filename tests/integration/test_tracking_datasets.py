"""From a run to the data it used, and back: inputs of runs, and MLflow's sources of data sets."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo
from integration.tracking_support import Kernel, lab
from mlflow.data.dataset_source_registry import (
    get_dataset_source_from_json,
    resolve_dataset_source,
)
from mlflow.exceptions import MlflowException

from ulab_datasets.dvc_repo import add
from ulab_mlflow.dataset_source import RegistrySource

__all__ = ["lab"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A store with one data set in DVC, and its revision."""
    root = tmp_path / "datasets"
    data = root / "store" / "rain" / "data"
    data.mkdir(parents=True)
    (data / "rain.csv").write_text("day,mm\n1,2.5\n2,0.0\n")
    revision = add(root, data)
    columns = {"day": {"kind": "integer"}, "mm": {"kind": "number"}}
    card = {
        "format": "csv",
        "files": ["rain.csv"],
        "md5": revision,
        "shape": {"rows": 2, "columns": columns},
    }
    (data.parent / "card.json").write_text(json.dumps(card))
    monkeypatch.setenv("ULAB_DATASETS", str(root / "store"))
    monkeypatch.setenv("ULAB_LANGUAGE", "en")
    return root / "store", revision


USES = """
import mlflow, ulab
if {before}:
    ulab.load("rain")
with ulab.track("uses data") as run:
    ulab.load("rain")
    run.log(loss=1)
[used] = mlflow.get_run(run.run_id).inputs.dataset_inputs
source = mlflow.data.get_source(used.dataset)
print(run.run_id, type(source).__name__, source.load(), source.uri)
"""


@pytest.mark.parametrize("before", [True, False])
def test_a_run_carries_the_data_it_was_given(
    lab: Kernel, store: tuple[Path, str], before: bool
) -> None:
    folder, revision = store
    shown = lab.value(USES.format(before=before), ULAB_DATASETS=str(folder))
    run_id, source, where, uri = shown.split()
    assert source == "RegistrySource"
    assert where == str(folder / "rain" / "data")
    assert uri == f"ulab:rain@{revision}"
    [used] = lab.the_run(run_id)["inputs"]["dataset_inputs"]
    assert used["tags"] == [{"key": "mlflow.data.context", "value": "train"}]
    dataset = used["dataset"]
    assert (dataset["name"], dataset["digest"]) == ("rain", revision)
    assert revision.endswith(".dir")
    assert json.loads(dataset["source"])["revision"] == revision
    assert json.loads(dataset["profile"]) == {"num_rows": 2}
    names = [column["name"] for column in json.loads(dataset["schema"])["mlflow_colspec"]]
    assert names == ["day", "mm"]


def test_a_source_is_resolved_and_gives_its_revision_or_refuses(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    folder, revision = store
    source = resolve_dataset_source("ulab:rain")
    assert isinstance(source, RegistrySource)
    assert source.revision == revision
    again = get_dataset_source_from_json(source.to_json(), source._get_source_type())
    assert Path(again.load(str(tmp_path / "copy"))) == tmp_path / "copy" / "rain"
    assert (tmp_path / "copy" / "rain" / "rain.csv").read_text().startswith("day,mm")
    with pytest.raises(MlflowException, match=f"in revision {revision}, not old"):
        resolve_dataset_source("ulab:rain@old").load()
    with pytest.raises(MlflowException, match="no data set snow"):
        resolve_dataset_source("ulab:snow").load()
    (folder / "rain" / "card.json").write_text("damaged")
    with pytest.raises(MlflowException, match="no data set rain"):
        again.load()


@pytest.mark.parametrize("name", ["../rain", "/etc", "", "rain/../rain"])
def test_a_source_leads_nowhere_else(store: tuple[Path, str], name: str) -> None:
    _, revision = store
    with pytest.raises(MlflowException):
        RegistrySource("ulab", revision, name).load()


def test_a_registry_in_git_gives_the_revision_that_is_named(tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    registry.mkdir()

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
        subprocess.run(["git", *who, *arguments], cwd=registry, check=True, capture_output=True)

    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    git("init", "-q")
    Repo.init(root_dir=str(registry)).close()
    for version, content in (("v1", "old"), ("v2", "new")):
        (registry / "turbines").mkdir(exist_ok=True)
        (registry / "turbines" / "a.csv").write_text(content)
        with Repo(str(registry)) as repo:
            repo.add(str(registry / "turbines"))
        git("add", ".")
        git("commit", "-qm", version)
        git("tag", version)
    raw = f"dvc+file://{registry}?rev=v1&path=turbines"
    source = resolve_dataset_source(raw)
    assert isinstance(source, RegistrySource)
    assert source.to_dict() == {
        "repository": str(registry),
        "revision": "v1",
        "path": "turbines",
    }
    assert resolve_dataset_source(source.uri).to_dict() == source.to_dict()
    (tmp_path / "here").mkdir()
    assert (Path(source.load(str(tmp_path / "here"))) / "a.csv").read_text() == "old"
    newest = RegistrySource(str(registry), "v2", "turbines/a.csv")
    assert Path(newest.load()).read_text() == "new"
    with pytest.raises(MlflowException):
        RegistrySource(str(registry), "v9", "turbines").load()
