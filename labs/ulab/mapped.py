"""Map a file's arrays into memory: one copy for all processes, and each may change its own view."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def npy(path: Path) -> np.ndarray:
    """Map NumPy's own format."""
    import numpy as np

    # Copy on write: the pages are the shared file's until a notebook changes them.
    return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))


def idx(path: Path) -> np.ndarray:
    """Map LeCun's IDX format: two zero bytes, type, rank, sizes (big-endian), values.

    Raises
    ------
    ValueError
        The file is no IDX file of bytes, or shorter than it says.
    """
    import numpy as np

    head = np.fromfile(path, dtype=np.uint8, count=4 + 4 * 8)
    if head.size < 4 or head[0] or head[1] or head[2] != 8:
        raise ValueError(f"{path.name} is no IDX file of bytes")
    start = 4 + 4 * int(head[3])
    shape = tuple(int(size) for size in head[4:start].copy().view(">u4"))
    return np.asarray(np.memmap(path, dtype=np.uint8, mode="c", offset=start, shape=shape))
