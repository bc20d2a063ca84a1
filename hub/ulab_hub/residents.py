"""Who a server is for: the person's row, host user, home, and the course it grades, if any."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ulab_core.database import Database
from ulab_core.errors import NotAllowed, UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import COURSE_ID, Course
from ulab_core.rights import Act, may
from ulab_core.settings import Settings
from ulab_coursework.coursefolder import course_gid
from ulab_coursework.courses import ensure_person, role_in
from ulab_teams.datasets import prepare_store
from ulab_teams.folders import FolderUnusable, TeamFolder, folders_of, prepare_folder, team_gid

log = logging.getLogger(__name__)
GRADE_PREFIX = "grade-"


class HomeUnusable(UserError):
    """A home that can't be given to its person before an administrator looks at it."""

    status = 500


@dataclass(frozen=True)
class Resident:
    """A person, as a sandbox needs to know them.

    Parameters
    ----------
    uid, gid
        As root, the host user and group of the server; otherwise None.
    language
        ``zh`` or ``en``.
    course
        The course this server grades, or None.
    teams
        The teams whose folders this server has, and whether it may write in them.
    groups
        As root, the host groups of these teams.
    """

    name: str
    uid: int | None
    gid: int | None
    language: str
    home: Path
    course: str | None = None
    teams: Mapping[str, bool] = field(default_factory=dict)
    groups: tuple[int, ...] = ()


def course_of(server_name: str) -> str | None:
    """The course that a named server is for; None for the person's own server.

    Raises
    ------
    NotAllowed
        The name is of no kind that exists.
    """
    if not server_name:
        return None
    course = server_name.removeprefix(GRADE_PREFIX)
    if course == server_name or not COURSE_ID.fullmatch(course):
        raise NotAllowed(
            mark("There is no server {server}. You have one server, with no name."),
            server=server_name,
        )
    return course


def settle(
    settings: Settings, database: Database, name: str, server_name: str, language: str | None = None
) -> Resident:
    """Make sure that the person has a row and a home, and may have this server.

    Parameters
    ----------
    language
        What the server speaks when the person never chose a language; None for the site's.

    Raises
    ------
    NotAllowed
        The named server isn't for this person.
    HomeUnusable
        Something else lies where the home should be.
    """
    course = course_of(server_name)
    base = settings.accounts.uid_base
    as_root = os.geteuid() == 0
    with database.write() as session:
        person = ensure_person(session, name)
        uid = base + person.id if as_root else None
        gid = uid
        language = person.language or language or settings.site.language
        if course is not None:
            if not may(role_in(session, course, name), Act.GRADE):
                raise NotAllowed(
                    mark(
                        "Only an instructor or assistant of the course {course} can open its "
                        "grading server."
                    ),
                    course=course,
                )
            gid = course_gid(session.get_one(Course, course).number, base)
        # A grading server sees the course, and nothing else that could leave it.
        folders = folders_of(session, name) if course is None else []
    layout = Layout.of(settings)
    home = prepare_home(layout, name, uid)
    teams, groups = prepare_teams(layout, folders, base)
    return Resident(name, uid, gid, language, home, course, teams, groups)


def prepare_teams(
    layout: Layout, folders: Sequence[TeamFolder], uid_base: int
) -> tuple[dict[str, bool], tuple[int, ...]]:
    """Make sure that the folders are there; one that can't be used is left out.

    Returns
    -------
    dict, tuple
        Whether each team's is writable, and the host groups.
    """
    teams, groups = {}, []
    for one in folders:
        gid = team_gid(one.number, uid_base)
        try:
            prepare_folder(layout, one.team, gid)
            prepare_store(layout, one.team, gid)
        except (FolderUnusable, OSError) as error:
            log.error("The folder of the team %s can't be used: %s", one.team, error)
            continue
        teams[one.team] = one.writable
        if gid is not None:
            groups.append(gid)
    return teams, tuple(groups)


def prepare_home(layout: Layout, name: str, uid: int | None) -> Path:
    """Create the home, closed to others, or make sure that it is the person's.

    Only the home itself is looked at: what lies in it is the person's, who may have put a link
    anywhere.

    Raises
    ------
    HomeUnusable
        A link, a file, or someone else's folder lies there.
    """
    home = layout.home(name)
    owner = os.geteuid() if uid is None else uid
    if uid is not None and not os.path.lexists(home):
        # Made beside and moved there when it is the person's, so that a crash leaves no half home.
        with tempfile.TemporaryDirectory(dir=layout.homes, prefix=".new-") as new:
            made = Path(new, name)
            made.mkdir(mode=0o700)
            os.chown(made, uid, uid)
            made.rename(home)
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
        raise HomeUnusable(
            mark(
                "The home of {name} belongs to someone else, so the server was not started. "
                "Ask an administrator to look at the owner of {folder}."
            ),
            name=name,
            folder=home,
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        home.chmod(0o700)
    return home
