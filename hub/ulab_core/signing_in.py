"""Who can sign in, for those parts of the base that make no accounts themselves."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from ulab_core.layout import Layout


def names_with_account(layout: Layout) -> frozenset[str] | None:
    """The names of all approved accounts; None while there is no list of accounts.

    The list is NativeAuthenticator's, in the hub's database.
    """
    try:
        with closing(
            sqlite3.connect(f"{layout.hub_database.as_uri()}?mode=ro", uri=True)
        ) as accounts:
            rows = accounts.execute("SELECT username FROM users_info WHERE is_authorized")
            return frozenset(name for (name,) in rows)
    except sqlite3.OperationalError:
        return None
