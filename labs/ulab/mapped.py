"""Map a file's arrays into memory: one copy for all processes, and each may change its own view."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


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


def table(path: Path) -> pd.DataFrame:
    """Map a table that `ulab_datasets.tables` wrote: uncompressed Arrow, one batch.

    Numbers are copied where they are changed; texts are Arrow's, which are never changed in place.
    """
    import mmap

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    with path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    whole = np.frombuffer(pages, dtype=np.uint8)
    found = pa.ipc.open_file(pa.py_buffer(pages)).read_all()
    texts = found.select([field.name for field in found.schema if _is_text(field)]).to_pandas()
    columns = {}
    for field in found.schema:
        if _is_text(field):
            columns[field.name] = texts[field.name]
            continue
        array = found.column(field.name).chunk(0)
        start = array.buffers()[1].address - whole.ctypes.data
        dtype = np.bool_ if field.metadata else field.type.to_pandas_dtype()
        size = len(array) * np.dtype(dtype).itemsize
        columns[field.name] = whole[start : start + size].view(dtype)
    return pd.DataFrame(columns, copy=False)


def _is_text(field: pa.Field) -> bool:
    return str(field.type) == "large_string"
