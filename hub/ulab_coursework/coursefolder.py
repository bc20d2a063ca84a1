"""A course's nbgrader folder: its rooms, who may write in them, and the lock on its gradebook.

The course's instructors can write everywhere in it and are only half trusted, while the base may
be root. So below the folder itself no link is ever followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePath

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import load_settings

ROOMS = ("source", "release", "submitted", "autograded", "feedback")
MOST_BYTES = 256 * 1024 * 1024
# Sticky: whoever may write in the folder can't put a link in the place of a room or the gradebook.
_FOLDER, _ROOM, _FILE = 0o3770, 0o2770, 0o660
_NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderTampered(Conflict):
    """Something lies in a course's folder that the base must not follow."""


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
    return (_own_uid_base() if uid_base is None else uid_base) * 2 + number


@cache
def _own_uid_base() -> int:
    """A number that no base changes while it serves: files would be somebody else's."""
    return load_settings().accounts.uid_base


def timestamp(moment: datetime) -> str:
    """A moment as nbgrader writes it into ``timestamp.txt``; such texts sort by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def prepare_folder(layout: Layout, course_id: str, gid: int | None) -> Path:
    """Create a course's folder and rooms; safe to repeat.

    New files inherit the group, because the folders carry the set-group-id bit.

    Raises
    ------
    FolderTampered
        A room is no folder.
    """
    folder = layout.course(course_id)
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(folder, (), gid) as inside:
        if gid is not None:
            # The user whose rights `course_rights` takes; nobody else has its number.
            os.fchown(inside, gid, gid)
        _share(inside, gid, _FOLDER)
    for room in ROOMS:
        with _opened(folder, (room,), gid) as inside:
            _share(inside, gid, _ROOM)
    return folder


def write_file(folder: Path, place: str | PurePath, content: bytes, gid: int | None) -> None:
    """Write a file of the course in one step, so that a reader sees the old one or the new one.

    Parameters
    ----------
    folder
        The course's.
    place
        The path below it; missing folders are made.

    Raises
    ------
    FolderTampered
        A link, or something that is no folder, lies on the way.
    """
    *parents, name = PurePath(place).parts
    with _opened(folder, parents, gid) as inside:
        temporary = f".{name}.{os.urandom(8).hex()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=inside), "wb") as file:
            file.write(content)
            file.flush()
            _share(file.fileno(), gid, _FILE)
        try:
            os.replace(temporary, name, src_dir_fd=inside, dst_dir_fd=inside)
        except IsADirectoryError:
            os.unlink(temporary, dir_fd=inside)
            raise _tampered(folder, place) from None


def read_file(folder: Path, place: str | PurePath) -> bytes:
    """Read a file of the course.

    Raises
    ------
    FileNotFoundError
        There is none.
    FolderTampered
        A link lies on the way, or it is no ordinary file, or one too large to be a notebook.
    """
    *parents, name = PurePath(place).parts
    with _opened(folder, parents, None, create=False) as inside:
        try:
            handle = os.open(name, os.O_RDONLY | _NO_LINK, dir_fd=inside)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _tampered(folder, place) from None
            raise
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise _tampered(folder, place)
        return file.read(MOST_BYTES)


@contextmanager
def _opened(
    folder: Path, parts: tuple[str, ...] | list[str], gid: int | None, *, create: bool = True
) -> Iterator[int]:
    """A descriptor of a folder below `folder`, reached without following a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | _NO_LINK
    handle = os.open(folder, flags)
    try:
        for part in parts:
            made = False
            if create:
                try:
                    os.mkdir(part, dir_fd=handle)
                    made = True
                except FileExistsError:
                    pass
            try:
                deeper = os.open(part, flags, dir_fd=handle)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise _tampered(folder, part) from None
                raise
            os.close(handle)
            handle = deeper
            if made:
                _share(handle, gid, _ROOM)
        yield handle
    finally:
        os.close(handle)


def _tampered(folder: Path, place: str | PurePath) -> FolderTampered:
    return FolderTampered(
        mark(
            "{place} in the folder of the course {course} is a link or of another kind than it "
            "should be, so it is not used. An instructor of the course can remove it."
        ),
        place=place,
        course=folder.name,
    )


def _share(handle: int, gid: int | None, mode: int) -> None:
    if gid is not None:
        os.fchown(handle, -1, gid)
    os.fchmod(handle, mode)


def gradebook_url(layout: Layout, course_id: str) -> str:
    """The gradebook as SQLAlchemy sees it, patient with formgrader and other workers.

    Raises
    ------
    FolderTampered
        Something else lies in its place.
    """
    path = layout.gradebook(course_id)
    _require_own(path)
    return f"sqlite:///{path}?timeout=30"


def _require_own(path: Path) -> None:
    """Make sure that a gradebook is a file which nobody else can put a link in the place of."""
    try:
        # Closing a file that was opened for reading would drop the locks that SQLite holds on it
        # in another thread of this process.
        handle = os.open(path, os.O_PATH | _NO_LINK)
    except FileNotFoundError:
        return
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _tampered(path.parent, path.name)
        if os.geteuid() == 0 and found.st_uid != 0:
            # Formgrader was opened before anything was published, and made it.
            os.chown(f"/proc/self/fd/{handle}", 0, -1)
            Path(f"/proc/self/fd/{handle}").chmod(_FILE)
    finally:
        os.close(handle)
    if not stat.S_ISREG(path.lstat().st_mode) or path.lstat().st_ino != found.st_ino:
        raise _tampered(path.parent, path.name)


@contextmanager
def gradebook_lock(layout: Layout, course_id: str) -> Iterator[None]:
    """Let one process of the base at a time write the gradebook.

    nbgrader commits cell by cell, so without it two workers would share one another's half-done
    grades. The lock goes when its holder dies. It lies where no instructor could hold it.
    """
    layout.run.mkdir(parents=True, exist_ok=True)
    path = layout.run / f"gradebook-{course_id}.lock"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
