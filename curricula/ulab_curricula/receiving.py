"""Takes in curricula of others, from a folder, a zip or a Git repository: plain small files alone.

Nothing of theirs is run, followed or unpacked anywhere but below one new folder.
"""

from __future__ import annotations

import enum
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ulab_core.errors import UserError
from ulab_core.i18n import mark

ROOMS = ("curricula", "labs")
"""The folders that are taken in; what lies beside them is left out."""
MOST_FILES = 5_000
MOST_BYTES = 64 * 1024 * 1024
MOST_BYTES_A_FILE = 5 * 1024 * 1024
LONGEST_PATH = 200
DEEPEST = 10
_BLOCK = 1024 * 1024
# What `zipfile` raises of a damaged file; an offset before its beginning is a ValueError.
_DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, EOFError, OSError, ValueError,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class NotTaken(UserError):
    """What was offered can't be taken in; nothing of it was."""


class Kind(enum.Enum):
    """What an entry is."""

    FILE = enum.auto()
    FOLDER = enum.auto()
    LINK = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True)
class Entry:
    """Something offered.

    Attributes
    ----------
    path
        As it was written, with ``/`` between its parts.
    open
        Gives the content of a file.
    """

    path: str
    kind: Kind
    open: Callable[[], IO[bytes]]


def refusal(path: str, kind: Kind) -> NotTaken | None:
    """Why an entry can't be taken in; a pure decision."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path:
        return NotTaken(mark("{path} leads out of the folder."), path=ascii(path))
    if not path.isprintable() or len(path) > LONGEST_PATH or len(parts) > DEEPEST:
        return NotTaken(
            mark("The path {path} is too long, too deep, or holds what can't be printed."),
            path=ascii(path[:LONGEST_PATH]),
        )
    if kind is Kind.LINK:
        return NotTaken(mark("{path} is a link; give the file itself."), path=path)
    if kind is Kind.OTHER:
        return NotTaken(mark("{path} is neither a file nor a folder."), path=path)
    return None


def is_wanted(path: str) -> bool:
    """Whether an entry lies where labs and curricula lie, and is no hidden file."""
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and parts[0] in ROOMS and not any(part[0] == "." for part in parts)


def take_in(entries: Iterable[Entry], target: Path) -> None:
    """Write what is wanted of some entries below `target`.

    Raises
    ------
    NotTaken
        One of them can't be taken in, there is too much, or nothing is wanted.
    """
    seen: dict[str, str] = {}
    room = MOST_BYTES
    for entry in entries:
        problem = refusal(entry.path, entry.kind)
        if problem is not None:
            raise problem
        if entry.kind is not Kind.FILE or not is_wanted(entry.path):
            continue
        path = str(PurePosixPath(entry.path))
        if path.casefold() in seen:
            raise NotTaken(
                mark("{path} is there twice, or differs from {other} in capitals alone."),
                path=path,
                other=seen[path.casefold()],
            )
        seen[path.casefold()] = path
        if len(seen) > MOST_FILES:
            raise NotTaken(mark("It holds more than {most} files."), most=MOST_FILES)
        try:
            room -= _write(entry, target / path, room)
        except _DAMAGED as error:
            raise NotTaken(
                mark("{path} can't be read: {reason}"), path=path, reason=error
            ) from None
    if not any(name.startswith("curricula/") for name in seen):
        raise NotTaken(
            mark(
                "There is no curriculum in it. It must hold the folders curricula/ and labs/, "
                "laid out as docs/curricula.md says."
            )
        )


def _write(entry: Entry, path: Path, room: int) -> int:
    """Write a file and give its size, which is counted and never believed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with entry.open() as source, path.open("xb") as out:
        while block := source.read(_BLOCK):
            if not size and block.startswith(_LFS_POINTER):
                raise NotTaken(
                    mark("{path} is kept in Git LFS, which is not fetched; keep it in Git itself."),
                    path=entry.path,
                )
            size += len(block)
            if size > MOST_BYTES_A_FILE:
                raise too_large(entry.path)
            if size > room:
                raise NotTaken(
                    mark("All files together are larger than {most} MiB."),
                    most=MOST_BYTES // _BLOCK,
                )
            out.write(block)
    return size


def too_large(path: str) -> NotTaken:
    """What is said of a file that is larger than any may be."""
    most = MOST_BYTES_A_FILE // _BLOCK
    return NotTaken(mark("{path} is larger than {most} MiB."), path=path, most=most)


def from_folder(folder: Path) -> Iterator[Entry]:
    """What lies in the rooms of a folder; links are named, not followed.

    Raises
    ------
    NotTaken
        There is no such folder, or one in it can't be read.
    """
    if not folder.is_dir():
        raise NotTaken(mark("There is no folder {path}."), path=folder)
    for room in ROOMS:
        if (folder / room).is_symlink():
            yield _entry_of(folder, folder / room)
            continue
        for place, folders, files in os.walk(folder / room, onerror=_unreadable):
            # Their tools' caches are nobody's content.
            folders[:] = sorted(name for name in folders if name[0] not in "._")
            for name in (*folders, *sorted(files)):
                yield _entry_of(folder, Path(place) / name)


def _unreadable(error: OSError) -> None:
    # A room that isn't there is said when nothing of it was taken in.
    if not isinstance(error, FileNotFoundError):
        raise NotTaken(
            mark("{path} can't be read: {reason}"), path=error.filename, reason=error.strerror
        )


def _entry_of(folder: Path, path: Path) -> Entry:
    mode = path.lstat().st_mode
    kinds = ((stat.S_ISREG, Kind.FILE), (stat.S_ISDIR, Kind.FOLDER), (stat.S_ISLNK, Kind.LINK))
    kind = next((kind for is_, kind in kinds if is_(mode)), Kind.OTHER)

    def open_it() -> IO[bytes]:
        # It may have become a link since.
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    return Entry(path.relative_to(folder).as_posix(), kind, open_it)


def from_zip(file: IO[bytes]) -> Iterator[Entry]:
    """What a zip file holds; a folder that everything lies in is left out of the paths.

    Raises
    ------
    NotTaken
        It is no zip file, or is encrypted or damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_FILES:
                raise NotTaken(mark("It holds more than {most} files."), most=MOST_FILES)
            around = _folder_around([info.filename for info in infos])
            for info in infos:
                if info.flag_bits & 1:
                    raise NotTaken(mark("{path} is encrypted."), path=ascii(info.filename))
                path = info.filename[len(around) :]
                if path:
                    yield Entry(path, _kind_in_zip(info), lambda info=info: archive.open(info))  # type: ignore[misc]
    except _DAMAGED as error:
        raise NotTaken(mark("It is no zip file that can be read: {reason}"), reason=error) from None


def _kind_in_zip(info: zipfile.ZipInfo) -> Kind:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return Kind.LINK
    if info.is_dir():
        return Kind.FOLDER
    return Kind.FILE if stat.S_IFMT(mode) in (0, stat.S_IFREG) else Kind.OTHER


def _folder_around(names: list[str]) -> str:
    firsts = {name.partition("/")[0] for name in names}
    if len(firsts) != 1 or not all("/" in name for name in names):
        return ""
    first = firsts.pop()
    return "" if first in (*ROOMS, "", "..") else f"{first}/"
