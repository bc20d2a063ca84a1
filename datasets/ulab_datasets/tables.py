"""Write a table so that it can be mapped into memory, beside the file with the known checksum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

BOOLEAN = {b"ulab": b"boolean"}


def map_table(csv: Path, folder: Path) -> None:
    """Write the mappable form of a table into `folder`, under the same name."""
    target = folder / csv.with_suffix(".arrow").name
    folder.mkdir()
    if not write_mappable(pd.read_csv(csv), target):
        folder.rmdir()


def still_maps(csv: Path, mapped: Path) -> bool:
    """Whether the mappable form of a table holds what its CSV does."""
    sink = pa.BufferOutputStream()
    return write_mappable(pd.read_csv(csv), sink) and sink.getvalue() == mapped.read_bytes()


def write_mappable(frame: pd.DataFrame, target: Path | pa.NativeFile) -> bool:
    """Write an uncompressed Arrow file of one batch, as `ulab.mapped.table` maps it.

    Parameters
    ----------
    frame
        The table as `pandas.read_csv` reads it.
    target
        The file to write, or an open one.

    Returns
    -------
    bool
        False, and nothing is written, when a column is of a kind that can't be mapped: the table
        is then read from its CSV.
    """
    columns, fields = [], []
    for name, values in frame.items():
        column = _mappable(values)
        if column is None:
            return False
        columns.append(column)
        is_boolean = values.dtype == np.bool_
        fields.append(pa.field(str(name), column.type, metadata=BOOLEAN if is_boolean else None))
    schema = pa.schema(fields)
    batch = pa.record_batch(columns, schema=schema)
    sink = pa.OSFile(str(target), "wb") if isinstance(target, Path) else target
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch)
    if isinstance(target, Path):
        sink.close()
    return True


def _mappable(values: pd.Series) -> pa.Array | None:
    if values.dtype in (np.int64, np.float64):
        # A missing number stays NaN: a mask of Arrow's could not be mapped as NumPy has it.
        return pa.array(values.to_numpy(), from_pandas=False)
    if values.dtype == np.bool_:
        return pa.array(values.to_numpy().view(np.uint8))
    if isinstance(values.dtype, pd.StringDtype):
        found = pa.array(values, type=pa.large_string(), from_pandas=True)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return None
