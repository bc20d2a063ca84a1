"""Makes a database of a plain MLflow from one workspace's rows, and nobody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, select

from ulab_core.database import open_engine
from ulab_core.errors import NotFound
from ulab_core.i18n import mark
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
    """MLflow's database as it is at one moment, read without keeping anyone waiting."""
    url = store_url(settings)
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        raise NotFound(mark("MLflow has not run on this base yet, so there is nothing to export."))
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        engine.dispose()
