"""What goes wrong with a data set is said in a sentence, and leaves the store as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from integration.dataset_support import (
    TABLE,
    card_content,
    content,
    index,
    revision_of,
    wheel,
    write_registry,
)

from ulab_core.i18n import translations
from ulab_datasets.errors import DataMismatch, FetchFailed
from ulab_datasets.store import ensure, prove

LONGER = TABLE + b"4,2.5\n" * 2000


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that has the data set, got from the index."""
    root = tmp_path / "datasets"
    registry = write_registry(tmp_path / "v1", card_content(), revision_of(TABLE), len(TABLE))
    with index(wheel(TABLE), monkeypatch):
        (result,) = ensure(root, ["rain"], registry=registry)
    assert result.error is None
    assert result.fetched
    return root


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A registry whose card wants another version of it."""
    return write_registry(
        tmp_path / "v2", card_content(LONGER, 2003), revision_of(LONGER), len(LONGER)
    )


def test_the_newer_version_is_taken_when_all_is_well(
    store: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with index(wheel(LONGER), monkeypatch):
        (result,) = ensure(store, ["rain"], registry=newer)
    assert result.error is None
    prove(store, "rain", newer)
    assert (store / "store" / "rain" / "data" / "rain.csv").read_bytes() == LONGER


def test_a_download_that_breaks_off(
    store: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(store)
    package = wheel(LONGER)
    with index(package, monkeypatch, sent=len(package) // 2):
        (result,) = ensure(store, ["rain"], registry=newer)
    assert isinstance(result.error, FetchFailed)
    assert "rain-data can't be fetched" in str(result.error)
    assert content(store) == before


@pytest.mark.parametrize("wrong", [b"day,rain\n1,9.5\n2,\n3,1.5\n", b""])
def test_a_wrong_checksum(
    store: Path, newer: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes
) -> None:
    before = content(store)
    with index(wheel(wrong), monkeypatch):
        (result,) = ensure(store, ["rain"], registry=newer)
    assert isinstance(result.error, DataMismatch)
    assert "rain.csv is not the file the card describes" in str(result.error)
    assert "不是卡片上说的那个文件" in result.error.sentence(translations("zh").gettext)
    assert content(store) == before


def test_a_package_without_the_file(
    store: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(store)
    (newer / "rain" / "card.yaml").write_text(
        (newer / "rain" / "card.yaml")
        .read_text(encoding="utf-8")
        .replace("rain/rain", "rain/snow"),
        encoding="utf-8",
    )
    with index(wheel(LONGER), monkeypatch):
        (result,) = ensure(store, ["rain"], registry=newer)
    assert "holds no file rain/snow.csv" in str(result.error)
    assert content(store) == before


# Seen beforehand; while the files are copied; and when DVC has them and the table is to be mapped.
FULL = """
import io, sys
from pathlib import Path
from integration.dataset_support import content
from ulab_datasets import adding, own, store
from ulab_datasets.adding import briefly
from ulab_datasets.errors import DiskFull
root = Path(sys.argv[1], "datasets")
told = briefly("Rain", "MIT", "here", "ann")
adding.add(root, "rain", {"rain.csv": io.BytesIO(b"day,rain\\n1,0.5\\n")}, told)
before = content(root)
tries = (store.ROOM, 3_000_000, "bin"), (0, 9_000_000, "bin"), (0, 4_400_000, "csv")
for room, size, kind in tries:
    store.ROOM = room
    big = {f"big.{kind}": io.BytesIO(b"abcdefg\\n" * (size // 8))}
    try:
        adding.add(root, "big", big, told)
        print("taken")
    except DiskFull as error:
        print(error)
    assert content(root) == before, content(root).keys() ^ before.keys()
    assert own.usage(root) < 10_000
store.ROOM = 2
adding.add(root, "small", {"a.bin": io.BytesIO(b"a" * 100_000)}, told)
print("room again")
"""


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    spaces = ["--user", "--map-root-user"] if os.geteuid() else []
    inside = 'mount -t tmpfs -o size=5m none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", *spaces, "--mount", "sh", "-c", inside, "sh", str(disk), sys.executable, FULL],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *refused, last = done.stdout.splitlines()
    assert len(refused) == 3
    for sentence in refused:
        assert sentence.startswith("Data set big needs about ")
        assert sentence.endswith("Nothing was changed; make room and try again.")
    assert last == "room again"
