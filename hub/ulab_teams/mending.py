"""Give what was moved into a team's folder to the team: ``python -m ulab_teams.mending``.

A file that is made there belongs to the team's group, but one that was moved there keeps the group
and mode that it had. Whoever may write in the folder may put anything there while this runs as
root: so nothing is opened by a path, no link is followed, and everything that is changed is held by
a descriptor. Imports nothing but Python's own, since it runs every few minutes.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

DEEPEST = 60
"""Folders below one another that are looked at; each holds a descriptor open."""
MOST = 500_000
_NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | _NO_LINK
# The ACL of linux/posix_acl_xattr.h: new files are the group's whatever the umask says.
_VERSION, _NOBODY_IN_PARTICULAR = 2, 0xFFFFFFFF
_USER, _GROUP, _OTHER = 0x01, 0x04, 0x20
DEFAULT_ACL = struct.pack("<I", _VERSION) + b"".join(
    struct.pack("<HHI", tag, rights, _NOBODY_IN_PARTICULAR)
    for tag, rights in ((_USER, 7), (_GROUP, 7), (_OTHER, 0))
)
ACL = "system.posix_acl_default"


@dataclass(frozen=True)
class Entry:
    """Something that lies in a team's folder.

    Parameters
    ----------
    folder
        A descriptor of the folder it lies in, while the walk is there.
    """

    folder: int
    name: str
    status: os.stat_result


def entries(folder: int, most: int = MOST) -> Iterator[Entry]:
    """Everything below a folder, held by a descriptor, following no link.

    Parameters
    ----------
    most
        After how many to stop.
    """
    left = [most]
    yield from _below(folder, DEEPEST, left)


def _below(folder: int, depth: int, left: list[int]) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        names = [one.name for one in found]
    for name in names:
        if left[0] <= 0:
            return
        left[0] -= 1
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            continue
        yield Entry(folder, name, status)
        if stat.S_ISDIR(status.st_mode) and depth:
            with suppress(OSError), _opened(name, _FOLDER, folder) as deeper:
                yield from _below(deeper, depth - 1, left)


def mend(folder: Path, gid: int) -> int:
    """Make everything in a team's folder the team's: its group, which may read and write it.

    Returns
    -------
    int
        How much of it was not.
    """
    mended = 0
    with _opened(folder, _FOLDER) as top:
        for entry in entries(top):
            if needs_mending(entry.status, gid):
                with suppress(OSError):
                    mended += _mend_one(entry, gid)
    return mended


def needs_mending(status: os.stat_result, gid: int) -> bool:
    """Whether a file or folder is less than the team's; links and the like never are."""
    mode = status.st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return False
    return status.st_gid != gid or stat.S_IMODE(mode) != wanted_mode(mode)


def wanted_mode(mode: int) -> int:
    """The mode that lets the group do what the owner may.

    Examples
    --------
    >>> oct(wanted_mode(stat.S_IFREG | 0o604)), oct(wanted_mode(stat.S_IFDIR | 0o700))
    ('0o664', '0o2770')
    """
    rights = mode & 0o777
    for_group = rights | (rights & 0o700) >> 3
    return for_group | 0o2000 if stat.S_ISDIR(mode) else for_group


def _mend_one(entry: Entry, gid: int) -> bool:
    with _opened(entry.name, os.O_PATH | _NO_LINK, entry.folder) as handle:
        status = os.fstat(handle)
        if not needs_mending(status, gid):
            return False  # something else was put there meanwhile
        this = f"/proc/self/fd/{handle}"
        os.chown(this, -1, gid)
        os.chmod(this, wanted_mode(status.st_mode))  # noqa: PTH101
        if stat.S_ISDIR(status.st_mode):
            share_what_is_made_in(this)
    return True


def has_acls(folder: Path) -> bool:
    """Whether the file system of a folder can do what `share_what_is_made_in` asks of it."""
    try:
        os.getxattr(folder, ACL)
    except OSError as error:
        return error.errno != errno.EOPNOTSUPP
    return True


def share_what_is_made_in(folder: str | int) -> None:
    """Have new files of a folder be writable for its group, where the file system can."""
    with suppress(OSError):
        os.setxattr(folder, ACL, DEFAULT_ACL)


@contextmanager
def _opened(name: str | Path, flags: int, folder: int | None = None) -> Iterator[int]:
    handle = os.open(name, flags, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def main() -> None:
    """Mend each folder that is named, with the number of its group after it."""
    os.nice(10)
    arguments = iter(sys.argv[1:])
    for folder, gid in zip(arguments, arguments, strict=True):
        with suppress(OSError):
            mend(Path(folder), int(gid))


if __name__ == "__main__":
    main()
