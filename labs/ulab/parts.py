"""A part of a data set, and the forms it is given in; the memory stays the mapped one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ulab.arrays import Arrays, Images
from ulab.errors import ULabError
from ulab.language import say

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def part(name: str, card: dict[str, Any], whole: Any, split: str) -> Any:
    """The rows of a split.

    Raises
    ------
    ULabError
        The card names no such split.
    """
    if isinstance(whole, Images):
        if split in ("train", "test"):
            images, labels = getattr(whole, f"{split}_images"), getattr(whole, f"{split}_labels")
            return Arrays({"images": images, "labels": labels})
        raise ULabError(_no_split(name, split, ["train", "test"]))
    splits = card.get("splits") or {}
    if split not in splits:
        raise ULabError(_no_split(name, split, list(splits)))
    chosen = splits[split]
    if chosen.get("rows"):
        rows: Any = slice(*chosen["rows"])
    else:
        import numpy as np

        rows = np.isin(np.asarray(whole[chosen["column"]]).astype(str), chosen["values"])
    if isinstance(whole, Arrays):
        return Arrays({key: array[rows] for key, array in whole.items()})
    return whole[rows].reset_index(drop=True)


def shaped(name: str, read: Any, form: str) -> Any:
    """Tensors, or a `torch.utils.data.Dataset` of them.

    Raises
    ------
    ULabError
        There is no such form, or none of this data set.
    """
    if form not in ("tensors", "dataset"):
        raise ULabError(
            say(
                zh=f"form 只能是 'tensors' 或 'dataset'，不能是 {form!r}。",
                en=f"form is 'tensors' or 'dataset', not {form!r}.",
            )
        )
    columns = _columns(name, read, form)
    import numpy as np
    import torch

    tensors = {
        key: torch.from_numpy(array)
        for key, array in columns.items()
        if np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_
    }
    if form == "tensors":
        return tensors
    from ulab.rows import Rows

    sizes = {len(tensor) for tensor in tensors.values()}
    if len(sizes) != 1:
        raise ULabError(
            say(
                zh=f"数据集 {name} 的数组长短不一，不能逐行读。",
                en=f"The arrays of the data set {name} are not equally long; it has no rows.",
            )
        )
    return Rows(tensors)


def _columns(name: str, read: Any, form: str) -> dict[str, np.ndarray]:
    if isinstance(read, Arrays):
        return dict(read)
    if isinstance(read, Images):
        raise ULabError(
            say(
                zh=f"请说明要哪一部分：ulab.load({name!r}, split='train', form={form!r})。",
                en=f"Say which part: ulab.load({name!r}, split='train', form={form!r}).",
            )
        )
    if hasattr(read, "columns"):
        # By the kind first: a text column would be copied only to be left out.
        return {str(key): _own(values) for key, values in read.items() if _is_number(values)}
    raise ULabError(
        say(
            zh=f"数据集 {name} 是文件，不是数；请从它的文件夹里读。",
            en=f"The data set {name} is files, not numbers; read them from its folder.",
        )
    )


def _is_number(values: pd.Series) -> bool:
    return getattr(values.dtype, "kind", "O") in "biuf"


def _own(values: pd.Series) -> np.ndarray:
    """A column's numbers where they lie: pandas calls what it hands out read-only."""
    found: np.ndarray = values.to_numpy()
    if not found.flags.writeable and found.dtype != object:
        found = found.view()
        found.flags.writeable = True
    return found


def _no_split(name: str, split: str, known: list[str]) -> str:
    if not known:
        return say(
            zh=f"数据集 {name} 没有划分；请整个读进来再自己划分。",
            en=f"The data set {name} has no splits; read the whole and split it yourself.",
        )
    return say(
        zh=f"数据集 {name} 没有 {split!r} 这一部分，只有 {'、'.join(known)}。",
        en=f"The data set {name} has no split {split!r}, but {', '.join(known)}.",
    )
