"""What an administrator finds in the portal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from integration.portal_support import Portal, make_portal


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    return make_portal(tmp_path, monkeypatch)


def sign_up(portal: Portal, *names: str) -> None:
    database = portal.base.layout.hub_database
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as accounts:
        accounts.execute("CREATE TABLE users_info (username TEXT, is_authorized BOOLEAN)")
        accounts.executemany(
            "INSERT INTO users_info VALUES (?, ?)",
            [("alice", True), *((name, False) for name in names)],
        )
        accounts.commit()


def test_who_waits_to_be_let_in_is_said_on_top_of_every_page(portal: Portal) -> None:
    root = portal.browser("root")
    assert 'href="/hub/authorize">Accounts<' in root.see().text
    sign_up(portal, "fang", "ming")
    assert 'href="/hub/authorize">Accounts (2 waiting)<' in root.see().text
    assert 'href="/hub/admin">Administration<' in root.see().text
    assert "账号（2 人待批准）" in portal.browser("root", "zh").see().text
    assert "/hub/authorize" not in portal.browser("carol").see().text
