"""The folders that teams share: who has which, made ready for sandboxes, and how large they are."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Person
from ulab_core.team_models import Team, TeamMember
from ulab_teams.mending import entries, share_what_is_made_in
from ulab_teams.rights import Act, Standing

MOST_MEASURED = 20_000


class FolderUnusable(UserError):
    """Something else lies where a team's folder should be."""

    status = 500


@dataclass(frozen=True)
class TeamFolder:
    """A team's folder, as one person has it.

    Parameters
    ----------
    number
        The team's, which gives the host group.
    """

    team: str
    number: int
    writable: bool


@dataclass(frozen=True)
class Size:
    """How large a folder is.

    Parameters
    ----------
    whole
        False when there are more files than were counted.
    """

    bytes: int
    files: int
    whole: bool


def team_gid(number: int, uid_base: int) -> int | None:
    """The host group of a team's files; None when the base does not run as root.

    People are host users from `uid_base` on and courses groups from twice that, so teams are from
    three times that on.
    """
    return uid_base * 3 + number if os.geteuid() == 0 else None


def folders_of(session: Session, name: str) -> list[TeamFolder]:
    """The folders that someone has, by team."""
    rows = session.execute(
        select(Team.id, Team.number, TeamMember.role)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .join(Person, Person.id == TeamMember.person_id)
        .where(Person.name == name)
        .order_by(Team.id)
    )
    return [
        TeamFolder(row.id, row.number, Standing(row.role).may(Act.WRITE))
        for row in rows
        if Standing(row.role).may(Act.READ)
    ]


def prepare_folder(layout: Layout, team: str, gid: int | None) -> Path:
    """Create a team's folder, for its group alone; safe to repeat.

    The folder itself stays the base's own, so that nobody in the team opens it to others.

    Raises
    ------
    FolderUnusable
        A link, a file, or someone else's folder lies there.
    """
    folder = layout.team(team)
    layout.teams.mkdir(exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found, this = os.fstat(handle), f"/proc/self/fd/{handle}"
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise FolderUnusable(
                mark("{folder} is not a folder of the base's, so the team {team} can't use it."),
                folder=folder,
                team=team,
            )
        if gid is not None and (found.st_gid, stat.S_IMODE(found.st_mode)) != (gid, 0o2770):
            os.chown(this, -1, gid)
            Path(this).chmod(0o2770)
            share_what_is_made_in(this)
    finally:
        os.close(handle)
    return folder


def measure(layout: Layout, team: str) -> Size:
    """How much lies in a team's folder, as far as that is quickly known."""
    try:
        handle = os.open(layout.team(team), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return Size(0, 0, whole=True)
    total = files = seen = 0
    try:
        for entry in entries(handle, MOST_MEASURED):
            seen += 1
            if stat.S_ISREG(entry.status.st_mode):
                files += 1
                total += entry.status.st_blocks * 512
    finally:
        os.close(handle)
    return Size(total, files, whole=seen < MOST_MEASURED)
