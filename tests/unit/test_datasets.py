"""Cards, and data that is not what its card says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from ulab_core.errors import UserError
from ulab_core.i18n import translations
from ulab_core.manifest_files import BadManifest
from ulab_datasets.apart import why_ended
from ulab_datasets.card import REGISTRY, find_card, load_card, names
from ulab_datasets.errors import AddingFailed, BadCard, DataMismatch, DatasetError
from ulab_datasets.store import ensure
from ulab_datasets.verify import make, verify

TABLE = b"day,rain\n1,0.5\n2,\n3,1.5\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def card_content(member: bytes = TABLE) -> dict[str, object]:
    words = {"zh": "雨", "en": "Rain"}
    return {
        "id": "rain",
        "titles": words,
        "summaries": words,
        "source": {"title": "t", "url": "u", "citation": "c"},
        "licence": {
            "name": "MIT",
            "verified": True,
            "allows": {"commercial": "yes", "sharing": "yes", "changes": "yes"},
            "note": words,
        },
        "fetch": {"kind": "pip", "package": "rain-data", "version": "1.0"},
        "format": "csv",
        "files": [
            {
                "path": "rain.csv",
                "member": "rain/rain.csv",
                "member_sha256": digest(member),
                "sha256": digest(TABLE),
            }
        ],
        "shape": {
            "rows": 3,
            "columns": {
                "day": {"kind": "integer", "minimum": 1, "maximum": 3},
                "rain": {"kind": "number", "missing": 1, "minimum": 0},
            },
        },
    }


def write_card(registry: Path, content: dict[str, object]) -> Path:
    folder = registry / "rain"
    folder.mkdir(parents=True, exist_ok=True)
    # Through JSON, as PyYAML writes what stands there twice as an alias.
    text = yaml.safe_dump(json.loads(json.dumps(content)), allow_unicode=True)
    (folder / "card.yaml").write_text(text, encoding="utf-8")
    return folder


def unpacked(tmp_path: Path, content: bytes = TABLE) -> Path:
    member = tmp_path / "unpacked" / "rain" / "rain.csv"
    member.parent.mkdir(parents=True, exist_ok=True)
    member.write_bytes(content)
    return tmp_path / "unpacked"


def test_every_card_of_the_registry_is_whole() -> None:
    assert set(names()) >= {"fashion-mnist", "heart-disease", "elecdemand"}
    for name in names():
        card = load_card(REGISTRY / name)
        assert card.licence.note.zh
        assert (REGISTRY / name / "data.dvc").is_file()


def test_an_unknown_data_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadCard, match="elecdemand"):
        find_card("elecdemnd")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("license", "MIT", "unknown key license; did you mean licence?"),
        ("fetch", {"kind": "pip", "pakage": "rain"}, "unknown key fetch.pakage; did you mean"),
        ("format", "parquet", "format"),
        ("id", "snow", "says id snow, but its folder is called rain"),
        ("files", [], "files"),
        ("fetch", {"kind": "ftp"}, "fetch"),
        ("shape", {"rows": 3}, "needs exactly one file and shape.columns"),
        ("splits", {"a": {"column": "day"}}, "needs either rows, or column and values"),
        ("format", "arrays", "needs shape.arrays and NAME.npy"),
    ],
)
def test_a_bad_card_is_refused(tmp_path: Path, key: str, value: object, sentence: str) -> None:
    folder = write_card(tmp_path, card_content() | {key: value})
    with pytest.raises((BadCard, BadManifest)) as refused:
        load_card(folder)
    assert sentence in str(refused.value)


def test_a_card_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    folder = write_card(tmp_path, card_content())
    (folder / "card.yaml").write_text("id: [rain", encoding="utf-8")
    with pytest.raises(BadManifest, match=r"card\.yaml:1: it is not YAML"):
        load_card(folder)
    (folder / "card.yaml").write_bytes(b"titles: \xff")
    with pytest.raises(BadManifest, match=r"card\.yaml can't be read"):
        load_card(folder)


def test_good_data_is_taken(tmp_path: Path) -> None:
    card = load_card(write_card(tmp_path / "registry", card_content()))
    make(card, unpacked(tmp_path), tmp_path / "made")
    assert (tmp_path / "made" / "rain.csv").read_bytes() == TABLE


def test_a_tampered_member_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The content of a pickle must not run when its bytes are not the known ones."""

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    content = card_content()
    content["files"][0]["transform"] = "xz-pickled-frame"  # type: ignore[index]
    card = load_card(write_card(tmp_path / "registry", content))
    bomb = lzma.compress(pickle.dumps(Trap()))
    with pytest.raises(DataMismatch, match="is not the file the card describes"):
        make(card, unpacked(tmp_path, bomb), tmp_path / "made")
    assert not (tmp_path / "ran").exists()

    # The same bytes under the right checksum would run: the refusal above is the checksum's.
    content["files"][0]["member_sha256"] = digest(bomb)  # type: ignore[index]
    trusted = load_card(write_card(tmp_path / "registry", content))
    with pytest.raises(AttributeError):
        make(trusted, unpacked(tmp_path, bomb), tmp_path / "made")
    assert (tmp_path / "ran").exists()


