"""The students' library: light to import, in the student's language, clear when data is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import ulab
from ulab_datasets.tables import map_table


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import ulab; ulab.say(zh='是', en='yes');"
        "ulab.grading();"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "ulab" in loaded
    # Whatever is left comes with Python and is loaded by any notebook's kernel anyway.
    assert loaded - {"ulab"} <= set(sys.stdlib_module_names)
    assert not loaded & {"asyncio", "email", "http", "logging", "ssl", "urllib"}


@pytest.mark.parametrize("first", ["grading", "track", "device"])
def test_whatever_is_used_first_the_others_can_be_called(first: str) -> None:
    # A module of the package named like a function takes the function's place once it is imported.
    code = f"import ulab; ulab.{first}; print(ulab.device(), ulab.grading(), callable(ulab.track))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    device, _, tracks = done.stdout.split()
    assert device in {"cpu", "cuda"}
    assert tracks == "True"


@pytest.mark.parametrize(
    ("variable", "said"), [("zh", "是"), ("en", "yes"), ("en_GB", "yes"), ("", "是"), ("fr", "是")]
)
def test_it_speaks_the_students_language(
    monkeypatch: pytest.MonkeyPatch, variable: str, said: str
) -> None:
    monkeypatch.setenv("ULAB_LANGUAGE", variable)
    assert ulab.say(zh="是", en="yes") == said


@pytest.mark.parametrize(("variable", "graded"), [("1", True), ("0", False), ("", False)])
def test_it_knows_when_it_is_graded(
    monkeypatch: pytest.MonkeyPatch, variable: str, graded: bool
) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv("ULAB_GRADING", variable)
    assert ulab.grading() is graded
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert ulab.grading(), "as `nbgrader validate` in a terminal says"


@pytest.mark.parametrize("first", ["grading", "track", "load"])
def test_no_name_hides_another_whichever_is_used_first(first: str) -> None:
    code = f"import ulab; ulab.{first}; print(ulab.device(), ulab.grading())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split()[:1] in (["cpu"], ["cuda"]), done.stderr


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    table = tmp_path / "rain" / "data"
    table.mkdir(parents=True)
    (table / "rain.csv").write_text("day,mm\n1,2.5\n2,0.0\n", encoding="utf-8")
    card = {"format": "csv", "files": ["rain.csv"]}
    (table.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    pictures = tmp_path / "dots" / "data"
    pictures.mkdir(parents=True)
    images = np.arange(2 * 3 * 4, dtype=np.uint8)
    for part in ("train", "test"):
        shape = b"".join(size.to_bytes(4, "big") for size in (2, 3, 4))
        (pictures / f"{part}_images.idx").write_bytes(b"\0\0\x08\x03" + shape + images.tobytes())
        (pictures / f"{part}_labels.idx").write_bytes(b"\0\0\x08\x01\0\0\0\x02\x01\x00")
    card = {
        "format": "idx",
        "files": [path.name for path in sorted(pictures.iterdir())],
        "classes": {"zh": ["点", "线"], "en": ["dot", "line"]},
    }
    (pictures.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setenv("ULAB_DATASETS", str(tmp_path))
    monkeypatch.setenv("ULAB_LANGUAGE", "en")
    return tmp_path


def test_it_reads_a_table(store: Path) -> None:
    frame = ulab.load("rain")
    assert list(frame.columns) == ["day", "mm"]
    assert frame.mm.tolist() == [2.5, 0.0]


def test_it_reads_images_that_can_be_changed(store: Path) -> None:
    images = ulab.load("dots")
    assert images.train_images.shape == (2, 3, 4)
    assert images.test_images[1, 2, 3] == 23
    assert images.train_labels.tolist() == [1, 0]
    assert images.names == ("dot", "line")
    images.train_images[:] = 0
    assert ulab.load("dots").train_images.any()


def test_it_maps_arrays_that_can_be_changed(store: Path) -> None:
    data = store / "cells" / "data"
    data.mkdir(parents=True)
    np.save(data / "images.npy", np.arange(12, dtype=np.uint8).reshape(3, 2, 2))
    np.save(data / "kind.npy", np.array(["a", "b", "a"]))
    card = {"format": "arrays", "files": ["images.npy", "kind.npy"]}
    (data.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    cells = ulab.load("cells")
    assert cells.images[2, 1, 1] == 11
    assert cells["kind"].tolist() == ["a", "b", "a"]
    assert list(cells) == ["images", "kind"]
    cells.images[:] = 0
    assert ulab.load("cells").images.any()
    with pytest.raises(AttributeError, match="no array 'image', but images, kind"):
        cells.image  # noqa: B018


@pytest.fixture
def mapped_table(store: Path) -> Path:
    """The table `rain` with its mapped form and two splits."""
    folder = store / "rain"
    csv = "day,mm,wet,where\n1,2.5,True,a\n2,,False,\n3,0.5,True,b\n"
    (folder / "data" / "rain.csv").write_text(csv, encoding="utf-8")
    map_table(folder / "data" / "rain.csv", folder / "mapped")
    splits = {"train": {"rows": [0, 2]}, "b": {"column": "where", "values": ["b"]}}
    card = {"format": "csv", "files": ["rain.csv"], "splits": splits}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_a_mapped_table_is_what_pandas_reads_and_can_be_changed(mapped_table: Path) -> None:
    read = pd.read_csv(mapped_table / "data" / "rain.csv")
    before = (mapped_table / "mapped" / "rain.arrow").read_bytes()
    frame = ulab.load("rain")
    pd.testing.assert_frame_equal(frame, read)
    frame["mm"] *= 2
    frame.loc[0, ["day", "where"]] = 9, "z"
    frame.iloc[1, 2] = True
    pd.testing.assert_frame_equal(ulab.load("rain"), read)
    assert (mapped_table / "mapped" / "rain.arrow").read_bytes() == before


def test_a_table_with_mixed_columns_is_left_to_pandas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("day,wet\n1,True\n2,\n", encoding="utf-8")
    assert pd.read_csv(tmp_path / "a.csv").wet.tolist() == [
        True,
        pytest.approx(np.nan, nan_ok=True),
    ]
    map_table(tmp_path / "a.csv", tmp_path / "mapped")
    assert not (tmp_path / "mapped").exists()


def test_it_reads_a_part(mapped_table: Path) -> None:
    assert ulab.load("rain", split="train").day.tolist() == [1, 2]
    assert ulab.load("rain", split="b").day.tolist() == [3]
    assert ulab.load("dots", split="test").images.shape == (2, 3, 4)
    with pytest.raises(ulab.ULabError, match="no split 'val', but train, b"):
        ulab.load("rain", split="val")
    with pytest.raises(ulab.ULabError, match="no split 'val', but train, test"):
        ulab.load("dots", split="val")


def test_it_gives_tensors_and_rows_of_the_same_memory(mapped_table: Path) -> None:
    tensors = ulab.load("rain", split="train", form="tensors")
    assert {name: one.dtype for name, one in tensors.items()} == {
        "day": torch.int64,
        "mm": torch.float64,
        "wet": torch.bool,
    }
    tensors["day"][:] = 0
    assert ulab.load("rain", split="train", form="tensors")["day"].tolist() == [1, 2]
    rows = ulab.load("dots", split="train", form="dataset")
    (batch,) = torch.utils.data.DataLoader(rows, batch_size=2)
    assert batch["images"].shape == (2, 3, 4)
    assert batch["labels"].tolist() == [1, 0]
    with pytest.raises(ulab.ULabError, match="Say which part"):
        ulab.load("dots", form="tensors")
    with pytest.raises(ulab.ULabError, match="form is 'tensors' or 'dataset'"):
        ulab.load("rain", form="list")


def test_a_teams_data_set_has_the_teams_name(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ulab.ULabError, match="There are: dots, rain"):
        ulab.load("wind/snow")
    teams = tmp_path / "teams"
    (teams / "wind").mkdir(parents=True)
    (store / "rain").rename(teams / "wind" / "snow")
    monkeypatch.setenv("ULAB_TEAM_DATASETS", str(teams))
    assert ulab.load("wind/snow").mm.tolist() == [2.5, 0.0]
    with pytest.raises(ulab.ULabError, match="Did you mean 'wind/snow'"):
        ulab.load("snow")
    for name in ("../teams/wind/snow", "wind/../wind/snow", "../wind", "wind/..", ".", ""):
        with pytest.raises(ulab.ULabError):
            ulab.load(name)


def test_it_gives_the_folder_of_plain_files(store: Path) -> None:
    data = store / "ecg" / "data"
    data.mkdir(parents=True)
    (data / "a.dcm").write_bytes(b"DICM")
    card = {"format": "files", "files": ["a.dcm"]}
    (data.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert (ulab.load("ecg") / "a.dcm").read_bytes() == b"DICM"
    (data / "a.dcm").unlink()
    with pytest.raises(ulab.ULabError, match="can't be read"):
        ulab.load("ecg")


def test_a_wrong_name_is_answered_with_the_nearest(store: Path) -> None:
    with pytest.raises(ulab.ULabError, match="Did you mean 'rain'"):
        ulab.load("rian")
    with pytest.raises(ulab.ULabError, match="There are: dots, rain"):
        ulab.load("zebra")


def test_an_empty_store_and_a_damaged_file_say_what_to_do(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store / "dots" / "data" / "test_labels.idx").write_bytes(b"junk")
    with pytest.raises(ulab.ULabError, match=r"can't be read .*Ask your instructor"):
        ulab.load("dots")
    monkeypatch.setenv("ULAB_DATASETS", str(store / "nowhere"))
    with pytest.raises(ulab.ULabError, match="no data sets here"):
        ulab.load("rain")
    monkeypatch.setenv("ULAB_LANGUAGE", "zh")
    with pytest.raises(ulab.ULabError, match="一个数据集也没有"):
        ulab.load("rain")
