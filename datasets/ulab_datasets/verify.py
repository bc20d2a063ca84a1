"""Prove that a data set's files, and what they are made from, are what the card says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from ulab_core.i18n import mark
from ulab_datasets.card import Card, Column
from ulab_datasets.errors import DataMismatch
from ulab_datasets.transforms import listed_digest, transform


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def make(card: Card, unpacked: Path, target: Path) -> None:
    """Write the card's files to `target`, refusing any whose bytes are not the known ones.

    Raises
    ------
    DataMismatch
        A member or a file made from it has another SHA-256, or the data another shape.
    """
    target.mkdir(parents=True, exist_ok=True)
    for file in card.files:
        member = unpacked / file.member
        # Before anything reads the content: one of the formats is a pickle.
        _require_digest(card, member, file.member_sha256)
        if file.listed_sha256 is not None:
            _require(card, f"{member.name}, …", listed_digest(member), file.listed_sha256)
        transform(file, member, target / file.path)
    verify(card, target)


def verify(card: Card, folder: Path) -> None:
    """Prove that `folder` holds the card's files, and that they have the card's shape.

    Raises
    ------
    DataMismatch
        Something differs; the sentence names what.
    """
    for file in card.files:
        path = folder / file.path
        if not path.is_file():
            raise DataMismatch(
                mark("Data set {name}: {file} is missing."), name=card.id, file=file.path
            )
        _require_digest(card, path, file.sha256)
    if card.shape.columns is not None:
        _verify_table(card, folder / card.files[0].path)
    for name, shape in (card.shape.arrays or {}).items():
        found = _array_shape(card, folder, name)
        if found != tuple(shape):
            _refuse(card, f"{name}: {found}, not {tuple(shape)}")


def _require_digest(card: Card, path: Path, expected: str) -> None:
    _require(card, path.name, sha256(path), expected)


def _require(card: Card, what: str, found: str, expected: str) -> None:
    if found != expected:
        raise DataMismatch(
            mark(
                "Data set {name}: {file} is not the file the card describes "
                "(SHA-256 {found}…, not {expected}…); it was changed and must not be used."
            ),
            name=card.id,
            file=what,
            found=found[:12],
            expected=expected[:12],
        )


def _verify_table(card: Card, path: Path) -> None:
    frame = pd.read_csv(path)
    columns = card.shape.columns or {}
    if len(frame) != card.shape.rows:
        _refuse(card, f"{len(frame)} rows, not {card.shape.rows}")
    if list(frame.columns) != list(columns):
        _refuse(card, f"columns {list(frame.columns)}, not {list(columns)}")
    for name, column in columns.items():
        problem = _column_problem(frame[name], column)
        if problem:
            _refuse(card, f"{name}: {problem}")


def _column_problem(values: pd.Series, column: Column) -> str | None:
    missing = int(values.isna().sum())
    if missing != column.missing:
        return f"{missing} missing, not {column.missing}"
    present = values.dropna()
    if column.kind in ("integer", "number"):
        if not pd.api.types.is_numeric_dtype(present):
            return "not numeric"
        if column.kind == "integer" and not np.equal(present, present.round()).all():
            return "not whole"
        if column.minimum is not None and present.min() < column.minimum:
            return f"{present.min()} is below {column.minimum}"
        if column.maximum is not None and present.max() > column.maximum:
            return f"{present.max()} is above {column.maximum}"
    if column.kind == "boolean" and not set(map(str, present.unique())) <= {"True", "False"}:
        return "not true or false"
    if column.values is not None:
        strange = set(map(str, present.unique())) - set(column.values)
        if strange:
            return f"unknown values {sorted(strange)}"
    return None


def _array_shape(card: Card, folder: Path, name: str) -> tuple[int, ...]:
    if card.format == "idx":
        return _idx_shape(folder / f"{name}.idx")
    # Mapped, not read: an array may be larger than the memory.
    return tuple(np.load(folder / f"{name}.npy", mmap_mode="r").shape)


def _idx_shape(path: Path) -> tuple[int, ...]:
    head = np.fromfile(path, dtype=np.uint8, count=4 + 4 * 8)
    rank = int(head[3])
    return tuple(int(size) for size in head[4 : 4 + 4 * rank].copy().view(">u4"))


def _refuse(card: Card, reason: str) -> None:
    raise DataMismatch(
        mark("Data set {name} is not what its card says: {reason}."), name=card.id, reason=reason
    )
