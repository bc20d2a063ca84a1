"""Read a data set from the shared, read-only store."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulab import loaded, mapped
from ulab.errors import ULabError
from ulab.language import language, say

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

VARIABLE = "ULAB_DATASETS"
FALLBACK = Path("state/datasets/store")


@dataclass(frozen=True)
class Images:
    """Labelled images, split into training and test.

    Attributes
    ----------
    train_images, test_images
        uint8 arrays of shape (n, height, width).
    train_labels, test_labels
        uint8 arrays of shape (n,), indices into `classes`.
    classes, classes_zh
        The classes' names in English and in Chinese.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    classes_zh: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names in the student's language."""
        return self.classes_zh if language() == "zh" else self.classes


class Arrays(Mapping[str, "np.ndarray"]):
    """Arrays by name, such as ``data.images`` or ``data["images"]``.

    Each is mapped from the shared file; what a notebook changes stays its own.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getattr__(self, name: str) -> np.ndarray:
        # Looked up without our own attribute: copy and pickle ask before it is there.
        arrays = self.__dict__.get("_arrays", {})
        if name not in arrays:
            raise AttributeError(f"there is no array {name!r}, but {', '.join(arrays)}")
        found: np.ndarray = arrays[name]
        return found

    def __repr__(self) -> str:
        described = (f"{name}: {a.dtype} {a.shape}" for name, a in self._arrays.items())
        return f"Arrays({', '.join(described)})"


def load(name: str) -> Any:
    """Read a data set.

    Parameters
    ----------
    name
        What the data set is called on its card, such as ``"elecdemand"``.

    Returns
    -------
    pandas.DataFrame, Images, Arrays or pathlib.Path
        By the format on the card; a path is the read-only folder with the files. What is read may
        be changed: it stays this notebook's own.

    Raises
    ------
    ULabError
        There is no such data set here, or its files can't be read.
    """
    known = store()
    folder = known / name
    try:
        written = (folder / "card.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ULabError(_missing(known, name)) from None
    try:
        card = json.loads(written)
        read = _READERS[card["format"]](folder, card)
    except (KeyError, ValueError, OSError) as error:
        raise ULabError(
            say(
                zh=f"数据集 {name} 读不出来（{error}）。请老师用 `ulab datasets list` 检查它。",
                en=f"The data set {name} can't be read ({error}). "
                "Ask your instructor to check it with `ulab datasets list`.",
            )
        ) from error
    loaded.note(name, card)
    return read


def store() -> Path:
    """The folder with the data sets of this base."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    # A developer runs notebooks from anywhere inside the checkout, without a hub.
    here = Path.cwd()
    return next(
        (base / FALLBACK for base in (here, *here.parents) if (base / FALLBACK).is_dir()), FALLBACK
    )


def _missing(store: Path, name: str) -> str:
    known = sorted(card.parent.name for card in store.glob("*/card.json"))
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return say(
            zh=f"没有叫 {name!r} 的数据集。你是不是想写 {near[0]!r}？",
            en=f"There is no data set {name!r}. Did you mean {near[0]!r}?",
        )
    if known:
        return say(
            zh=f"没有叫 {name!r} 的数据集。这里有：{'、'.join(known)}。",
            en=f"There is no data set {name!r}. There are: {', '.join(known)}.",
        )
    return say(
        zh=f"这里一个数据集也没有（在 {store} 找过）。请老师运行 `ulab datasets fetch`。",
        en=f"There are no data sets here (looked in {store}). "
        "Ask your instructor to run `ulab datasets fetch`.",
    )


def _read_table(folder: Path, card: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(folder / "data" / card["files"][0])


def _read_images(folder: Path, card: dict[str, Any]) -> Images:
    arrays = {Path(file).stem: mapped.idx(folder / "data" / file) for file in card["files"]}
    classes = card["classes"]
    return Images(**arrays, classes=tuple(classes["en"]), classes_zh=tuple(classes["zh"]))


def _read_arrays(folder: Path, card: dict[str, Any]) -> Arrays:
    return Arrays({Path(file).stem: mapped.npy(folder / "data" / file) for file in card["files"]})


def _find_files(folder: Path, card: dict[str, Any]) -> Path:
    data = folder / "data"
    for file in card["files"]:
        (data / file).stat()
    return data


_READERS: dict[str, Callable[[Path, dict[str, Any]], Any]] = {
    "csv": _read_table,
    "idx": _read_images,
    "arrays": _read_arrays,
    "files": _find_files,
}
