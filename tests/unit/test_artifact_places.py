"""Where the files of a run or model lie, and that nothing beside them is ever one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulab_core.errors import NotFound
from ulab_mlflow.artifacts import file_at, files_below, place_of

RUN, OTHER = "a" * 32, "b" * 32
MODEL = "m-" + "c" * 32
HOME = "mlflow-artifacts:/workspaces/windfarm/"


@pytest.mark.parametrize(
    ("address", "run_id", "place"),
    [
        (f"{HOME}3/{RUN}/artifacts", RUN, f"3/{RUN}/artifacts"),
        (f"{HOME}3/{RUN}/artifacts", None, f"3/{RUN}/artifacts"),
        (f"{HOME}3/{RUN}/artifacts/model/weights.pt", RUN, f"3/{RUN}/artifacts/model/weights.pt"),
        (f"{HOME}3/models/{MODEL}/artifacts", RUN, f"3/models/{MODEL}/artifacts"),
        (f"{HOME}3/{OTHER}/artifacts", RUN, None),
        (f"{HOME}3/{RUN}", RUN, None),
        (f"{HOME}3", None, None),
        (HOME, None, None),
        (f"{HOME}3/{RUN}/artifacts/../../{OTHER}/artifacts", RUN, None),
        (f"{HOME}3/{RUN}/artifacts/./x", RUN, None),
        (f"{HOME}3/{RUN}/artifacts//x", RUN, None),
        (f"{HOME}../grid/3/{RUN}/artifacts", RUN, None),
        (f"mlflow-artifacts:/workspaces/grid/3/{RUN}/artifacts", RUN, None),
        (f"mlflow-artifacts:/3/{RUN}/artifacts", RUN, None),
        (f"mlflow-artifacts://host/workspaces/windfarm/3/{RUN}/artifacts", RUN, None),
        (f"file:///workspaces/windfarm/3/{RUN}/artifacts", RUN, None),
        ("file:///etc", None, None),
        ("s3://bucket/model", None, None),
        (f"models:/{MODEL}", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_only_one_run_or_model_of_the_workspace_has_a_place(
    address: str, run_id: str | None, place: str | None
) -> None:
    found = place_of(address, "windfarm", run_id)
    assert (None if found is None else found.as_posix()) == place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / RUN / "artifacts"
    (found / "model").mkdir(parents=True)
    (found / "notes.txt").write_text("notes")
    (found / "model" / "weights.pt").write_bytes(b"123")
    (found / "model" / ".artifact.uploading.x").write_bytes(b"half")
    (tmp_path / "secret.txt").write_text("secret")
    (found / "link.txt").symlink_to(tmp_path / "secret.txt")
    (found / "up").symlink_to(tmp_path, target_is_directory=True)
    (found / "inner").symlink_to(found / "model", target_is_directory=True)
    return found


def test_its_files_are_told_and_links_are_not(root: Path) -> None:
    assert [tuple(file) for file in files_below(root)] == [
        ("notes.txt", 5),
        ("model/weights.pt", 3),
    ]
    assert files_below(root / "nothing") == []
    assert files_below(root / "up") == []


@pytest.mark.parametrize("path", ["notes.txt", "model/weights.pt"])
def test_its_files_are_found(root: Path, path: str) -> None:
    assert file_at(root, path) == root / path


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "/", "nothing", "model", "model/", "link.txt", "up/secret.txt",
        "inner/weights.pt", "../../secret.txt", "model/../../../secret.txt", "./notes.txt",
        "model//weights.pt", "/etc/passwd", "//etc/passwd", "..\\..\\secret.txt", "notes.txt\0",
        "notes.txt\n",
    ],
)  # fmt: skip
def test_nothing_else_is(root: Path, path: str) -> None:
    with pytest.raises(NotFound):
        file_at(root, path)


def test_a_version_can_be_one_file(root: Path) -> None:
    file = root / "model" / "weights.pt"
    assert [tuple(one) for one in files_below(file)] == [("weights.pt", 3)]
    assert file_at(file, "weights.pt") == file
    for path in ("", "notes.txt", "../weights.pt", "../../notes.txt"):
        with pytest.raises(NotFound):
            file_at(file, path)
    link = root / "link.txt"
    assert files_below(link) == []
    with pytest.raises(NotFound):
        file_at(link, "link.txt")
