"""The similarity report's pages: who may see them, and that what students wrote stays text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from integration.coursework_support import COURSE, LAB, answer
from integration.portal_support import PREFIX, Portal, make_portal
from integration.test_similarity import LONG, RENAMED
from sqlalchemy import select

from ulab_core.models import AuditEntry, Role
from ulab_coursework import comparing
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_coursework.similarity_lock import being_made_since, locked

PAGE = f"courses/{COURSE}/teach/labs/{LAB}/similarity"
PAIR = f"{PAGE}/pair?first=alice&second=bob"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    found = make_portal(tmp_path, monkeypatch)
    with found.base.db.write() as session:
        ensure_person(session, "erin", "Erin", "Mechanics")
        create_course(
            session, found.base.layout, "other-2026", "sums-foundations", "1", None, "2026", "erin"
        )
        enrol(session, "other-2026", "erin", Role.INSTRUCTOR, "erin")
    return found


def compare(portal: Portal) -> None:
    base = portal.base
    comparing.start(base.db, base.layout, base.settings, COURSE, LAB, "carol").join()
    assert comparing.failure(base.layout, COURSE, LAB) is None


def audited(portal: Portal) -> list[tuple[str, str]]:
    with portal.base.db.read() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action.like("similarity.%")))
        return [(row.actor, row.action) for row in rows]


def test_instructors_compare_and_look_and_both_are_audited(portal: Portal) -> None:
    portal.hand_in("alice", answer(LONG))
    carol = portal.browser("carol")
    assert 'id="no-report"' in carol.see(PAGE).text
    assert carol.act(PAGE).status_code == 204
    while being_made_since(portal.base.layout, COURSE, LAB):
        time.sleep(0.1)
    assert 'id="no-pairs"' in carol.see(PAGE).text
    portal.hand_in("bob", answer(RENAMED, language="en"))
    assert 'id="newer"' in carol.see(PAGE).text
    compare(portal)
    page = carol.see(PAGE).text
    assert 'data-pair="alice bob"' in page
    assert 'id="newer"' not in page
    shown = carol.see(PAIR)
    assert shown.status_code == 200
    assert "ulab-alike" in shown.text
    # Two of a class may have the same name.
    assert 'Alice</bdi> <span class="ulab-quiet ulab-small">alice<' in shown.text
    assert ">alice<" in page
    assert audited(portal).count(("carol", "similarity.start")) == 2
    assert audited(portal).count(("carol", "similarity.look")) == 4
    assert "相似片段" in portal.browser("carol", "zh").see(PAIR).text


def test_pairs_with_nothing_alike_are_counted_and_not_listed(portal: Portal) -> None:
    portal.hand_in("alice", answer(LONG))
    portal.hand_in("bob", answer(RENAMED, language="en"))
    with portal.base.db.write() as session:
        ensure_person(session, "frank", "Frank", "Mechanics")
        enrol(session, COURSE, "frank", Role.STUDENT, "carol")
    portal.hand_in("frank", answer("return a + b"))
    compare(portal)
    page = portal.browser("carol").see(PAGE).text
    assert re.findall('data-pair="(.*?)"', page) == ["alice bob"]
    assert "2 pairs have nothing alike and are not listed." in page


@pytest.mark.parametrize("person", ["alice", "erin", "root"])
def test_nobody_else_looks_or_starts(portal: Portal, person: str) -> None:
    portal.hand_in("alice", answer(LONG))
    portal.hand_in("bob", answer(RENAMED, language="en"))
    compare(portal)
    before = audited(portal)
    browser = portal.browser(person)
    for path in (PAGE, f"{PAGE}/progress", PAIR):
        found = browser.see(path)
        assert found.status_code in (403, 404)
        assert "total" not in found.text
    assert browser.act(PAGE).status_code in (403, 404)
    assert audited(portal) == before


def test_it_is_not_made_twice_at_once_and_a_dead_one_blocks_nothing(portal: Portal) -> None:
    layout, carol = portal.base.layout, portal.browser("carol")
    with locked(layout, COURSE, LAB):
        assert 'id="comparing"' in carol.see(PAGE).text
        assert carol.act(PAGE).status_code == 409
    assert layout.similarity_file(COURSE, LAB).with_suffix(".lock").exists()
    assert 'id="comparing"' not in carol.see(PAGE).text
    compare(portal)


def test_a_restarted_portal_says_that_a_comparison_was_cut_off(portal: Portal) -> None:
    portal.hand_in("alice", answer(LONG))
    layout, carol = portal.base.layout, portal.browser("carol")
    compare(portal)
    assert 'id="not-compared"' not in carol.see(PAGE).text
    holding = (
        "import sys, time; from ulab_core.layout import Layout; "
        "from ulab_core.settings import load_settings; "
        "from ulab_coursework.similarity_lock import locked\n"
        f"with locked(Layout.of(load_settings()), {COURSE!r}, {LAB!r}):\n"
        "    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert 'id="comparing"' in carol.see(PAGE).text
        process.kill()
    page = carol.see(PAGE).text
    assert 'id="comparing"' not in page
    assert "restarted while the submissions were compared" in page
    assert being_made_since(layout, COURSE, LAB) is None
    compare(portal)
    assert 'id="not-compared"' not in carol.see(PAGE).text


def test_a_failure_is_told_and_can_be_tried_again(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.hand_in("alice", answer(LONG))
    base = portal.base
    with monkeypatch.context() as patched:
        patched.setattr("ulab_coursework.similarity.TIME_S", 0)
        comparing.start(base.db, base.layout, base.settings, COURSE, LAB, "carol").join()
    assert 'id="not-compared"' in portal.browser("carol").see(PAGE).text
    compare(portal)
    assert 'id="not-compared"' not in portal.browser("carol").see(PAGE).text


def test_what_students_wrote_stays_text(portal: Portal) -> None:
    nasty = LONG + "\n    # <script>alert(1)</script></code>{{ 7*7 }} \u202eabc"
    portal.hand_in("alice", answer(nasty))
    portal.hand_in("bob", answer(nasty, language="en"))
    compare(portal)
    found = portal.browser("carol").see(PAIR)
    assert "<script>alert" not in found.text
    assert "&lt;script&gt;alert(1)" in found.text
    assert "{{ 7*7 }}" in found.text
    assert "\u202e" not in found.text
    assert "[U+202E]" in found.text
    assert "script-src 'self'" in found.headers["content-security-policy"]


def test_an_empty_class_and_a_pair_that_is_not_there(portal: Portal) -> None:
    compare(portal)
    carol = portal.browser("carol")
    assert 'id="no-pairs"' in carol.see(PAGE).text
    assert carol.see(PAIR).status_code == 404
    kept = json.loads(portal.base.layout.similarity_file(COURSE, LAB).read_bytes())
    assert kept["pairs"] == []
    assert carol.get(f"{PREFIX}/{PAGE}?number=0").status_code == 422