def test_compressed_members_are_unpacked(tmp_path: Path) -> None:
    member = gzip.compress(TABLE, mtime=0)
    content = card_content(member)
    content["files"][0]["transform"] = "gunzip"  # type: ignore[index]
    card = load_card(write_card(tmp_path / "registry", content))
    make(card, unpacked(tmp_path, member), tmp_path / "made")
    assert (tmp_path / "made" / "rain.csv").read_bytes() == TABLE


def test_a_file_inside_an_archive_is_taken(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("2014/rain.csv", TABLE)
        writing.writestr("other.csv", b"no")
    content = card_content(archive.getvalue())
    content["files"][0] |= {"transform": "unzip", "inner": "2014/rain.csv"}  # type: ignore[index]
    card = load_card(write_card(tmp_path / "registry", content))
    make(card, unpacked(tmp_path, archive.getvalue()), tmp_path / "made")
    assert (tmp_path / "made" / "rain.csv").read_bytes() == TABLE


LIST = b"drops/b.png  0.5  wet\ndrops/a.png  1.0  dry\n"


def drops_content(tmp_path: Path) -> dict[str, object]:
    """A card of two listed pictures with their labels, and its members."""
    folder = tmp_path / "unpacked" / "rain"
    (folder / "drops").mkdir(parents=True)
    (folder / "list.csv").write_bytes(LIST)
    for name, grey in (("a", 10), ("b", 20)):
        Image.new("L", (4, 3), grey).save(folder / "drops" / f"{name}.png")
    listed = b"".join((folder / "drops" / f"{name}.png").read_bytes() for name in "ba")
    made = {
        "images": np.stack([np.full((3, 4), 20, np.uint8), np.full((3, 4), 10, np.uint8)]),
        "wet": np.array([0.5, 1.0]),
        "kind": np.array(["wet", "dry"]),
    }
    how = {
        "images": {"transform": "listed-images", "listed_sha256": digest(listed)},
        "wet": {"transform": "list-column", "column": 1},
        "kind": {"transform": "list-column", "column": 2},
    }
    files = []
    for name, array in made.items():
        bytes_ = io.BytesIO()
        np.save(bytes_, array)
        member = {"member": "rain/list.csv", "member_sha256": digest(LIST)}
        file = {"path": f"{name}.npy", "sha256": digest(bytes_.getvalue())}
        files.append({**file, **member, **how[name]})
    shape = {"arrays": {name: list(array.shape) for name, array in made.items()}}
    return card_content() | {"format": "arrays", "files": files, "shape": shape}


def test_listed_pictures_become_one_array_in_the_lists_order(tmp_path: Path) -> None:
    card = load_card(write_card(tmp_path / "registry", drops_content(tmp_path)))
    make(card, tmp_path / "unpacked", tmp_path / "made")
    assert np.load(tmp_path / "made" / "images.npy")[:, 0, 0].tolist() == [20, 10]
    assert np.load(tmp_path / "made" / "wet.npy").tolist() == [0.5, 1.0]
    assert np.load(tmp_path / "made" / "kind.npy").tolist() == ["wet", "dry"]


def test_a_listed_picture_that_was_changed_is_refused(tmp_path: Path) -> None:
    card = load_card(write_card(tmp_path / "registry", drops_content(tmp_path)))
    Image.new("L", (4, 3), 11).save(tmp_path / "unpacked" / "rain" / "drops" / "a.png")
    with pytest.raises(DataMismatch, match=r"list\.csv, … is not the file the card describes"):
        make(card, tmp_path / "unpacked", tmp_path / "made")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ({"transform": "unzip"}, "transform unzip needs inner"),
        ({"inner": "a.csv"}, "transform as-is can't have inner"),
        ({"transform": "list-column"}, "transform list-column needs column"),
        ({"transform": "listed-images"}, "transform listed-images needs listed_sha256"),
        ({"path": "../rain.csv"}, "path"),
    ],
)
def test_a_file_says_what_its_transform_needs(
    tmp_path: Path, file: dict[str, object], sentence: str
) -> None:
    content = card_content()
    content["files"][0] |= file  # type: ignore[index]
    with pytest.raises(BadManifest) as refused:
        load_card(write_card(tmp_path, content))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"day,rain\n1,0.5\n2,\n", "2 rows, not 3"),
        (b"day,snow\n1,0.5\n2,\n3,1.5\n", "columns"),
        (b"day,rain\n1,0.5\n2,0.5\n3,1.5\n", "rain: 0 missing, not 1"),
        (b"day,rain\n1,-0.5\n2,\n3,1.5\n", "rain: -0.5 is below 0"),
        (b"day,rain\n1,0.5\n2,\n4,1.5\n", "day: 4 is above 3"),
        (b"day,rain\n1,0.5\n2,\n2.5,1.5\n", "day: not whole"),
        (b"day,rain\n1,0.5\n2,\n3,much\n", "rain: not numeric"),
    ],
)
def test_data_of_another_shape_is_refused(tmp_path: Path, table: bytes, reason: str) -> None:
    content = card_content()
    content["files"][0]["sha256"] = digest(table)  # type: ignore[index]
    card = load_card(write_card(tmp_path / "registry", content))
    (tmp_path / "rain.csv").write_bytes(table)
    with pytest.raises(DataMismatch) as refused:
        verify(card, tmp_path)
    assert reason in str(refused.value)


