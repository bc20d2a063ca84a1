"""Data sets that teams bring themselves: who may, from where, how much, and who reads them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_datasets import adding, own
from ulab_datasets.adding import Told
from ulab_datasets.card import Card
from ulab_teams.folders import team_gid
from ulab_teams.rights import Act, require
from ulab_teams.teams import find_team


class BadSource(UserError):
    """A file of the team's folder can't become a data set."""


def quota(settings: Settings) -> int:
    """The bytes that one team's data sets may take."""
    return settings.datasets.team_quota_mb * 1_000_000


def prepare_store(layout: Layout, team: str, gid: int | None) -> Path:
    """Create what a team's sandboxes see of its data sets, for its group alone; safe to repeat."""
    root = layout.team_datasets(team)
    root.parent.mkdir(mode=0o700, exist_ok=True)
    store = root / "store"
    store.mkdir(parents=True, exist_ok=True)
    if gid is not None:
        os.chown(store, -1, gid)
    # Not the owner's alone: as root, whoever reads is another host user.
    store.chmod(0o750)
    return store


def add(
    settings: Settings,
    db: Database,
    team: str,
    name: str,
    files: Mapping[str, BinaryIO],
    told: Told,
    *,
    actor: str,
    person: str | None,
    take: Callable[..., Card] = adding.add,
) -> Card:
    """Take files as a data set of a team, readable by the team alone.

    Parameters
    ----------
    actor
        Who does it, for the audit log.
    person
        By whose rights; None for an operator, who is asked for none.
    take
        `ulab_datasets.adding.add`, or what does the same elsewhere.

    Raises
    ------
    NotFound, NotAllowed
        There is no such team, or they may not.
    DatasetError
        See `ulab_datasets.adding.add`. Nothing was changed.
    """
    layout = Layout.of(settings)
    with db.read() as session:
        if person is not None:
            require(session, team, person, Act.WRITE)
        number = find_team(session, team).number
    prepare_store(layout, team, team_gid(number, settings.accounts.uid_base))
    root = layout.team_datasets(team)
    card = take(root, name, files, told, quota=quota(settings))
    with db.write() as session:
        sizes = sum(path.stat().st_size for path in (root / "store" / name / "data").iterdir())
        record(session, actor, "team.dataset.add", f"{team}/{name}", bytes=sizes, by=told.by)
    return card


def remove(
    settings: Settings, db: Database, team: str, name: str, actor: str, person: str | None
) -> int:
    """Remove a data set of a team with its versions; gives the bytes it gives back.

    Raises
    ------
    NotFound, NotAllowed, BadCard
        There is no such team or data set, or they may not.
    """
    with db.read() as session:
        if person is not None:
            require(session, team, person, Act.WRITE)
        find_team(session, team)
    given_back = own.remove(Layout.of(settings).team_datasets(team), name)
    with db.write() as session:
        record(session, actor, "team.dataset.remove", f"{team}/{name}", bytes=given_back)
    return given_back


def cards_of(db: Database, layout: Layout, team: str, person: str) -> list[Card]:
    """The cards of a team's data sets, for someone who may read them.

    Raises
    ------
    NotFound, NotAllowed
        There is no such team, or they aren't in it.
    """
    with db.read() as session:
        require(session, team, person, Act.READ)
    root = layout.team_datasets(team)
    return [own.own_card(root, name) for name in own.names(own.registry(root))]


@contextlib.contextmanager
def opened(layout: Layout, team: str, paths: Sequence[str]) -> Iterator[dict[str, BinaryIO]]:
    """Open files of a team's folder by their paths in it, following no link on the way.

    Raises
    ------
    BadSource
        A path leads out of the folder, over a link, or to something that is no file.
    BadCard
        Two files have one name.
    """
    adding.refuse_twice([PurePosixPath(path).name for path in paths])
    with contextlib.ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for path in paths:
            file = stack.enter_context(_open_below(layout.team(team), path))
            files[PurePosixPath(path).name] = file
        yield files


def _open_below(folder: Path, path: str) -> BinaryIO:
    parts = PurePosixPath(path).parts
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    bad = BadSource(
        mark("{path} is no plain file of the team's folder; links are not followed."), path=path
    )
    if not parts or any(part in ("..", "/") for part in parts):
        raise bad
    handle = os.open(folder, flags | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, flags | os.O_DIRECTORY, dir_fd=handle)
            os.close(handle)
            handle = below
        found = os.open(parts[-1], flags, dir_fd=handle)
    except OSError:
        raise bad from None
    finally:
        os.close(handle)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise bad
    return os.fdopen(found, "rb")
