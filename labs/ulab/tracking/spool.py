"""Where a run is noted on the disk until it is sent: folders, lines and locks.

~/.cache/ulab/tracking/<server and person>/
    sender.lock          held by the one process that sends
    wake                 a pipe that wakes it
    <moment>-<random>/   a run
        about.json       what it is to be called and where it belongs
        owner            locked for as long as its kernel is in the block
        <writer>-<n>.jsonl   its lines, in pieces that are removed once they are sent
        files/           copies of what is to be kept with it
        state.json       how far it is sent; the sender alone writes it
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ABOUT, OWNER, STATE, FILES = "about.json", "owner", "state.json", "files"


def home() -> Path:
    """Where every run of this person is noted; never in the folder of an assignment."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "ulab", "tracking")


def base_for(uri: str, person: str) -> Path:
    """The folder for one server and person: what is noted as one is never sent as another."""
    digest = hashlib.sha256(f"{uri.rstrip('/')}\n{person}".encode()).hexdigest()
    return home() / digest[:16]


class Spool:
    """One run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def key(self) -> str:
        return self.folder.name

    @classmethod
    def create(cls, base: Path, about: dict[str, Any]) -> tuple[Spool, int]:
        """Make a run's folder, and hold its lock.

        Returns
        -------
        tuple of Spool and int
            The run, and the open file that holds the lock.

        Raises
        ------
        OSError
            The disk is full, or the home can't be written to.
        """
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = f"{time.time_ns() // 1_000_000:014d}-{secrets.token_hex(6)}"
        # Shown to the sender only once it is whole and locked.
        being_made = base / f".{key}"
        being_made.mkdir(mode=0o700)
        try:
            (being_made / ABOUT).write_text(json.dumps(about | {"key": key}), encoding="utf-8")
            lock = os.open(being_made / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            being_made.rename(base / key)
        except OSError:
            shutil.rmtree(being_made, ignore_errors=True)
            raise
        return cls(base / key), lock

    @classmethod
    def all(cls, base: Path) -> list[Spool]:
        """Every run that is noted, the oldest first."""
        try:
            names = sorted(entry.name for entry in os.scandir(base) if entry.is_dir())
        except FileNotFoundError:
            return []
        return [cls(base / name) for name in names if not name.startswith(".")]

    def about(self) -> dict[str, Any]:
        return _read(self.folder / ABOUT)

    def state(self) -> dict[str, Any]:
        return _read(self.folder / STATE)

    def write_state(self, state: dict[str, Any]) -> None:
        temporary = self.folder / f".{STATE}"
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(self.folder / STATE)

    def pieces(self) -> list[Path]:
        """The files of lines, each writer's in its order."""
        return sorted(self.folder.glob("*.jsonl"), key=_place_of)

    def waiting(self, sent: Mapping[str, int]) -> int:
        """How many bytes of lines are not sent.

        Parameters
        ----------
        sent
            By the name of a piece, how many of its bytes are.
        """
        total = 0
        for piece in self.pieces():
            # Sent and removed meanwhile.
            with contextlib.suppress(OSError):
                total += max(0, piece.stat().st_size - sent.get(piece.name, 0))
        return total

    def owned(self) -> bool:
        """Whether its kernel, or a process forked from it, still is in the block."""
        return locked(self.folder / OWNER)

    def bytes_kept(self) -> int:
        total = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.stat(os.path.join(folder, name)).st_size  # noqa: PTH118, PTH116
        return total

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def locked(path: Path) -> bool:
    """Whether some process holds the lock of this file."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(file)


def _place_of(piece: Path) -> tuple[str, int]:
    writer, _, number = piece.stem.rpartition("-")
    return writer, int(number) if number.isdigit() else 0


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
