"""Makes a database of a plain MLflow from one workspace's rows, and nobody else's."""

from __future__ import annotations

import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, select

from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_mlflow.export_tables import ADDRESSES, selections, tables
from ulab_mlflow.names import store_url

_BATCH = 2000
# MLflow makes one of this name in each database, and wants it.
DEFAULT = "Default"
Told = Callable[[str, int, int], None]
"""What is being written, how far it is, and how much there is; 0 when that isn't known."""


def write_database(
    settings: Settings, workspace: str, file: Path, told: Told = lambda *_: None
) -> dict[str, int]:
    """Make a database of a plain MLflow that holds the workspace's rows, and nobody else's.

    Returns
    -------
    dict
        How many rows of each table.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    # MLflow makes the tables, as its own server would, and tells of each step.
    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    store = SqlAlchemyStore(f"sqlite:///{file}", "mlflow-artifacts:/")
    store.engine.dispose()
    wanted = selections(workspace)
    target = create_engine(f"sqlite:///{file}")
    counts = {}
    try:
        with _snapshot(settings) as source, target.begin() as into:
            for table in tables().sorted_tables:
                if table.name not in wanted:
                    continue
                found = source.execution_options(yield_per=_BATCH).execute(
                    select(table).where(wanted[table.name])
                )
                counts[table.name] = 0
                for part in found.mappings().partitions(_BATCH):
                    rows = [_plain(table.name, row, workspace) for row in part]
                    into.execute(table.insert(), rows)
                    counts[table.name] += len(rows)
                    told(table.name, counts[table.name], 0)
    finally:
        target.dispose()
    return counts


def _plain(table: str, row: Mapping[Any, Any], workspace: str) -> dict[str, Any]:
    """A row as it is without workspaces."""
    from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME

    found = dict(row)
    if "workspace" in found:
        found["workspace"] = DEFAULT_WORKSPACE_NAME
    for column in ADDRESSES.get(table, ()):
        found[column] = plain_address(found[column], workspace)
    if table == "experiments" and found["name"] == DEFAULT:
        found["name"] = f"{DEFAULT} ({workspace})"
    return found


def plain_address(address: str | None, workspace: str) -> str | None:
    """An address of files as it is without workspaces.

    Examples
    --------
    >>> plain_address("mlflow-artifacts:/workspaces/windfarm/3/r/artifacts", "windfarm")
    'mlflow-artifacts:/3/r/artifacts'
    >>> plain_address("models:/day-ahead/1", "windfarm")
    'models:/day-ahead/1'
    """
    prefix = f"mlflow-artifacts:/workspaces/{workspace}/"
    if address is None or not address.startswith(prefix):
        return address
    return "mlflow-artifacts:/" + address.removeprefix(prefix)


@contextmanager
def _snapshot(settings: Settings) -> Iterator[Connection]:
    """MLflow's database as it is at one moment, read without holding anyone up."""
    url = store_url(settings)
    if not url.startswith("sqlite"):
        engine = create_engine(url, isolation_level="REPEATABLE READ")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
        return
    # A reader of SQLite keeps writers waiting, and a large workspace takes longer than they wait.
    room = Layout.of(settings).mlflow / "tmp"
    room.mkdir(exist_ok=True)
    copy = room / f"export-{uuid.uuid4().hex}.sqlite"
    engine = create_engine(f"sqlite:///{copy}")
    try:
        with (
            sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30) as live,
            sqlite3.connect(copy) as still,
        ):
            copy.chmod(0o600)
            live.backup(still)
        live.close()
        still.close()
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
        copy.unlink(missing_ok=True)
