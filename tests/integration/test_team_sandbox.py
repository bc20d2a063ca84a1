"""A team's folder in real sandboxes: who writes, who reads, and what nobody can do with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from integration.sandbox_support import ORDINARY_UID, Student, only_root

from ulab_core.layout import Layout
from ulab_runtime.sandbox import Mount
from ulab_teams.folders import FolderUnusable, measure, prepare_folder
from ulab_teams.mending import mend

TEAM = "windfarm"
GID = 630_001
INSIDE = f"/srv/teams/{TEAM}"
AS_ROOT = os.geteuid() == 0
TRY = f"""
import os, pathlib, shutil
def attempt(act):
    try:
        return act() or 'ok'
    except Exception as error:
        return type(error).__name__
here = pathlib.Path({INSIDE!r})
"""


class Team:
    """A team's folder as the base prepares it, and sandboxes that have it."""

    def __init__(self, root: Path, by_root: bool, namespaces_for_all: bool) -> None:
        self.layout = Layout(root / "state")
        self.layout.prepare()
        self.by_root, self.for_all = by_root, namespaces_for_all
        self.gid = GID if by_root else None
        self.folder = prepare_folder(self.layout, TEAM, self.gid)
        if AS_ROOT and not by_root:
            os.chown(self.folder, ORDINARY_UID, ORDINARY_UID)
        self._people: dict[str, Student] = {}

    def person(self, name: str) -> Student:
        if name not in self._people:
            number = len(self._people)
            self._people[name] = Student(
                self.layout.homes, name, number, self.by_root, self.for_all
            )
            self._people[name].reached.append(self.folder)
        return self._people[name]

    def run(self, name: str, code: str, *, writable: bool | None = True, group: bool = True) -> Any:
        """What `result` is after `name` ran code, with the folder unless `writable` is None."""
        person = self.person(name)
        more: dict[str, Any] = {}
        if writable is not None:
            mounts = list(person.spec([]).mounts)
            mounts.insert(-1, Mount(self.folder, INSIDE, writable))
            more = {"mounts": mounts}
            if self.gid is not None and group:
                more["groups"] = (self.gid,)
        return person.python(TRY + code, **more)


@pytest.fixture(
    params=[
        pytest.param((True, True), marks=only_root, id="by-root"),
        pytest.param((True, False), marks=only_root, id="by-root-alone"),
        pytest.param((False, True), id="by-user"),
    ]
)
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Team:
    return Team(tmp_path, *request.param)


@pytest.mark.parametrize("umask", ["0o007", "0o022", "0o077"])
def test_what_one_member_makes_another_changes_and_removes(team: Team, umask: str) -> None:
    made = f"""
os.umask({umask})
(here / 'notes.txt').write_text('ann')
(here / 'src' / 'deep').mkdir(parents=True)
(here / 'src' / 'deep' / 'model.py').write_text('ann')
result = 'made'
"""
    assert team.run("ann", made) == "made"
    changed = """
result = [
    attempt(lambda: (here / 'notes.txt').write_text('bob') and None),
    attempt(lambda: (here / 'src' / 'deep' / 'model.py').write_text('bob') and None),
    attempt(lambda: (here / 'src' / 'deep' / 'more.py').write_text('bob') and None),
    attempt(lambda: (here / 'notes.txt').rename(here / 'src' / 'notes.txt') and None),
]
"""
    assert team.run("bob", changed) == ["ok"] * 4
    gone = "result = [attempt(lambda: shutil.rmtree(here / 'src')), os.listdir(here)]"
    assert team.run("ann", gone) == ["ok", []]


def test_copies_from_a_home_are_the_teams_too(team: Team) -> None:
    copied = """
os.umask(0o007)
home = pathlib.Path.home()
(home / 'mine.ipynb').write_text('ann')
shutil.copy(home / 'mine.ipynb', here / 'copied.ipynb')
shutil.move(home / 'mine.ipynb', here / 'moved.ipynb')
result = sorted(os.listdir(here))
"""
    assert team.run("ann", copied) == ["copied.ipynb", "moved.ipynb"]
    changed = """
result = [attempt(lambda: (here / name).write_text('bob') and None) for name in os.listdir(here)]
"""
    assert team.run("bob", changed) == ["ok", "ok"]


