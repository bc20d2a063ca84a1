"""What curricula of others may hold: what is taken in, and what is refused with which sentence."""

from __future__ import annotations

import io
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from unit.curricula_support import write_curriculum

from ulab_core.i18n import translations
from ulab_curricula import load_curriculum
from ulab_curricula.receiving import (
    MOST_BYTES,
    MOST_BYTES_A_FILE,
    MOST_FILES,
    Entry,
    Kind,
    NotTaken,
    from_folder,
    from_zip,
    is_wanted,
    refusal,
    take_in,
)

CURRICULUM = "curricula/adding/curriculum.yaml"


@pytest.mark.parametrize(
    "path", ["labs", "labs/a/b/lab.py", "labs/农业/实验.md", "README.md", "a-b_c.d"]
)
def test_a_plain_path_is_taken(path: str) -> None:
    assert refusal(path, Kind.FILE) is None


@pytest.mark.parametrize(
    ("path", "kind", "sentence"),
    [
        ("../etc/passwd", Kind.FILE, "leads out"),
        ("labs/../../x", Kind.FILE, "leads out"),
        ("/etc/passwd", Kind.FILE, "leads out"),
        ("labs\\..\\x", Kind.FILE, "leads out"),
        ("C:/x", Kind.FILE, "leads out"),
        ("", Kind.FILE, "leads out"),
        ("labs/a\nb", Kind.FILE, "can't be printed"),
        ("labs/\x1b[2J", Kind.FILE, "can't be printed"),
        ("labs/\u202efdp.py", Kind.FILE, "can't be printed"),
        ("labs/" + "x" * 300, Kind.FILE, "too long"),
        ("labs" + "/x" * 12, Kind.FILE, "too deep"),
        ("labs/x", Kind.LINK, "is a link"),
        ("labs/x", Kind.OTHER, "neither a file nor a folder"),
    ],
)
def test_a_path_that_is_not_plain_is_refused(path: str, kind: Kind, sentence: str) -> None:
    found = refusal(path, kind)
    assert found is not None
    assert sentence in str(found)
    assert str(found).isprintable()
    assert found.sentence(translations("zh").gettext) != str(found)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (CURRICULUM, True),
        ("labs/a/b/lab.py", True),
        ("labs", False),
        ("setup.py", False),
        ("conftest.py", False),
        (".git/hooks/post-checkout", False),
        ("labs/.git/config", False),
        ("labs/a/.ipynb_checkpoints/lab.ipynb", False),
    ],
)
def test_only_labs_and_curricula_are_wanted(path: str, wanted: bool) -> None:
    assert is_wanted(path) is wanted


def zipped(*members: tuple[str, bytes | str], names: Callable[[str], str] = str) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(names(name), content)
    made.seek(0)
    return made


def link(name: str, to: str) -> tuple[zipfile.ZipInfo, str]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, to


def linked(name: str, to: str) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(*link(name, to))
        archive.writestr(f"{name}/x", "inside")
    made.seek(0)
    return made


def lying(size: int) -> io.BytesIO:
    """A zip whose file says that it is one byte long."""
    made = zipped((CURRICULUM, b"\0" * size))
    info = zipfile.ZipFile(made).infolist()[0]
    return io.BytesIO(
        made.getvalue().replace(info.file_size.to_bytes(4, "little"), (1).to_bytes(4, "little"))
    )


def encrypted() -> io.BytesIO:
    """A zip whose file says that it is encrypted."""
    made = bytearray(zipped((CURRICULUM, "x")).getvalue())
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(made))


