"""The people of a course as its instructor sees and changes them in the portal."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from integration.coursework_support import COURSE, LAB, answer
from integration.portal_support import PREFIX, Portal, make_portal
from sqlalchemy import select

from ulab_core.models import Submission
from ulab_core.signing_in import names_with_account
from ulab_coursework.courses import role_in

TEACH = f"courses/{COURSE}/teach"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    return make_portal(tmp_path, monkeypatch)


def send_roster(portal: Portal, content: str, language: str = "en") -> httpx.Response:
    carol = portal.browser("carol", language)
    return carol.post(
        f"{PREFIX}/{TEACH}/people",
        files={"roster": ("roster.csv", io.BytesIO(content.encode()))},
        headers={"hx-request": "true", "x-csrf-token": carol.token()},
    )


def have_accounts(portal: Portal, *names: str, waiting: str = "") -> None:
    database = portal.base.layout.hub_database
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as accounts:
        accounts.execute("CREATE TABLE users_info (username TEXT, is_authorized BOOLEAN)")
        rows = [(name, name != waiting) for name in (*names, *filter(None, [waiting]))]
        accounts.executemany("INSERT INTO users_info VALUES (?, ?)", rows)
        accounts.commit()


def test_who_cant_sign_in_yet_is_named(portal: Portal) -> None:
    assert names_with_account(portal.base.layout) is None
    assert 'id="without-account"' not in portal.browser("carol").see(TEACH).text
    have_accounts(portal, "alice", "carol", waiting="bob")
    send_roster(portal, f"账号,姓名,学院,角色,课程\nwu.lei,吴磊,医学院,学生,{COURSE}\n")
    page = portal.browser("carol", "en").see(TEACH).text
    assert "2 people of this course have no account yet" in page
    assert "bob, wu.lei<br>" in page
    assert "本课程有 2 人还没有账号" in portal.browser("carol", "zh").see(TEACH).text


def test_an_empty_roster_file_is_said_to_be_empty(portal: Portal) -> None:
    assert "The roster file roster.csv is empty." in send_roster(portal, "").text
    assert "空的" in send_roster(portal, "\n", "zh").text


def test_someone_taken_out_is_gone_and_what_they_handed_in_is_kept(portal: Portal) -> None:
    submission = portal.hand_in("bob", answer())
    carol = portal.browser("carol", "en")
    assert 'data-person="bob"' in carol.see(f"{TEACH}/people").text
    assert portal.browser("alice").act(f"{TEACH}/people/remove", name="bob").status_code == 403
    assert carol.act(f"{TEACH}/people/remove", name="bob").status_code == 204
    assert 'data-person="bob"' not in carol.see(f"{TEACH}/people").text
    assert portal.browser("bob").see(f"courses/{COURSE}/labs/{LAB}").status_code == 403
    with portal.base.db.read() as session:
        assert role_in(session, COURSE, "bob") is None
        assert session.scalars(select(Submission.id)).all() == [submission]
    nobody = carol.act(f"{TEACH}/people/remove", name="bob")
    assert nobody.status_code == 404
    alone = carol.act(f"{TEACH}/people/remove", name="carol")
    assert "carol is the only instructor" in alone.text
    # Back again, everything is where it was.
    carol.act(f"{TEACH}/people", names="bob")
    assert portal.browser("bob").see(f"courses/{COURSE}/labs/{LAB}").status_code == 200
