"""Read a data set from the shared, read-only store."""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulab import loaded
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


def load(name: str) -> Any:
    """Read a data set.

    Parameters
    ----------
    name
        What the data set is called on its card, such as ``"elecdemand"``.

    Returns
    -------
    pandas.DataFrame or Images
        By the format on the card. Each call returns a copy of its own.

    Raises
    ------
    ULabError
        There is no such data set here, or its files can't be read.
    """
    known = store()
    folder = known / name
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        read = _READERS[card["format"]](folder, card)
    except FileNotFoundError:
        raise ULabError(_missing(known, name)) from None
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
    arrays = {Path(file).stem: _read_idx(folder / "data" / file) for file in card["files"]}
    classes = card["classes"]
    return Images(**arrays, classes=tuple(classes["en"]), classes_zh=tuple(classes["zh"]))


def _read_idx(path: Path) -> np.ndarray:
    """Read LeCun's IDX format: two zero bytes, type, rank, sizes (big-endian), values."""
    import numpy as np

    raw = np.fromfile(path, dtype=np.uint8)
    if raw.size < 4 or raw[0] or raw[1] or raw[2] != 8:
        raise ValueError(f"{path.name} is no IDX file of bytes")
    rank = int(raw[3])
    start = 4 + 4 * rank
    shape = tuple(int(size) for size in raw[4:start].view(">u4"))
    return raw[start:].reshape(shape).copy()


_READERS = {"csv": _read_table, "idx": _read_images}