BIG = b"\0" * (MOST_BYTES_A_FILE - 1)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: zipped((CURRICULUM, "x"), ("../../evil", "x")), "leads out"),
        (lambda: zipped((CURRICULUM, "x"), ("/tmp/evil", "x")), "leads out"),
        (lambda: zipped((CURRICULUM, "x"), ("labs/a/../../../evil", "x")), "leads out"),
        (lambda: linked("labs/a", "/etc"), "labs/a is a link"),
        (lambda: linked("elsewhere", "/etc"), "elsewhere is a link"),
        (lambda: zipped((CURRICULUM, BIG + b"\0\0")), "is larger than 5 MiB"),
        (
            lambda: zipped(*((f"labs/a/{n}", BIG) for n in range(MOST_BYTES // len(BIG) + 1))),
            "All files together",
        ),
        (lambda: zipped(*((f"labs/a/{n}", "") for n in range(MOST_FILES + 1))), "more than 5000"),
        (lambda: zipped((CURRICULUM, "x"), (CURRICULUM.replace("add", "ADD"), "y")), "capitals"),
        (lambda: zipped((CURRICULUM, "x"), (CURRICULUM, "y")), "there twice"),
        (lambda: zipped(("labs/a/b/lab.py", "x")), "There is no curriculum in it"),
        (lambda: zipped(), "There is no curriculum in it"),
        (lambda: io.BytesIO(b"PK\3\4 but no more"), "It is no zip file"),
        (lambda: io.BytesIO(b""), "It is no zip file"),
        (encrypted, "is encrypted"),
        (lambda: lying(100_000), "can't be read: Bad CRC"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_that_is_not_plain_is_refused_and_writes_nothing_outside(
    tmp_path: Path, made: Callable[[], io.BytesIO], sentence: str
) -> None:
    target = tmp_path / "deep" / "down" / "target"
    with pytest.raises(NotTaken, match=sentence):
        take_in(from_zip(made()), target)
    outside = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(target) for path in outside)
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_damaged_anywhere_is_refused_in_words(tmp_path: Path, method: int) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        archive.writestr(CURRICULUM, "id: adding\n" * 1000)
    refused = 0
    for place in range(len(whole.getvalue())):
        damaged = bytearray(whole.getvalue())
        damaged[place] ^= 0xFF
        try:
            take_in(from_zip(io.BytesIO(bytes(damaged))), tmp_path / str(place))
        except NotTaken:
            refused += 1
    assert refused > 50  # in the others only a time or an unused size differs


@pytest.mark.parametrize("around", ["", "lessons-main/"])
def test_a_plain_zip_is_taken_in(tmp_path: Path, around: str) -> None:
    root = tmp_path / "given"
    write_curriculum(root)
    files = [(str(p.relative_to(root)), p.read_bytes()) for p in root.rglob("*") if p.is_file()]
    others = [("README.md", b"hello"), ("setup.py", b"import os")]
    take_in(from_zip(zipped(*files, *others, names=lambda name: around + name)), tmp_path / "in")
    assert load_curriculum(tmp_path / "in" / "curricula" / "adding").labs[0].id == "sums"
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["curricula", "labs"]


def test_a_folder_is_taken_in_without_what_lies_beside(tmp_path: Path) -> None:
    root = tmp_path / "given"
    write_curriculum(root)
    (root / "secret.txt").write_text("x")
    (root / "elsewhere").symlink_to("/etc")
    (root / "labs" / "__pycache__").mkdir()
    take_in(from_folder(root), tmp_path / "in")
    assert load_curriculum(tmp_path / "in" / "curricula" / "adding").labs[0].id == "sums"
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["curricula", "labs"]
    assert not (tmp_path / "in" / "labs" / "__pycache__").exists()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda labs: (labs / "x").symlink_to("/etc/passwd"), "labs/x is a link"),
        (lambda labs: (labs / "x").symlink_to("/etc"), "labs/x is a link"),
        (lambda labs: os.mkfifo(labs / "x"), "labs/x is neither"),
        (lambda labs: os.truncate(_made(labs / "x"), MOST_BYTES_A_FILE + 1), "larger than 5 MiB"),
        (lambda labs: (labs / "a\nb").write_text("x"), "can't be printed"),
    ],
)
def test_a_folder_that_is_not_plain_is_refused(
    tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    root = tmp_path / "given"
    write_curriculum(root)
    make(root / "labs")
    with pytest.raises(NotTaken, match=sentence):
        take_in(from_folder(root), tmp_path / "in")


def _made(path: Path) -> Path:
    path.touch()
    return path


def test_a_room_that_can_not_be_read_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    write_curriculum(tmp_path / "given")
    shutil.rmtree(tmp_path / "given" / "labs")
    (tmp_path / "given" / "labs").touch()
    with pytest.raises(NotTaken, match="labs can't be read"):
        take_in(from_folder(tmp_path / "given"), tmp_path / "in")


def test_a_room_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write_curriculum(tmp_path / "given")
    (tmp_path / "given" / "labs").rename(tmp_path / "labs")
    (tmp_path / "given" / "labs").symlink_to(tmp_path / "labs")
    with pytest.raises(NotTaken, match="labs is a link"):
        take_in(from_folder(tmp_path / "given"), tmp_path / "in")


def test_a_file_kept_in_lfs_is_refused(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    entry = Entry("labs/a/b/lab.py", Kind.FILE, lambda: io.BytesIO(pointer))
    with pytest.raises(NotTaken, match="Git LFS"):
        take_in([entry], tmp_path / "in")
