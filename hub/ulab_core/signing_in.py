"""Who can sign in, for those parts of the base that make no accounts themselves."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from ulab_core.layout import Layout


def names_with_account(layout: Layout) -> frozenset[str] | None:
    """The names of all approved accounts; None while there is no list of accounts.

    The list is NativeAuthenticator's, in the hub's database.
    """
    found = _names(layout, "is_authorized")
    return None if found is None else frozenset(found)


def waiting_for_approval(layout: Layout) -> int:
    """How many people signed up whom no administrator has let in yet."""
    return len(_names(layout, "NOT is_authorized") or ())


def _names(layout: Layout, which: str) -> list[str] | None:
    try:
        with closing(
            sqlite3.connect(f"{layout.hub_database.as_uri()}?mode=ro", uri=True)
        ) as accounts:
            rows = accounts.execute(f"SELECT username FROM users_info WHERE {which}")
            return [name for (name,) in rows]
    except sqlite3.OperationalError:
        return None
