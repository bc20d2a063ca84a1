"""Keeps what is noted from filling the disk: the oldest goes first."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ulab.tracking.spool import Spool

VARIABLE = "ULAB_TRACKING_MB"
USUAL_MB = 512
MIB = 1024 * 1024


class Kept(NamedTuple):
    """Something that could be given up, and how many bytes that would free."""

    name: str
    size: int


def limit() -> int:
    """The most bytes that may wait to be sent."""
    try:
        return max(1, int(os.environ.get(VARIABLE, ""))) * MIB
    except ValueError:
        return USUAL_MB * MIB


def given_up(total: int, most: int, oldest_first: Sequence[Kept]) -> list[str]:
    """What has to go so that no more than `most` bytes are kept.

    Examples
    --------
    >>> given_up(120, 100, [Kept("old", 15), Kept("newer", 30), Kept("newest", 75)])
    ['old', 'newer']
    """
    gone = []
    for name, size in oldest_first:
        if total <= most:
            break
        gone.append(name)
        total -= size
    return gone


def make_room(base: Path, own: Spool, more: int = 0) -> bool:
    """Give up the oldest of what waits, until `more` bytes fit.

    First runs whose kernels are gone, then the earliest lines of the run itself. A running one of
    another kernel is left alone.

    Returns
    -------
    bool
        Whether something had to go.
    """
    sizes = {spool.key: spool.bytes_kept() for spool in Spool.all(base)}
    total, most = sum(sizes.values()) + more, limit()
    if total <= most:
        return False
    left = [Kept(spool.key, sizes[spool.key]) for spool in Spool.all(base) if not spool.owned()]
    gone = given_up(total, most, left)
    for name in gone:
        Spool(base / name).remove()
        total -= sizes[name]
    # The last piece is the one that is being written.
    pieces = [Kept(str(piece), _size(piece)) for piece in own.pieces()[:-1]]
    for name in given_up(total, most, pieces):
        gone.append(name)
        with contextlib.suppress(OSError):
            Path(name).unlink()
    return bool(gone)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
