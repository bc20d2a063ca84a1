"""Data sets that a base brings itself: versions, a remote in a folder, removal, and the command."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integration.dataset_support import content
from typer.testing import CliRunner

import ulab
from ulab_datasets import adding, dvc_repo, own, store, versions
from ulab_datasets.adding import briefly
from ulab_datasets.errors import BadCard, DataMismatch, RemoteFailed
from ulab_datasets.remotes import Remote
from ulab_deploy import console
from ulab_deploy.cli import build

TOLD = briefly("Soil", "CC BY 4.0", "a survey", "lin")
OLD, NEW = b"place,ph\na,5.5\nb,6.0\n", b"place,ph\na,5.5\nb,7.5\n"


def add(root: Path, table: bytes, name: str = "soil") -> None:
    adding.add(root, name, {"soil.csv": io.BytesIO(table)}, TOLD)


def ph(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    monkeypatch.setenv("ULAB_DATASETS", str(root / "store"))
    values: list[float] = ulab.load("soil").ph.tolist()
    return values


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a data set in two versions."""
    made = tmp_path / "datasets"
    add(made, OLD)
    add(made, NEW)
    return made


def test_an_older_version_comes_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest, oldest = versions.of(root, "soil")
    assert ph(root, monkeypatch) == [5.5, 7.5]
    (result,) = store.ensure(root, ["soil"], registry=oldest.registry)
    assert result.error is None
    assert ph(root, monkeypatch) == [5.5, 6.0]
    assert store.stored_card(root, "soil")["md5"] == oldest.revision
    assert versions.find(root, "soil", newest.revision[:8])[0] == newest
    for start in ("", "zz"):
        with pytest.raises(BadCard, match="no single version"):
            versions.find(root, "soil", start)


def test_a_card_that_does_not_fit_its_data_costs_no_version(root: Path) -> None:
    newest, oldest = versions.of(root, "soil")
    registry = own.registry(root)
    # As after a kill between the writing of the one and of the other.
    shutil.copyfile(oldest.registry / "soil" / "data.dvc", registry / "soil" / "data.dvc")
    (result,) = store.ensure(root, ["soil"], registry=registry)
    assert isinstance(result.error, DataMismatch)
    for version in (newest, oldest):
        (result,) = store.ensure(root, ["soil"], registry=version.registry)
        assert result.error is None


def test_a_damaged_file_of_the_cache_is_replaced(root: Path, tmp_path: Path) -> None:
    remote = Remote(str(tmp_path / "nas"))
    dvc_repo.push(root, root / "store" / "soil" / "data.dvc", remote)
    newest, oldest = versions.of(root, "soil")
    kept = dvc_repo.objects_of(root, oldest.revision)
    shutil.rmtree(root / "store" / "soil")
    (data,) = (path for path in dvc_repo.objects_of(root, newest.revision) if not path.suffix)
    data.chmod(0o644)
    data.write_bytes(OLD + b"c,1.0\n")
    (result,) = store.ensure(root, ["soil"], registry=own.registry(root), remote=remote)
    assert result.error is None
    assert all(path.is_file() for path in kept)
    store.prove(root, "soil", own.registry(root))


def test_what_killed_processes_left_is_cleared_away(root: Path) -> None:
    left = root / ".fetch-killed" / "soil" / "data"
    left.mkdir(parents=True)
    (left / "soil.csv").write_bytes(NEW)
    add(root, OLD)
    assert list(root.glob(".fetch-*")) == []


def test_what_was_removed_is_gone_and_leaves_the_others(root: Path) -> None:
    # The second file is one that the removed set has too: the cache keeps it once.
    adding.add(root, "shared", {"copy.csv": io.BytesIO(NEW), "b.txt": io.BytesIO(b"b")}, TOLD)
    assert own.remove(root, "soil") > 0
    assert own.all_names(root).count("soil") == 0
    assert versions.of(root, "soil") == []
    store.prove(root, "shared", own.registry(root))
    revision = store.stored_card(root, "shared")["md5"]
    assert dvc_repo.objects(root) == dvc_repo.objects_of(root, revision)
    for name in ("soil", "../store", "", "."):
        with pytest.raises(BadCard, match="to remove"):
            own.remove(root, name)


def test_a_remote_gives_back_what_this_machine_lost(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Remote(str(tmp_path / "nas"))
    dvc_file = root / "store" / "soil" / "data.dvc"
    assert dvc_repo.push(root, dvc_file, remote) == 2
    assert dvc_repo.push(root, dvc_file, remote) == 0
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "store" / "soil")
    (result,) = store.ensure(root, ["soil"], registry=own.registry(root))
    assert "no remote is set" in str(result.error)
    (result,) = store.ensure(root, ["soil"], registry=own.registry(root), remote=remote)
    assert result.error is None
    assert ph(root, monkeypatch) == [5.5, 7.5]
    store.prove(root, "soil", own.registry(root))


