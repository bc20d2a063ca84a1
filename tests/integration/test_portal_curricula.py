"""Who may publish uploads a curriculum; it is proved, and published when it holds."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from integration.coursework_support import COURSE
from integration.portal_support import PREFIX, Browser, Portal, make_portal
from unit.curricula_support import SOURCE, write_curriculum, write_other

from ulab_core.models import Role
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_coursework.publishers import let
from ulab_curricula import published
from ulab_portal.beside import environment


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """Erin teaches a course of her own, and Tara assists in Carol's."""
    portal = make_portal(tmp_path, monkeypatch)
    base = portal.base
    with base.db.write() as session:
        for name in ("erin", "tara"):
            ensure_person(session, name, display_name=name.title())
        create_course(session, base.layout, "other", "sums-foundations", "1", None, "", "erin")
        enrol(session, "other", "erin", Role.INSTRUCTOR, "erin")
        enrol(session, COURSE, "tara", Role.ASSISTANT, "carol")
    return portal


def zipped(root: Path, **more: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for file in sorted(path for path in root.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(root))
        for name, text in more.items():
            archive.writestr(name, text)
    return made.getvalue()


def upload(browser: Browser, content: bytes) -> httpx.Response:
    files = {"curricula": ("theirs.zip", content)}
    return browser.post(f"{PREFIX}/curricula", files=files, headers=browser._htmx())


def outcome(browser: Browser) -> str:
    until = time.monotonic() + 240
    while 'data-upload="running"' in (page := browser.see("curricula/uploads").text):
        assert time.monotonic() < until
        time.sleep(1)
    return page


def versions(portal: Portal) -> list[str]:
    return [one.version for one in published(portal.base.layout) if one.id == "adding"]


def test_what_holds_is_published_and_what_does_not_is_said(portal: Portal, tmp_path: Path) -> None:
    """Carol publishes, an administrator tries to over her name, Erin may not and sees nothing."""
    carol, erin, root = (portal.browser(name) for name in ("carol", "erin", "root"))
    write_other(tmp_path / "theirs")
    content = zipped(tmp_path / "theirs")
    assert upload(carol, content).status_code == 204
    for browser, said in ((carol, "Your last upload"), (erin, "someone else"), (root, "one at a")):
        refused = upload(browser, content)
        assert refused.status_code == 409
        assert said in refused.text
        assert "carol" not in refused.text.casefold()
    said = outcome(carol)
    [version] = versions(portal)
    assert f"adding is published as {version}." in said
    assert "theirs.zip" in said
    for browser in (carol, root):
        page = browser.see("curricula").text
        assert 'data-curriculum="adding"' in page
        assert re.search(r"published [^<]+ by Carol", page)
    assert re.search(r"adding [^<]+ by Carol", erin.see("new-course").text)
    assert 'data-curriculum="sums-foundations"' in page
    assert "brought by the base" in page
    assert "sums-foundations" not in carol.see("curricula").text
    assert not list(portal.base.layout.uploads.glob("*/*.zip")), "only what came of it is kept"

    # Erin's own under Carol's names: refused with the name, before anything of it is proved.
    lab = tmp_path / "theirs" / "labs" / "image-recognition" / "additions" / "lab.py"
    lab.write_text(SOURCE.replace("assert double(4) == 8", "assert double"), "utf-8")
    content = zipped(tmp_path / "theirs")
    assert upload(erin, content).status_code == 204
    said = outcome(erin)
    assert 'data-upload="refused"' in said
    assert "curriculum adding already, and it isn't yours" in said.replace("&#39;", "'")
    assert "double-test" not in said
    assert "adding is published" not in said, "Carol's upload"

    # An administrator is only told what is wrong with it, which neither of the others sees.
    assert upload(root, content).status_code == 204
    said = outcome(root)
    assert "Not published." in said
    assert "additions: labs/image-recognition/additions/lab.py:" in said, "as its author has it"
    assert "double-test" in said
    assert said.count("data-upload") == 3
    for browser in (carol, erin):
        for path in ("curricula", "curricula/uploads"):
            seen = browser.see(path).text
            assert seen.count("data-upload=") == 1
            assert "double-test" not in seen
    assert "curriculum adding already" not in carol.see("curricula").text
    assert versions(portal) == [version]


def test_what_cannot_be_taken_in_is_refused_at_once_and_not_kept(
    portal: Portal, tmp_path: Path
) -> None:
    write_curriculum(tmp_path / "theirs")
    root = portal.browser("root")
    refused = upload(root, zipped(tmp_path / "theirs", **{"../evil": "x"}))
    assert refused.status_code == 400
    assert "leads out of the folder" in refused.text
    assert upload(root, b"no zip").status_code == 400
    assert not list(portal.base.layout.uploads.glob("[!.]*"))


@pytest.mark.parametrize(
    ("person", "links"),
    [
        *(("alice", None), ("tara", None), ("dave", None)),
        ("carol", ("", "new-course")),
        ("root", ("new-course", f"courses/{COURSE}/teach/version")),
    ],
)
def test_only_administrators_and_instructors_publish(
    portal: Portal, tmp_path: Path, person: str, links: tuple[str, ...] | None
) -> None:
    browser = portal.browser(person)
    if links is not None:
        assert browser.see("curricula").status_code == 200
        assert upload(browser, b"no zip").status_code == 400, "as far as the file itself"
        for path in links:
            assert f'href="{PREFIX}/curricula"' in browser.see(path).text
    else:
        write_curriculum(tmp_path / "theirs")
        for path in ("curricula", "curricula/uploads"):
            assert browser.see(path).status_code == 403
        refused = upload(browser, zipped(tmp_path / "theirs"))
        assert refused.status_code == 403
        assert "Only administrators and instructors of a course publish" in refused.text
        assert "只有管理员和课程的教师能发布" in portal.browser(person, "zh").see("curricula").text
        assert "/curricula" not in browser.see().text
        assert not portal.base.layout.uploads.exists()


def test_a_version_is_offered_to_publish_where_the_curriculum_is_theirs(
    portal: Portal, tmp_path: Path
) -> None:
    versions_page = f"courses/{COURSE}/teach/version"
    assert 'id="publish-version"' not in portal.browser("carol").see(versions_page).text
    with portal.base.db.write() as session:
        let(session, portal.base.layout, "sums-foundations", "carol", "root")
    assert 'id="publish-version"' in portal.browser("carol").see(versions_page).text
    assert 'id="publish-version"' not in portal.browser("tara").see(versions_page).text


def test_ten_uploads_of_each_person_are_kept(portal: Portal) -> None:
    made = [("202608", "erin"), ("202608", "root"), *[("202609", "carol")] * 12]
    for number, (month, person) in enumerate(made):
        folder = portal.base.layout.uploads / f"{month}{number + 1:02}T080000-0123abcd"
        folder.mkdir(parents=True)
        about = {"name": "x.zip", "person": person, "at": "2026-08-01T08:00:00+00:00"}
        (folder / "about.json").write_text(json.dumps(about))
    seen = {
        person: portal.browser(person).see("curricula").text.count("data-upload=")
        for person in ("carol", "erin", "root")
    }
    assert seen == {"carol": 10, "erin": 1, "root": 12}


def test_a_folder_without_a_note_is_passed_over(portal: Portal) -> None:
    # Also where the machine went down while an upload was being written.
    for number, note in (("1", None), ("2", '{"name": "theirs.zip", "per')):
        folder = portal.base.layout.uploads / f"20260901T080000-0123abc{number}"
        folder.mkdir(parents=True)
        if note is not None:
            (folder / "about.json").write_text(note)
    page = portal.browser("root").see("curricula")
    assert page.status_code == 200
    assert "data-upload" not in page.text


def test_whoever_proves_gets_no_token_of_the_portals() -> None:
    given = {"PATH": "/bin", "ULAB_CONFIG": "/x", "JUPYTERHUB_API_TOKEN": "secret"}
    assert environment(given) == {"PATH": "/bin", "ULAB_CONFIG": "/x"}
