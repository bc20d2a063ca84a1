"""A workspace's export as a tar archive that is made while it is read, whatever its size."""

from __future__ import annotations

import shutil
import tarfile
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_mlflow.export import (
    DATABASE,
    FILES,
    README,
    SUMMARY,
    Exported,
    kept_files,
    no_half,
    readme,
    summary,
)
from ulab_mlflow.export_database import write_database

_PART = 1024 * 1024
# No download takes longer; what is older was left by a portal that was killed.
_LONGEST_S = 24 * 3600


def archive(settings: Settings, workspace: str) -> Iterator[bytes]:
    """The archive, part by part; its one folder is named by the workspace.

    The database is written before anything is returned, so what hinders it is an error still.

    Raises
    ------
    DiskFull
        There is no room for the database.
    """
    room = Layout.of(settings).mlflow / "tmp" / f"export-{uuid.uuid4().hex}"
    room.parent.mkdir(exist_ok=True)
    _remove_leftovers(room.parent)
    with no_half(room, keep=True):
        room.mkdir(mode=0o700)
        rows = write_database(settings, workspace, room / DATABASE)
        kept = list(kept_files(settings, workspace))
        found = Exported(rows, len(kept), sum(size for _, _, size in kept))
        (room / README).write_text(readme(workspace), encoding="utf-8")
        (room / SUMMARY).write_text(summary(found, workspace), encoding="utf-8")
    return _parts(workspace, room, kept)


def _remove_leftovers(folder: Path) -> None:
    """Remove databases of archives that nobody reads any more: they hold all of a team's rows."""
    for room in folder.glob("export-*"):
        with suppress(OSError):
            if time.time() - room.stat().st_mtime > _LONGEST_S:
                shutil.rmtree(room, ignore_errors=True)


def _parts(workspace: str, room: Path, kept: list[tuple[str, Path, int]]) -> Iterator[bytes]:
    try:
        for name in (README, SUMMARY, DATABASE):
            file = room / name
            yield from _entry(f"{workspace}/{name}", file, file.stat().st_size)
        for path, file, size in kept:
            yield from _entry(f"{workspace}/{FILES}/{path}", file, size)
        yield b"\0" * (2 * tarfile.BLOCKSIZE)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _entry(name: str, file: Path, size: int) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        return  # deleted since it was listed
    with opened:
        info.mtime = int(file.stat().st_mtime)
        yield info.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")
        left = size
        while left:
            part = opened.read(min(left, _PART))
            # What was said of the size must hold, also when the file became shorter meanwhile.
            part = part or b"\0" * min(left, _PART)
            left -= len(part)
            yield part
        yield b"\0" * (-size % tarfile.BLOCKSIZE)
