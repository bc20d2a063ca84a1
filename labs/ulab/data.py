"""Read a data set from the shared, read-only store."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulab import loaded, mapped, parts
from ulab.arrays import Arrays, Images
from ulab.errors import ULabError
from ulab.language import say

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "ULAB_DATASETS"
TEAM_VARIABLE = "ULAB_TEAM_DATASETS"
FALLBACK = Path("state/datasets/store")
_PART = re.compile(r"[A-Za-z0-9][\w-]*")


def load(name: str, split: str | None = None, form: str | None = None) -> Any:
    """Read a data set.

    Parameters
    ----------
    name
        What the data set is called on its card, such as ``"elecdemand"``; a team's own is
        ``"team/name"``.
    split
        A part that the card names, such as ``"train"``; the whole when left out.
    form
        How it is given. None: as suits its format. ``"tensors"``: a dict of torch tensors, one for
        each array or column of numbers (text is left out). ``"dataset"``: the same as a
        `torch.utils.data.Dataset` whose items are dicts, for a ``DataLoader``.

    Returns
    -------
    pandas.DataFrame, Images, Arrays, pathlib.Path, dict or Dataset
        Without `form`, by the format on the card: a table, labelled images, arrays (those of one
        split of labelled images are ``images`` and ``labels``), or the read-only folder with the
        files. What is read may be changed: it stays this notebook's own.

    Raises
    ------
    ULabError
        There is no such data set or split here, or its files can't be read.

    Examples
    --------
    >>> train = ulab.load("fashion-mnist", split="train", form="dataset")  # doctest: +SKIP
    >>> batches = torch.utils.data.DataLoader(train, batch_size=64)  # doctest: +SKIP
    """
    folder = folder_of(name)
    try:
        written = (folder / "card.json").read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ULabError(_missing(name)) from None
    try:
        card = json.loads(written)
        read = _READERS[card["format"]](folder, card)
        if split is not None:
            read = parts.part(name, card, read, split)
        if form is not None:
            read = parts.shaped(name, read, form)
    except (KeyError, ValueError, OSError) as error:
        raise ULabError(
            say(
                zh=f"数据集 {name} 读不出来（{error}）。请老师用 `ulab datasets verify` 检查它。",
                en=f"The data set {name} can't be read ({error}). "
                "Ask your instructor to check it with `ulab datasets verify`.",
            )
        ) from error
    loaded.note(name, card)
    return read


def folder_of(name: str) -> Path:
    """The folder of a data set, whether it is there or not.

    Raises
    ------
    ULabError
        This can't be a data set's name; it would lead elsewhere.
    """
    team, slash, own = name.rpartition("/")
    if not _PART.fullmatch(own) or (slash and not _PART.fullmatch(team)):
        raise ULabError(_missing(name))
    return team_store() / team / own if slash else store() / own


def team_store() -> Path:
    """The folder with the data sets of one's teams, a folder for each team."""
    return Path(os.environ.get(TEAM_VARIABLE) or "/srv/team-datasets")


def store() -> Path:
    """The folder with the data sets of this base."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    # A developer runs notebooks from anywhere inside the checkout, without a hub.
    here = Path.cwd()
    return next(
        (base / FALLBACK for base in (here, *here.parents) if (base / FALLBACK).is_dir()), FALLBACK
    )


def _missing(name: str) -> str:
    known = sorted(card.parent.name for card in store().glob("*/card.json"))
    known += sorted(
        f"{card.parents[1].name}/{card.parent.name}" for card in team_store().glob("*/*/card.json")
    )
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
        zh=f"这里一个数据集也没有（在 {store()} 找过）。请老师运行 `ulab datasets pull`。",
        en=f"There are no data sets here (looked in {store()}). "
        "Ask your instructor to run `ulab datasets pull`.",
    )


def _read_table(folder: Path, card: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    file = Path(card["files"][0])
    ready = folder / "mapped" / file.with_suffix(".arrow").name
    return mapped.table(ready) if ready.is_file() else pd.read_csv(folder / "data" / file)


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
