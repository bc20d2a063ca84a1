"""Bring an argument of the judge's to what the student's code made of its copy."""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

from ulab_runtime.judge.crossing import Forged


def update(own: Any, new: Any) -> None:
    """Change `own` in place into `new`.

    Raises
    ------
    Forged
        They are of different kinds, or `own` is of a kind that nothing can change.

    Notes
    -----
    An array that the student's code gave another shape stays as it was: nobody's honest result
    depends on it.
    """
    if type(own) is not type(new) and not _is_tensor(own, new):
        raise Forged("an argument that became another kind of thing")
    if isinstance(own, list):
        _update_list(own, new)
    elif isinstance(own, dict):
        _update_dict(own, new)
    elif isinstance(own, (set, deque)):
        own.clear()
        own.update(new) if isinstance(own, set) else own.extend(new)
    elif isinstance(own, bytearray):
        own[:] = new
    elif isinstance(own, tuple):
        for old, value in zip(own, new, strict=False):
            _renewed(old, value)
    elif not _update_library(own, new):
        raise Forged("an argument that can't change")


def _renewed(old: Any, value: Any) -> Any:
    """What to keep in the place of `old`: itself, changed, if that can be."""
    if type(old) is not type(value) and not _is_tensor(old, value):
        return value
    try:
        update(old, value)
    except Forged:
        return value
    return old


def _update_list(own: list[Any], new: list[Any]) -> None:
    own[:] = [
        _renewed(own[place], value) if place < len(own) else value
        for place, value in enumerate(new)
    ]


def _update_dict(own: dict[Any, Any], new: dict[Any, Any]) -> None:
    made = {key: _renewed(own[key], value) if key in own else value for key, value in new.items()}
    own.clear()
    own.update(made)


def _is_tensor(own: Any, new: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(own, torch.Tensor) and type(new) is torch.Tensor


def _update_library(own: Any, new: Any) -> bool:
    numpy, torch, pandas = (sys.modules.get(name) for name in ("numpy", "torch", "pandas"))
    if numpy is not None and isinstance(own, numpy.ndarray):
        if own.shape == new.shape and own.dtype == new.dtype and own.flags.writeable:
            own[...] = new
        return True
    if torch is not None and isinstance(own, torch.Tensor):
        if own.shape == new.shape and own.dtype == new.dtype:
            with torch.no_grad():
                own.copy_(new)
            if own.is_leaf:
                own.grad = new.grad
        return True
    if pandas is not None and isinstance(own, (pandas.DataFrame, pandas.Series)):
        own._update_inplace(new)
        if isinstance(own, pandas.Series):
            own.name = new.name
        return True
    return False
