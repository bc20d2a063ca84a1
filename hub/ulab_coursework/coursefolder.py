"""A course's nbgrader folder: its rooms, who may write in them, and the lock on its gradebook."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ulab_core.layout import Layout
from ulab_core.settings import load_settings

ROOMS = ("source", "release", "submitted", "autograded", "feedback")
_LOCK = ".gradebook.lock"


def course_gid(number: int, uid_base: int | None = None) -> int | None:
    """The host group that may write a course's files; None when the base does not run as root.

    Parameters
    ----------
    number
        The course's number in the database.
    uid_base
        The setting ``accounts.uid_base``; None means to look it up.
    """
    if os.geteuid() != 0:
        return None
    base = load_settings().accounts.uid_base if uid_base is None else uid_base
    return base * 2 + number


def prepare_folder(layout: Layout, course_id: str, gid: int | None) -> Path:
    """Create a course's folder and rooms; safe to repeat.

    New files inherit the group, because the folders carry the set-group-id bit.
    """
    folder = layout.course(course_id)
    for path in (folder, *(folder / room for room in ROOMS)):
        path.mkdir(parents=True, exist_ok=True)
        _share(path, gid)
    return folder


def make_folder(path: Path, gid: int | None) -> None:
    """Create a folder and its missing parents, shared with the course's group."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        _share(folder, gid)


def write_file(path: Path, content: bytes, gid: int | None) -> None:
    """Write a file of the course in one step, so that a reader sees the old one or the new one."""
    make_folder(path.parent, gid)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(content)
    share_file(temporary, gid)
    temporary.replace(path)


def share_file(path: Path, gid: int | None) -> None:
    if gid is not None:
        os.chown(path, -1, gid)
    path.chmod(0o660)


def _share(folder: Path, gid: int | None) -> None:
    if gid is not None:
        os.chown(folder, -1, gid)
    folder.chmod(0o2770)


def gradebook_url(layout: Layout, course_id: str) -> str:
    """The gradebook as SQLAlchemy sees it, patient with formgrader and other workers."""
    return f"sqlite:///{layout.gradebook(course_id)}?timeout=30"


@contextmanager
def gradebook_lock(layout: Layout, course_id: str) -> Iterator[None]:
    """Let one process of the base at a time write the gradebook.

    nbgrader commits cell by cell, so without it two workers would share one another's half-done
    grades. The lock goes when its holder dies.
    """
    path = layout.course(course_id) / _LOCK
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
