"""Teams' folders on a real hub: where they are seen, and how soon they are gone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

import httpx
import pytest
from integration.fork_support import wait_until
from integration.hub_support import HubClient
from integration.kernel_support import open_kernel
from integration.sandbox_support import only_root
from integration.warm_hub_support import Remains, WarmBase, put_aside
from nbformat.v4 import new_markdown_cell, new_notebook

from ulab_core.team_models import Team, TeamRole
from ulab_coursework.courses import ensure_person
from ulab_hub.rights_watch import LOOK_S
from ulab_teams.folders import team_gid
from ulab_teams.teams import create_team, remove_member, set_member

TEAM, OTHER = "windfarm", "grid"
PEOPLE = ("ann", "bob", "prof", "dave", "eve")
SOON_S = LOOK_S + 15
"""Far more than it takes; that it is seconds is what the documentation says, not what is timed."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmBase]:
    base = WarmBase(tmp_path_factory.mktemp("teams"), limits={"memory_mb": 1200})
    for name in (*PEOPLE, base.settings.accounts.admin):
        base.create_user(name)
    with base.database.write() as session:
        for name in PEOPLE:
            ensure_person(session, name, language="en")
        create_team(session, TEAM, "Wind farm", "", "ann", "test")
        create_team(session, OTHER, "Grid", "", "ann", "test")
        set_member(session, TEAM, "bob", TeamRole.MEMBER, "test")
        set_member(session, TEAM, "prof", TeamRole.MENTOR, "test")
    base.start()
    yield base
    base.stop()


@pytest.fixture(autouse=True)
def as_it_was(base: WarmBase) -> Iterator[None]:
    """Ends every server after a test, and gives everyone back what they were."""
    yield
    admin = base.client(base.settings.accounts.admin)
    for name in PEOPLE:
        if admin.api("GET", f"users/{name}").json().get("servers"):
            base.stop_server(admin, name)
    with base.database.write() as session:
        set_member(session, TEAM, "bob", TeamRole.MEMBER, "test")
        set_member(session, TEAM, "prof", TeamRole.MENTOR, "test")


def started(base: WarmBase, name: str, *, cold: bool = False) -> HubClient:
    client = base.client(name, headers={"accept-language": "en"})
    with put_aside(base.layout.fork_for_base("server")) if cold else nullcontext():
        base.start_server(client, name)
    assert ("server" in base.server_state(name)) is not cold
    return client


def in_kernel(base: WarmBase, name: str, code: str) -> str:
    async def ask() -> str:
        kernel = await open_kernel(base.url, name, base.api_token(name))
        return (await kernel.text(code)).strip()

    return asyncio.run(ask())


def contents(base: WarmBase, name: str, path: str, method: str = "", **more: Any) -> httpx.Response:
    """Ask the person's server for files, as JupyterLab does."""
    headers = {"Authorization": f"token {base.api_token(name)}"}
    method = method or ("PUT" if more else "GET")
    address = f"{base.url}/user/{name}/api/contents/{path}"
    return httpx.request(method, address, headers=headers, json=more or None, timeout=30)


def write(base: WarmBase, name: str, path: str, text: str) -> int:
    body = {"type": "file", "format": "text", "content": text}
    return contents(base, name, path, **body).status_code


def runs(base: WarmBase, client: HubClient, name: str) -> bool:
    return bool(client.api("GET", f"users/{name}").json().get("servers"))


