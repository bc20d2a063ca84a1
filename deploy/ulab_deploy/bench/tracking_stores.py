"""Databases for the servers that are measured, made on a PostgreSQL server and dropped again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from ulab_core.errors import UserError
from ulab_core.i18n import mark


class NoDatabases(UserError):
    """The databases for a measurement can't be made."""

    exit_code = 4


@contextmanager
def stores(database_url: str, sides: Sequence[str]) -> Iterator[dict[str, str]]:
    """An SQLAlchemy address for each side; an empty one means SQLite in the side's folder.

    Raises
    ------
    NoDatabases
    """
    if not database_url:
        yield dict.fromkeys(sides, "")
        return
    mark_of_run = secrets.token_hex(4)
    names = {side: f"ulab_bench_{side}_{mark_of_run}" for side in sides}
    try:
        url = make_url(database_url)
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name in names.values():
                connection.execute(text(f'CREATE DATABASE "{name}"'))
    except SQLAlchemyError as error:
        raise NoDatabases(
            mark("No databases can be made at the address given: {said}"),
            said=str(error.__cause__ or error),
        ) from None
    try:
        yield {
            side: url.set(database=name).render_as_string(hide_password=False)
            for side, name in names.items()
        }
    finally:
        with engine.connect() as connection:
            for name in names.values():
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        engine.dispose()
