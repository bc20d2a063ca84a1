"""What an administrator finds in the portal."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from integration.coursework_support import COURSE, LAB, answer
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


def test_an_administrator_sees_every_class_and_changes_none(portal: Portal) -> None:
    submission = portal.hand_in("alice", answer())
    portal.finish(submission, 4)
    root = portal.browser("root")
    home = root.see().text
    assert f"courses/{COURSE}" in home
    assert "You are in no course yet" not in home
    teach, lab = f"courses/{COURSE}/teach", f"courses/{COURSE}/teach/labs/{LAB}"
    for path in (teach, lab):
        page = root.see(path).text
        assert "You are looking on as an administrator." in page
        assert "alice" in page
        main = page[page.index("<main") : page.index("</main>")]
        assert not re.search(r"<form|hx-post|formgrader", main)
    for path in (f"{lab}/publish", f"{lab}/withdraw", f"{lab}/grade", f"{lab}/release",
                 f"{teach}/people"):  # fmt: skip
        assert root.act(path, names="dave").status_code == 403
    for path in ("feedback", "notebook"):
        assert root.see(f"submissions/{submission}/{path}").status_code == 404
    assert "You are looking on" not in portal.browser("carol").see(teach).text
