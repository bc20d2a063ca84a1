"""Put a data set into the store whole or not at all, whatever goes wrong on the way."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_datasets import dvc_repo
from ulab_datasets.errors import DiskFull, FetchFailed

UNFINISHED = ".fetch-"
"""How the names of folders begin that are written below a store's root."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Let nobody else change the store meanwhile."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def placing(root: Path, name: str, needed: int) -> Iterator[Path]:
    """Give a new folder for the data set `name`; it becomes the store's when the block is done.

    Parameters
    ----------
    root
        The DVC repository, locked by the caller.
    name
        The data set.
    needed
        How many bytes it takes; refused at once when the disk has fewer.

    Raises
    ------
    DiskFull, FetchFailed
        The disk is full, or can't be written. The store is as it was.
    """
    free = shutil.disk_usage(root).free
    if free < needed:
        raise _full(root, name, needed)
    before = dvc_repo.objects(root)
    # Whoever holds the lock is alone: these are of processes that were killed.
    for left in root.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        # On the store's own disk, so that a rename is enough in the end.
        with tempfile.TemporaryDirectory(dir=root, prefix=UNFINISHED) as scratch:
            folder = Path(scratch, name)
            folder.mkdir()
            yield folder
            _swap(folder, root / "store" / name, Path(scratch, ".old"))
    except BaseException as error:
        for path in dvc_repo.objects(root) - before:
            path.unlink()
        if _disk_was_full(error):
            raise _full(root, name, needed) from error
        if isinstance(error, OSError):
            raise FetchFailed(
                mark("Data set {name} can't be stored: {reason}."),
                name=name,
                reason=error.strerror or error,
            ) from error
        raise


def _swap(new: Path, place: Path, aside: Path) -> None:
    place.parent.mkdir(mode=0o755, exist_ok=True)
    if place.exists():
        place.rename(aside)
    new.rename(place)


def _full(root: Path, name: str, needed: int) -> DiskFull:
    return DiskFull(
        mark(
            "Data set {name} needs about {needed} MB, and the disk of {folder} has {free} MB left. "
            "Nothing was changed; make room and try again."
        ),
        name=name,
        needed=-(-needed // 1_000_000),
        folder=root,
        free=shutil.disk_usage(root).free // 1_000_000,
    )


def _disk_was_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error, perhaps one of a program that was called."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if isinstance(error, UserError) and any(
            os.strerror(code) in str(value) for code in _FULL for value in error.values.values()
        ):
            return True
        error = error.__cause__ or error.__context__
    return False
