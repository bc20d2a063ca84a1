"""One way to open U Lab's database and to bring it up to date."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from ulab_core.layout import Layout
from ulab_core.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def database_url(settings: Settings) -> str:
    return settings.database.url or f"sqlite:///{Layout.of(settings).database}"


def open_engine(url: str) -> Engine:
    """Open the database; SQLite in WAL mode, with foreign keys and patience for other writers."""
    # A server's connections may be gone when they are next needed: it was started anew, say.
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    # The driver's own transaction handling begins too late for "read, then write" to be safe.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=30000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A reader that later writes can't be let in when someone wrote in between (SQLITE_BUSY
    # at once, whatever the time-out), so whoever means to write says so from the start.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """The base's database, entered for reading or for writing.

    Examples
    --------
    >>> with database.write() as session:  # doctest: +SKIP
    ...     session.add(person)
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._watch: sqlite3.Connection | None = None
        self._watching = threading.Lock()
        self._readers = sessionmaker(self.engine, expire_on_commit=False)
        self._writers = sessionmaker(
            self.engine.execution_options(writes=True), expire_on_commit=False
        )

    @classmethod
    def of(cls, settings: Settings) -> Database:
        return cls(database_url(settings))

    def version(self) -> int | None:
        """A number that is another one once anything was committed, by any process.

        Asked in microseconds, unlike a query. None for databases that have no such number.
        """
        if self._watch is None:
            if self.engine.dialect.name != "sqlite" or self.engine.url.database is None:
                return None
            path = Path(self.engine.url.database).absolute().as_uri()
            self._watch = sqlite3.connect(
                f"{path}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
            )
        with self._watching:
            found: tuple[int] = self._watch.execute("PRAGMA data_version").fetchone()
        return found[0]

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session whose changes are thrown away."""
        with self._readers() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed when the block ends and rolled back when it raises."""
        with self._writers.begin() as session:
            yield session


def upgrade(settings: Settings) -> None:
    """Bring the database to the newest schema; safe to repeat."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = database_url(settings)
    command.upgrade(config, "head")