def test_a_mentor_reads_and_changes_nothing(team: Team) -> None:
    team.run("ann", "(here / 'notes.txt').write_text('ann'); result = 0")
    code = """
result = [
    attempt(lambda: (here / 'notes.txt').read_text()),
    attempt(lambda: (here / 'notes.txt').write_text('prof')),
    attempt(lambda: (here / 'notes.txt').unlink()),
    attempt(lambda: (here / 'new.txt').write_text('prof')),
    attempt(lambda: os.chmod(here / 'notes.txt', 0o777)),
    attempt(lambda: os.utime(here / 'notes.txt')),
    attempt(lambda: os.rename(here / 'notes.txt', here / 'other.txt')),
]
"""
    assert team.run("prof", code, writable=False) == ["ann", *["OSError"] * 6]


def test_who_is_not_in_the_team_sees_nothing_of_it(team: Team) -> None:
    code = f"""
result = [attempt(lambda: os.listdir('/srv/teams')), attempt(lambda: os.listdir(here)),
          attempt(lambda: os.listdir({str(team.folder)!r}))]
"""
    assert team.run("dave", code, writable=None) == ["FileNotFoundError"] * 3


@only_root
def test_the_folder_is_closed_to_others_even_if_shown(tmp_path: Path) -> None:
    team = Team(tmp_path, by_root=True, namespaces_for_all=True)
    team.run("ann", "(here / 'notes.txt').write_text('ann'); result = 0")
    code = """
result = [attempt(lambda: os.listdir(here)), attempt(lambda: (here / 'notes.txt').read_text()),
          attempt(lambda: (here / 'new.txt').write_text('dave'))]
"""
    assert team.run("dave", code, group=False) == ["PermissionError"] * 3
    opened = "result = [attempt(lambda: os.chmod(here, 0o777)), attempt(lambda: os.rmdir(here))]"
    assert team.run("ann", opened) == ["PermissionError", "OSError"], "nobody opens it to others"


def test_a_link_in_the_folder_leads_nobody_anywhere(team: Team, tmp_path: Path) -> None:
    secret = team.person("bob").home / "secret.txt"
    secret.write_text("bob's")
    database = team.layout.database
    database.write_text("the base's")
    planted = f"""
targets = {[str(secret), "/home/bob/secret.txt", "/etc/shadow", str(database), "/proc/1/root"]!r}
for number, target in enumerate(targets):
    (here / f'link{{number}}').symlink_to(target)
result = [
    attempt(lambda: os.link({str(secret)!r}, here / 'hard')),
    attempt(lambda: os.link(pathlib.Path.home() / 'own', here / 'hard'))
    if (pathlib.Path.home() / 'own').write_text('own') else 0,
    attempt(lambda: os.mknod(here / 'disk', 0o60660, os.makedev(8, 0))),
]
"""
    refused = team.run("ann", planted)
    assert refused == ["FileNotFoundError", "OSError", "PermissionError"]
    code = "result = [attempt(lambda: (here / f'link{n}').read_text()) for n in range(4)]"
    ann, bob = team.run("ann", code), team.run("bob", code)
    assert ann == ["FileNotFoundError"] * 4
    # A link is followed where it is read: to Bob's own home, by Bob alone.
    assert bob == ["FileNotFoundError", "bob's", "FileNotFoundError", "FileNotFoundError"]


def test_a_set_user_id_file_of_the_folder_gives_nothing(team: Team) -> None:
    planted = """
shutil.copy('/usr/bin/id', here / 'id')
os.chmod(here / 'id', 0o6755)
result = os.stat(here / 'id').st_mode & 0o7777
"""
    team.run("ann", planted)
    code = """
import subprocess
result = [subprocess.run([here / 'id', '-u'], capture_output=True, text=True).stdout.strip(),
          str(os.getuid())]
"""
    ran, own = team.run("bob", code)
    assert ran == own