def test_a_remote_that_fails_leaves_the_store_as_it_was(root: Path, tmp_path: Path) -> None:
    remote = Remote(str(tmp_path / "nas"))
    dvc_repo.push(root, root / "store" / "soil" / "data.dvc", remote)
    newest = versions.of(root, "soil")[0]
    for path in dvc_repo.objects_of(root, newest.revision):
        path.unlink()
    shutil.rmtree(root / "store" / "soil")
    before = content(root)
    (result,) = store.ensure(
        root, ["soil"], registry=own.registry(root), remote=Remote(str(tmp_path / "none"))
    )
    assert isinstance(result.error, RemoteFailed)
    assert "does not have it" in str(result.error)
    assert content(root) == before
    # Someone changed the data there.
    (changed,) = (
        path for path in (tmp_path / "nas").rglob("*") if path.is_file() and not path.suffix
    )
    changed.chmod(0o644)
    changed.write_bytes(OLD)
    (result,) = store.ensure(root, ["soil"], registry=own.registry(root), remote=remote)
    assert isinstance(result.error, DataMismatch | RemoteFailed)
    assert content(root) == before


@pytest.mark.parametrize("what", ["data/soil.csv", "mapped/soil.arrow"])
def test_verify_finds_a_changed_file(root: Path, what: str) -> None:
    store.prove(root, "soil", own.registry(root))
    path = root / "store" / "soil" / what
    changed = path.read_bytes().replace(b"b", b"c")
    path.unlink()
    path.write_bytes(changed)
    with pytest.raises(DataMismatch):
        store.prove(root, "soil", own.registry(root))


def test_arrays_and_files_are_described(tmp_path: Path) -> None:
    arrays = {}
    for name, array in (("x", np.zeros((3, 2))), ("y", np.array(["a", "b", "a"]))):
        arrays[f"{name}.npy"] = io.BytesIO()
        np.save(arrays[f"{name}.npy"], array)
    card = adding.add(tmp_path, "pairs", arrays, TOLD)
    assert (card.format, card.shape.arrays) == ("arrays", {"x": (3, 2), "y": (3,)})
    files = {"a.txt": io.BytesIO(b"a"), "b.csv": io.BytesIO(OLD)}
    plain = adding.add(tmp_path, "notes", files, TOLD)
    assert plain.format == "files"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ulab.toml"
    file.write_text(
        f'[server]\nstate_dir = "{tmp_path / "state"}"\n[datasets]\nremote = "{tmp_path / "nas"}"\n'
    )
    monkeypatch.setenv("ULAB_CONFIG", str(file))
    table = tmp_path / "soil.csv"

    def ulab_datasets(*arguments: str, fails: bool = False) -> Any:
        shown = CliRunner().invoke(build(), ["--language", "en", "datasets", *arguments, "--json"])
        assert (shown.exit_code != 0) == fails, shown.output
        return shown.output if fails else json.loads(shown.output)

    told = ("--licence", "CC BY 4.0", "--source", "a survey", "--by", "lin")
    for content_ in (OLD, NEW):
        table.write_bytes(content_)
        assert ulab_datasets("add", "soil", str(table), *told)["dataset"] == "soil"
    assert [one["fetched"] for one in ulab_datasets("list") if one["dataset"] == "soil"] == [True]
    assert ulab_datasets("show", "soil")["shape"]["columns"]["ph"]["maximum"] == 7.5
    newest, oldest = ulab_datasets("versions", "soil")
    assert (newest["current"], oldest["current"], oldest["here"]) == (True, False, True)
    assert ulab_datasets("push") == {"soil": 2}
    assert ulab_datasets("verify") == [{"dataset": "soil", "problem": None}]
    assert ulab_datasets("pull", "soil", "--version", oldest["revision"][:8])[0]["fetched"]
    assert [one["current"] for one in ulab_datasets("versions", "soil")] == [False, True]
    assert ulab_datasets("pull", "soil")[0]["fetched"]
    assert "U Lab has a data set ecg itself" in ulab_datasets(
        "add", "ecg", str(table), *told, fails=True
    )
    assert "read heart-disease" in ulab_datasets("remove", "heart-disease", fails=True)
    assert ulab_datasets("remove", "soil")["bytes"] > 0
    assert "no data set soil" in ulab_datasets("show", "soil", fails=True)


