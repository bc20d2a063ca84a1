"""Read from files what a card says of them: the format, and the shape of what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ulab_datasets.card import Column, Schema

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
