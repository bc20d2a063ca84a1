"""Which run is open here: in this thread or task, else in this kernel."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ulab.tracking.run import Run

_here: ContextVar[tuple[Run, ...]] = ContextVar("ulab_open_runs", default=())
_anywhere: list[Run] = []


def run() -> Run | None:
    """The innermost open run; for a thread that a block started, that block's."""
    here = _here.get()
    if here:
        return here[-1]
    return _anywhere[-1] if _anywhere else None


def entered(run: Run) -> None:
    _here.set((*_here.get(), run))
    _anywhere.append(run)


def left(run: Run) -> None:
    _here.set(tuple(one for one in _here.get() if one is not run))
    if run in _anywhere:
        _anywhere.remove(run)