def test_without_a_network_each_data_set_has_its_own_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_card(tmp_path / "registry", card_content())
    (folder / "data.dvc").write_text("outs: [{md5: 0123.dir, size: 25, path: data}]")
    # A port that nobody listens on.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    rain, snow = ensure(tmp_path / "state", ["rain", "snow"], registry=tmp_path / "registry")
    assert not rain.ready
    assert isinstance(rain.error, DatasetError)
    assert "rain-data can't be fetched" in str(rain.error)
    assert "取不到 rain-data" in rain.error.sentence(translations("zh").gettext)
    assert "There is no data set snow" in str(snow.error)
    assert not (tmp_path / "state" / "store" / "rain").exists()
    assert list((tmp_path / "state").glob(".fetch-*")) == []


@pytest.mark.parametrize(
    ("code", "last_words", "kind", "said"),
    [
        (1, "Traceback …\nMemoryError\n", DataMismatch, "more than 16 MB of memory"),
        (-6, "terminate called after 'std::bad_alloc'", DataMismatch, "more than 16 MB of memory"),
        (-9, "", AddingFailed, "was killed"),
        (-11, "", AddingFailed, "broke down (SIGSEGV)"),
        (-6, "free(): invalid pointer", AddingFailed, "broke down (SIGABRT)"),
        (1, "ImportError: no pandas", AddingFailed, "broke down (1)"),
    ],
)
def test_why_a_process_ended_that_told_nothing(
    code: int, last_words: str, kind: type[UserError], said: str
) -> None:
    error = why_ended("rain", code, last_words, 16)
    assert type(error) is kind
    assert said in str(error)
    assert "Nothing was changed" in str(error)
    assert "什么都没有改动" in error.sentence(translations("zh").gettext)
