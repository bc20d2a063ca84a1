"""Read from files what a card says of them: the format, and the shape of what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ulab_core.i18n import mark
from ulab_datasets.card import Column, Schema, Split
from ulab_datasets.errors import DataMismatch

MOST_VALUES = 20
"""A text column with fewer different values has them on the card."""


def describe(paths: Sequence[Path]) -> tuple[Literal["csv", "arrays", "files"], Schema]:
    """The format and schema of a data set's files.

    Raises
    ------
    OSError, ValueError
        A table or an array can't be read.
    """
    kinds = {path.suffix for path in paths}
    if kinds == {".csv"} and len(paths) == 1:
        frame = pd.read_csv(paths[0])
        columns = {str(name): _column(values) for name, values in frame.items()}
        return "csv", Schema(rows=len(frame), columns=columns)
    if kinds == {".npy"}:
        # Mapped, not read; and never unpickled.
        shapes = {path.stem: np.load(path, mmap_mode="r").shape for path in paths}
        return "arrays", Schema(arrays={name: tuple(shape) for name, shape in shapes.items()})
    return "files", Schema()


def require_split(name: str, shape: Schema, split: str, wanted: Split) -> None:
    """Refuse a part that the data has not.

    Raises
    ------
    DataMismatch
        Its rows or its column are not there.
    """
    lengths = [sizes[0] for sizes in (shape.arrays or {}).values() if sizes]
    rows = shape.rows if shape.rows is not None else min(lengths, default=0)
    known = {**(shape.columns or {}), **dict.fromkeys(shape.arrays or {})}
    if wanted.rows is not None:
        if not 0 <= wanted.rows[0] < wanted.rows[1] <= rows:
            raise DataMismatch(
                mark(
                    "Data set {name}: the split {split} of its card is rows {first} to {last}, but "
                    "the data has {rows} rows. Nothing was changed."
                ),
                name=name, split=split, first=wanted.rows[0], last=wanted.rows[1], rows=rows,
            )  # fmt: skip
    elif wanted.column not in known:
        raise DataMismatch(
            mark(
                "Data set {name}: the split {split} of its card names {column}, but the data has "
                "only: {known}. Nothing was changed."
            ),
            name=name, split=split, column=wanted.column, known=", ".join(known) or "-",
        )  # fmt: skip
    else:
        column = known[wanted.column]
        absent = set(wanted.values or ()) - set((column and column.values) or wanted.values or ())
        if absent:
            raise DataMismatch(
                mark(
                    "Data set {name}: the split {split} of its card wants {values}, which "
                    "{column} never is. Nothing was changed."
                ),
                name=name, split=split, column=wanted.column, values=", ".join(sorted(absent)),
            )  # fmt: skip


def _column(values: pd.Series) -> Column:
    present = values.dropna()
    missing = len(values) - len(present)
    if pd.api.types.is_bool_dtype(present) or set(map(str, present.unique()[:3])) <= {
        "True",
        "False",
    }:
        return Column(kind="boolean" if len(present) else "text", missing=missing)
    if pd.api.types.is_numeric_dtype(present):
        whole = bool(np.equal(present, present.round()).all())
        return Column(
            kind="integer" if whole else "number",
            missing=missing,
            minimum=float(present.min()),
            maximum=float(present.max()),
        )
    different = present.unique()
    listed = tuple(sorted(map(str, different))) if len(different) <= MOST_VALUES else None
    return Column(kind="text", missing=missing, values=listed)