@only_root
def test_what_an_ex_member_left_is_the_teams_and_they_have_none_of_it(tmp_path: Path) -> None:
    team = Team(tmp_path, by_root=True, namespaces_for_all=True)
    left = "(here / 'notes.txt').write_text('ann'); os.chmod(here / 'notes.txt', 0o600); result = 0"
    team.run("ann", left)
    assert mend(team.folder, GID) == 1
    code = "result = attempt(lambda: (here / 'notes.txt').write_text('bob') and None)"
    assert team.run("bob", code) == "ok"
    assert team.run("ann", code, writable=None) == "FileNotFoundError"
    assert team.run("ann", code, group=False) == "PermissionError", "even were it still shown"


# What the base does in the folder ----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    layout = Layout(tmp_path / "state")
    layout.prepare()
    return prepare_folder(layout, TEAM, GID if AS_ROOT else None)


def modes(folder: Path) -> dict[str, tuple[str, int]]:
    found = {path.name: path.lstat() for path in folder.rglob("*")}
    return {name: (oct(one.st_mode & 0o7777), one.st_gid) for name, one in found.items()}


@only_root
def test_what_was_moved_there_becomes_the_teams(folder: Path, tmp_path: Path) -> None:
    """As ``mv`` leaves things: with the group and the mode that they had."""
    for name, mode in (("private", 0o600), ("program", 0o755), ("fixed", 0o444), ("suid", 0o4711)):
        (folder / name).write_text("x")
        os.chown(folder / name, 210_001, 210_001)
        (folder / name).chmod(mode)
    inner = folder / "inner"
    inner.mkdir()
    os.chown(inner, 210_001, 210_001)
    inner.chmod(0o700)
    assert mend(folder, GID) == 5
    assert modes(folder) == {
        "private": ("0o660", GID),
        "program": ("0o775", GID),
        "fixed": ("0o444", GID),
        "suid": ("0o771", GID),
        "inner": ("0o2770", GID),
    }
    assert mend(folder, GID) == 0
    os.umask(0o077)
    try:
        (inner / "later").write_text("x")
    finally:
        os.umask(0o022)
    assert modes(folder)["later"] == ("0o660", GID)


@only_root
def test_mending_follows_no_link_and_waits_for_nothing(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "shadow").write_text("root's")
    (outside / "shadow").chmod(0o600)
    before = [one.stat() for one in (outside, outside / "shadow")]
    (folder / "file").symlink_to(outside / "shadow")
    (folder / "room").symlink_to(outside)
    (folder / "up").symlink_to("..")
    os.mkfifo(folder / "pipe", 0o600)
    os.mknod(folder / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    assert mend(folder, GID) == 0
    assert [one.stat() for one in (outside, outside / "shadow")] == before
    linked = folder.parent / "linked"
    linked.symlink_to(outside)
    with pytest.raises(OSError, match="directory"):
        mend(linked, GID)


def test_a_folder_too_deep_holds_up_nobody(folder: Path) -> None:
    deep = folder
    here = os.open(folder, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    assert deep.is_dir()
    if AS_ROOT:
        mend(folder, GID)
    assert measure(Layout(folder.parents[1]), TEAM).files == 0


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_of_the_bases_is_not_given_to_anyone(tmp_path: Path, kind: str) -> None:
    layout = Layout(tmp_path / "state")
    layout.prepare()
    outside = tmp_path / "outside"
    outside.mkdir()
    if kind == "link":
        layout.team(TEAM).symlink_to(outside)
    else:
        layout.team(TEAM).write_text("x")
    before = outside.stat()
    with pytest.raises((FolderUnusable, FileExistsError)):
        prepare_folder(layout, TEAM, GID if AS_ROOT else None)
    assert outside.stat() == before


def test_a_folder_is_measured_without_what_links_lead_to(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1_000_000)
    (folder / "link").symlink_to(tmp_path / "large")
    (folder / "room").mkdir()
    (folder / "room" / "small").write_bytes(b"x" * 10_000)
    found = measure(Layout(folder.parents[1]), TEAM)
    assert (found.files, found.whole) == (1, True)
    assert 10_000 <= found.bytes < 100_000
