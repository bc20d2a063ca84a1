"""Sets MLflow's SQLite stores up once a connection, with a write-ahead log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

_SQLITE = "sqlite"
# The first three are MLflow's own, which says them anew in each session: a tenth of a request.
_PRAGMAS = (
    "foreign_keys=ON",
    "busy_timeout=20000",
    "case_sensitive_like=ON",
    # A write waits for neither readers nor the disk. What a killed process had committed is kept;
    # what a machine without power had committed in its last moments may not be.
    "journal_mode=WAL",
    "synchronous=NORMAL",
)


def prepare() -> None:
    """Do so for all stores of this process; call it before MLflow's server is imported."""
    from mlflow.store.db import utils

    original: Callable[..., Any] = utils._get_managed_session_maker

    def without_pragmas(session_maker: Any, kind: str) -> Any:
        return original(session_maker, "" if kind == _SQLITE else kind)

    event.listen(Engine, "connect", _connected)
    utils._get_managed_session_maker = without_pragmas


def _connected(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