CARD = """\
titles: {zh: 吉林土壤, en: Soil of Jilin}
summaries: {zh: 两块地的酸碱度。, en: The pH of two fields.}
source: {title: Soil survey 2025, url: "", citation: Soil survey 2025}
licence:
  name: CC BY 4.0
  verified: true
  allows: {commercial: yes, sharing: yes, changes: no}
  note: {zh: 须注明出处。, en: Name the source.}
splits:
  train: {rows: [0, 1]}
  test: {column: place, values: [b]}
known_problems:
  - {zh: 只有两块地。, en: There are two fields only.}
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`ulab datasets` of a base without data, with ``soil.csv`` to add."""
    monkeypatch.setenv("ULAB_SERVER__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    Path("soil.csv").write_bytes(NEW)

    def run(language: str, *arguments: str) -> str:
        monkeypatch.setattr(console, "_language", language)
        return CliRunner().invoke(build(), ["datasets", *arguments]).output

    return run


def test_a_card_of_the_authors_own(
    command: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("card.yaml").write_text(CARD, encoding="utf-8")
    added = command("en", "add", "soil", "soil.csv", "--card", "card.yaml", "--by", "lin")
    assert "Added soil" in added
    english, chinese = command("en", "show", "soil"), command("zh", "show", "soil")
    for said in (
        "soil: Soil of Jilin", "The pH of two fields.", "CC BY 4.0 (read at its source)",
        "Name the source.", "commercial use: yes", "passing on changed: no",
        "There are two fields only.", "added by lin", "train: rows 0 to 0", "test: place = b",
    ):  # fmt: skip
        assert said in english
    for said in ("soil: 吉林土壤", "两块地的酸碱度。", "须注明出处。", "只有两块地。"):
        assert said in chinese
    monkeypatch.setenv("ULAB_DATASETS", str(tmp_path / "state" / "datasets" / "store"))
    assert ulab.load("soil", split="test").ph.tolist() == [7.5]


@pytest.mark.parametrize(
    ("card", "options", "said"),
    [
        (CARD.replace("known_problems", "known_problem"), [], "card.yaml:12: unknown key"),
        (CARD.replace("zh: 吉林土壤, ", ""), [], "line 1: the key titles.zh is missing"),
        (CARD.replace("changes: no", "changes: maybe"), [], "line 7: licence.allows.changes: must"),
        (CARD.replace("[0, 1]", "[0, 9]"), [], "is rows 0 to 9, but the data has 2 rows"),
        (CARD.replace("[b]", "[b, z]"), [], "wants z, which place never is"),
        (CARD.replace("column: place", "column: plot"), [], "has only: place, ph"),
        (CARD + "shape: {rows: 2}\n", [], "unknown key shape"),
        (CARD, ["--title-zh", "土壤"], "card.yaml says it all"),
        (None, [], "Give --licence and --source, or --card"),
        (None, ["--card", "none.yaml"], "none.yaml is missing; docs/datasets.md says what"),
    ],
)
def test_what_a_card_can_not_say_is_refused_with_its_line(
    command: Callable[..., str], card: str | None, options: list[str], said: str
) -> None:
    if card is not None:
        Path("card.yaml").write_text(card, encoding="utf-8")
        options = ["--card", "card.yaml", *options]
    refused = " ".join(command("en", "add", "soil", "soil.csv", *options).split())
    assert said.replace("card.yaml:12:", "line 12:") in refused
    assert "no data set soil" in command("en", "show", "soil")


def test_titles_and_summaries_in_each_language(command: Callable[..., str]) -> None:
    told = ("--licence", "CC0", "--source", "a survey")
    for options, zh, en in (
        (["--title-zh", "土壤", "--title-en", "Soil"], "soil: 土壤\n土壤\n", "soil: Soil\nSoil\n"),
        (["--title", "Soil", "--title-zh", "土壤"], "soil: 土壤\n", "soil: Soil\n"),
        (["--title-zh", "土壤"], "soil: 土壤\n", "soil: 土壤\n"),
        (["--summary-zh", "两块地", "--summary-en", "Fields"], "soil\n两块地\n", "soil\nFields\n"),
    ):
        command("en", "add", "soil", "soil.csv", *told, *options)
        assert zh in command("zh", "show", "soil")
        assert en in command("en", "show", "soil")


def test_processes_that_read_the_same_data_share_one_copy(tmp_path: Path) -> None:
    state, size = tmp_path / "state", 40_000_000
    array = io.BytesIO()
    np.save(array, np.ones(size, dtype=np.uint8))
    adding.add(state / "datasets", "big", {"big.npy": array}, TOLD)
    done = subprocess.run(
        [Path(sys.executable).with_name("ulab"), "bench", "datasets", "--processes", "6", "--json"],
        env={**os.environ, "ULAB_SERVER__STATE_DIR": str(state)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (found,) = json.loads(done.stdout)
    assert found["size"] == size
    assert found["rss"] > 6 * size
    assert found["pss"] < 2.5 * size
