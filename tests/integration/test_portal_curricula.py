"""An administrator uploads curricula of others; they are proved, and published when they hold."""

from __future__ import annotations

import io
import shutil
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from integration.portal_support import PREFIX, Browser, Portal, make_portal
from unit.curricula_support import SOURCE, write_curriculum, write_lab

from ulab_curricula import published
from ulab_portal.beside import environment


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    return make_portal(tmp_path, monkeypatch)


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
    root = portal.browser("root")
    write_curriculum(tmp_path / "theirs")
    content = zipped(tmp_path / "theirs")
    assert upload(root, content).status_code == 204
    assert upload(root, content).status_code == 409
    said = outcome(root)
    [version] = versions(portal)
    assert f"adding is published as {version}." in said
    assert "theirs.zip" in said

    broken = SOURCE.replace("assert double(4) == 8", "assert double")
    write_lab(tmp_path / "theirs" / "labs", source=broken)
    upload(root, zipped(tmp_path / "theirs"))
    said = outcome(root)
    assert "Not published." in said
    assert "sums: labs/image-recognition/sums/lab.py:" in said, "as it lies with its author"
    assert "double-test" in said
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
    assert not portal.base.layout.uploads.exists()


@pytest.mark.parametrize("person", ["alice", "carol"])
def test_only_administrators_publish(portal: Portal, tmp_path: Path, person: str) -> None:
    write_curriculum(tmp_path / "theirs")
    browser = portal.browser(person)
    assert browser.see("curricula").status_code == 403
    assert upload(browser, zipped(tmp_path / "theirs")).status_code == 403
    # Also where the machine went down while an upload was being written.
    (portal.base.layout.uploads / "20260901T080000-0123abcd").mkdir(parents=True)
    page = portal.browser("root").see("curricula")
    assert page.status_code == 200
    assert "data-upload" not in page.text
    shutil.rmtree(portal.base.layout.uploads)
    assert not portal.base.layout.uploads.exists()


def test_whoever_proves_gets_no_token_of_the_portals() -> None:
    given = {"PATH": "/bin", "ULAB_CONFIG": "/x", "JUPYTERHUB_API_TOKEN": "secret"}
    assert environment(given) == {"PATH": "/bin", "ULAB_CONFIG": "/x"}
