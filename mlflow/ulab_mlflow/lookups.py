"""Remembers for a moment what MLflow's authorisation looks up again at each request.

MLflow still decides each request by its own rules. Only the rows it decides by are kept: those of
accounts and grants for `SECONDS`, and not beyond a change that this process makes; those that
never change for as long as there is room.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Hashable
from typing import Any

from cachetools import LRUCache, TTLCache

SECONDS = 1.0
ROOM = 4096
_READS = ("get_", "list_", "has_", "is_", "authenticate_", "user_has_", "resolve_", "_")


class Remembered:
    """Answers of a store that are kept until they are old, or until something is written.

    Parameters
    ----------
    seconds
        How old an answer may be.
    """

    def __init__(self, seconds: float = SECONDS, room: int = ROOM) -> None:
        self._kept: TTLCache[Hashable, Any] = TTLCache(room, seconds)
        self._lock = threading.Lock()
        self._writes = 0

    def answer(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        """What is kept for `key`, else what `ask` returns; what it raises is not kept."""
        with self._lock:
            if key in self._kept:
                return self._kept[key]
            writes = self._writes
        found = ask()
        with self._lock:
            # Something was written while we asked, perhaps after our question: ask again next time.
            if writes == self._writes:
                self._kept[key] = found
        return found

    def forget(self) -> None:
        with self._lock:
            self._writes += 1
            self._kept.clear()


def remember_reads(store: Any, kept: Remembered, methods: Collection[str]) -> None:
    """Let a store's `methods` answer from what is kept, and each method that may write forget it.

    A method that is not known to read alone counts as one that writes, so that a new release of
    MLflow can only make this slower.
    """
    for name in methods:
        setattr(store, name, _reading(getattr(store, name), name, kept))
    for name in dir(type(store)):
        method = getattr(store, name)
        if callable(method) and not name.startswith(_READS):
            setattr(store, name, _writing(method, kept))


def _reading(method: Callable[..., Any], name: str, kept: Remembered) -> Callable[..., Any]:
    @functools.wraps(method)
    def read(*values: Any, **named: Any) -> Any:
        if named:
            return method(*values, **named)
        key = (name, *(frozenset(one) if isinstance(one, set) else one for one in values))
        return kept.answer(key, lambda: method(*values))

    return read


def _writing(method: Callable[..., Any], kept: Remembered) -> Callable[..., Any]:
    @functools.wraps(method)
    def write(*values: Any, **named: Any) -> Any:
        try:
            return method(*values, **named)
        finally:
            kept.forget()

    return write


class RunOwners:
    """MLflow's tracking store, which remembers which experiment a run belongs to.

    That never changes while the run exists. The run is kept without its metrics, parameters and
    tags, which its authorisation reads with each request and does not look at.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._runs: LRUCache[tuple[str | None, str], Any] = LRUCache(ROOM)
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_run(self, run_id: str) -> Any:
        from mlflow.entities import Run, RunData
        from mlflow.utils.workspace_context import get_request_workspace

        # The store finds a run in the workspace of the request alone.
        key = (get_request_workspace(), run_id)
        with self._lock:
            if key in self._runs:
                return self._runs[key]
        run = Run(self._store.get_run(run_id).info, RunData())
        with self._lock:
            self._runs[key] = run
        return run


def prepare() -> None:
    """Do so in MLflow's authorisation; call it when its application has been made."""
    from mlflow.server import auth, workspace_helpers

    remember_reads(auth.store, Remembered(), ("get_user", "list_grants"))
    remember_reads(workspace_helpers._get_workspace_store(), Remembered(), ("get_workspace",))
    owners: Any = RunOwners(auth._get_tracking_store())
    vars(auth)["_get_tracking_store"] = lambda: owners