@pytest.fixture(params=[False, True], ids=["warm", "cold"])
def cold(base: WarmBase, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether servers and kernels start cold."""
    with put_aside(base.kernel_socket) if request.param else nullcontext():
        yield request.param


def test_members_share_the_folder_in_jupyterlab_and_in_kernels(base: WarmBase, cold: bool) -> None:
    for name in ("ann", "bob", "prof"):
        started(base, name, cold=cold)
    home = contents(base, "ann", "").json()["content"]
    assert "teams" in [one["name"] for one in home], "JupyterLab's file browser begins there"
    shown = contents(base, "ann", "teams").json()["content"]
    assert sorted(one["name"] for one in shown) == [OTHER, TEAM]
    assert write(base, "ann", f"teams/{TEAM}/notes.txt", "by ann") == 201
    where = in_kernel(base, "bob", f"import os; print(os.path.expanduser('~/teams/{TEAM}'))")
    said = in_kernel(
        base,
        "bob",
        f"import os; from pathlib import Path; os.chdir({where!r})\n"
        "print(Path('notes.txt').read_text()); Path('notes.txt').write_text('by bob')\n"
        "os.umask(0o077); Path('kernel.txt').write_text('by bob')\n"
        "print(os.listdir('..'), os.getppid() == 0)",
    )
    assert said.splitlines() == ["by ann", f"['{TEAM}'] {not cold}"], "and only one's own teams"
    assert write(base, "ann", f"teams/{TEAM}/kernel.txt", "by ann") == 200
    read = contents(base, "prof", f"teams/{TEAM}/notes.txt").json()["content"]
    assert read == "by bob"
    assert write(base, "prof", f"teams/{TEAM}/notes.txt", "by prof") >= 400
    refused = in_kernel(base, "prof", f"open('/srv/teams/{TEAM}/notes.txt', 'a')")
    assert "Read-only file system" in refused
    gone = contents(base, "ann", f"teams/{TEAM}/kernel.txt", method="DELETE")
    assert gone.status_code == 204, "also what another made"
    left = {path.name for path in base.layout.team(TEAM).iterdir()}
    assert left == {"notes.txt", ".ipynb_checkpoints"}, "and no trash is left there"
    (base.layout.team(TEAM) / "notes.txt").unlink()


def test_who_is_in_no_team_sees_no_folder(base: WarmBase) -> None:
    started(base, "dave")
    assert "teams" not in [one["name"] for one in contents(base, "dave", "").json()["content"]]
    assert "False" in in_kernel(base, "dave", "import os; print(os.path.exists('/srv/teams'))")


def test_who_is_taken_out_loses_the_folder_within_seconds_and_is_told(base: WarmBase) -> None:
    bob = started(base, "bob")
    started(base, "ann")
    assert write(base, "bob", f"teams/{TEAM}/of-bob.txt", "bob") == 201
    in_kernel(
        base,
        "bob",
        f"import os, threading, time; held = open('/srv/teams/{TEAM}/held.txt', 'a')\n"
        "def keep():\n    while True: held.write('x'); held.flush(); time.sleep(0.05)\n"
        "threading.Thread(target=keep).start()",
    )
    remains = Remains(base, "bob")
    with base.database.write() as session:
        remove_member(session, TEAM, "bob", "test")
    wait_until(lambda: not runs(base, bob, "bob"), SOON_S, "the server still runs")
    remains.wait_until_gone()
    for page in ("/hub/home", "/hub/spawn", "/user/bob/lab"):
        assert f"no longer in the team {TEAM}" in bob.get(page).text, page
    base.start_server(bob, "bob")
    assert "no longer in the team" not in bob.get("/hub/home").text
    assert "teams" not in [one["name"] for one in contents(base, "bob", "").json()["content"]]
    assert "False" in in_kernel(base, "bob", "import os; print(os.path.exists('/srv/teams'))")
    assert runs(base, base.client("ann"), "ann"), "nobody else's is ended"
    assert write(base, "ann", f"teams/{TEAM}/of-bob.txt", "ann") == 200


def test_a_member_who_becomes_a_mentor_only_reads_within_seconds(base: WarmBase) -> None:
    bob = started(base, "bob", cold=True)
    with base.database.write() as session:
        set_member(session, TEAM, "bob", TeamRole.MENTOR, "test")
    wait_until(lambda: not runs(base, bob, "bob"), SOON_S, "the server still runs")
    assert "now only read the folder" in bob.get("/hub/home").text
    base.start_server(bob, "bob")
    assert write(base, "bob", f"teams/{TEAM}/new.txt", "bob") >= 400


def test_more_rights_end_nothing_and_come_with_the_next_start(base: WarmBase) -> None:
    prof = started(base, "prof")
    with base.database.write() as session:
        set_member(session, TEAM, "prof", TeamRole.MEMBER, "test")
        set_member(session, OTHER, "prof", TeamRole.MEMBER, "test")
    time.sleep(3 * LOOK_S)
    assert runs(base, prof, "prof")
    assert write(base, "prof", f"teams/{TEAM}/new.txt", "prof") >= 400
    base.stop_server(prof, "prof")
    base.start_server(prof, "prof")
    assert write(base, "prof", f"teams/{TEAM}/new.txt", "prof") == 201
    assert write(base, "prof", f"teams/{OTHER}/new.txt", "prof") == 201
    with base.database.write() as session:
        remove_member(session, OTHER, "prof", "test")
    wait_until(lambda: not runs(base, prof, "prof"), SOON_S, "one of two teams is enough")


def test_a_hub_that_was_killed_goes_on_watching(base: WarmBase) -> None:
    started(base, "bob")
    base.kill_hub()
    with base.database.write() as session:
        remove_member(session, TEAM, "bob", "test")
    base.start()
    bob = base.client("bob")
    wait_until(lambda: not runs(base, bob, "bob"), SOON_S, "the server still runs")


@pytest.mark.parametrize("how", ["account", "person"])
def test_whose_account_is_removed_loses_the_folder(base: WarmBase, how: str) -> None:
    with base.database.write() as session:
        set_member(session, TEAM, "eve", TeamRole.MEMBER, "test")
    started(base, "eve")
    remains = Remains(base, "eve")
    if how == "account":
        with closing(sqlite3.connect(base.layout.hub_database)) as accounts, accounts:
            accounts.execute("DELETE FROM users_info WHERE username = 'eve'")
    else:
        admin = base.client(base.settings.accounts.admin)
        assert admin.api("DELETE", "users/eve").status_code == 204
    remains.wait_until_gone()
    base.create_user("eve")


def test_what_the_person_has_in_the_place_stays(base: WarmBase) -> None:
    home = base.layout.home("ann")
    own = home / "teams"
    if own.is_symlink():
        own.unlink()
    own.mkdir()
    (own / "mine.txt").write_text("mine")
    uid = home.stat().st_uid
    for path in (own, own / "mine.txt"):
        os.chown(path, uid, uid)
    try:
        started(base, "ann")
        shown = [one["name"] for one in contents(base, "ann", "teams").json()["content"]]
        assert sorted(shown) == [OTHER, "mine.txt", TEAM]
        assert write(base, "ann", f"teams/{TEAM}/found.txt", "ann") == 201
        assert (own / "mine.txt").read_text() == "mine"
    finally:
        for link in (own / OTHER, own / TEAM, own / "mine.txt"):
            link.unlink(missing_ok=True)
        own.rmdir()


def test_two_members_save_one_notebook_in_jupyterlab(base: WarmBase) -> None:
    path = f"teams/{TEAM}/shared.ipynb"
    for name in ("ann", "bob"):
        started(base, name)
    for name in ("ann", "bob", "ann"):
        notebook = new_notebook(cells=[new_markdown_cell(f"by {name}")])
        saved = contents(base, name, path, type="notebook", content=notebook)
        assert saved.status_code in (200, 201), saved.text
        kept = contents(base, name, f"{path}/checkpoints", method="POST")
        assert kept.status_code == 201, kept.text
    read = contents(base, "bob", path).json()["content"]["cells"][0]["source"]
    assert read == "by ann"
    assert contents(base, "bob", path, method="DELETE").status_code == 204


@only_root
def test_what_was_moved_there_is_mended_while_a_server_runs(base: WarmBase) -> None:
    moved = base.layout.team(TEAM) / "moved.txt"
    moved.write_text("x")
    moved.chmod(0o600)
    os.chown(moved, 210_001, 210_001)
    with base.database.read() as session:
        gid = team_gid(session.get_one(Team, TEAM).number, base.settings.accounts.uid_base)
    base.kill_hub()
    base.start()  # mends at its first look at a server that has the folder
    started(base, "ann")
    wait_until(lambda: moved.stat().st_gid == gid, SOON_S, "it still belongs to another group")
    assert moved.stat().st_mode & 0o777 == 0o660
    assert write(base, "ann", f"teams/{TEAM}/moved.txt", "ann") == 200
