"""End the servers of people who lost a right to a folder in them, and have moved files mended."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.database import Database
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Enrolment, Person
from ulab_core.rights import Act, may
from ulab_core.settings import Settings
from ulab_core.signing_in import names_with_account
from ulab_core.team_models import Team
from ulab_hub.residents import course_of
from ulab_hub.spawner import SandboxSpawner
from ulab_teams.folders import folders_of, team_gid

log = logging.getLogger(__name__)
LOOK_S = 2.0
"""How often it is looked whether anybody lost a right: someone taken out is out this soon."""
MEND_S = 120.0
"""How often, at most, what was moved into a folder is made the team's."""
MEND_SHARE = 50
"""Mending takes one part in so many of the time at most, however much lies in the folders."""
LOST = mark("You are no longer in the team {team}, so the server that had its folder was stopped.")
LESS = mark(
    "You now only read the folder of the team {team}, so the server that wrote in it was stopped."
)
UNGRADED = mark("You no longer grade the course {course}, so its grading server was stopped.")


@dataclass(frozen=True)
class Folders:
    """The folders beside the home that a server has, or that its person has a right to.

    Parameters
    ----------
    teams
        Whether each team's is writable.
    courses
        Those whose coursework lies open in a grading server.
    """

    teams: Mapping[str, bool] = field(default_factory=dict)
    courses: Collection[str] = ()


@dataclass(frozen=True)
class Reason:
    """Why a server was ended: a sentence and what it is about."""

    sentence: str
    values: Mapping[str, str]

    def said(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.sentence).format(**self.values)


def lost_right(had: Folders, has: Folders) -> Reason | None:
    """What a running server has that its person may not have any more.

    Examples
    --------
    >>> lost_right(Folders({"a": True}), Folders({"a": False})).values
    {'team': 'a'}
    >>> lost_right(Folders({"a": False}), Folders({"a": True})) is None
    True
    """
    for course in had.courses:
        if course not in has.courses:
            return Reason(UNGRADED, {"course": course})
    for team, writable in had.teams.items():
        if team not in has.teams:
            return Reason(LOST, {"team": team})
        if writable and not has.teams[team]:
            return Reason(LESS, {"team": team})
    return None


class RightsWatch:
    """Looks after the running servers that have a team's folder or a course's.

    Parameters
    ----------
    spawners
        Every spawner of the hub, running or not.
    known_accounts
        Whether the list of accounts is the authenticator's, so that who isn't in it is nobody.
    """

    def __init__(
        self,
        settings: Settings,
        spawners: Callable[[], Iterable[Any]],
        *,
        known_accounts: bool = False,
    ) -> None:
        self._settings = settings
        self._layout = Layout.of(settings)
        self._database = Database.of(settings)
        self._spawners = spawners
        self._known_accounts = known_accounts
        self._mend_at = 0.0
        self._reasons: dict[tuple[str, str], Reason] = {}

    def why_ended(self, person: str, server: str = "") -> Reason | None:
        """The reason, if this is what ended someone's last server."""
        return self._reasons.get((person, server))

    async def run(self) -> None:
        """Look again and again, whatever goes wrong."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:
                log.exception("It is not known who lost the right to a folder")

    async def look(self) -> None:
        """Look once."""
        known = list(self._spawners())
        for spawner in known:
            if spawner.active:
                self._reasons.pop((spawner.user.name, spawner.name), None)
        running = [one for one in known if isinstance(one, SandboxSpawner) and one.ready]
        folders = {one: _folders_in(one) for one in running}
        watched = {one: had for one, had in folders.items() if had.teams or had.courses}
        if not watched:
            return
        rights = await asyncio.to_thread(self._rights, {one.user.name for one in watched})
        for spawner, had in watched.items():
            found = lost_right(had, rights[spawner.user.name])
            if found is not None:
                await self._end(spawner, found)
        if time.monotonic() >= self._mend_at:
            self._mend_at = float("inf")  # until this one is done
            teams = {team for spawner in watched for team in spawner.teams}
            self._mending = asyncio.create_task(self._mend(teams))

    def _rights(self, names: set[str]) -> dict[str, Folders]:
        accounts = names_with_account(self._layout) if self._known_accounts else None
        with self._database.read() as session:
            return {
                name: Folders(
                    {one.team: one.writable for one in folders_of(session, name)},
                    _graded_by(session, name),
                )
                if accounts is None or name in accounts
                else Folders()
                for name in names
            }

    async def _end(self, spawner: SandboxSpawner, found: Reason) -> None:
        log.info("The server of %s ends: %s", spawner.user.name, found.said())
        self._reasons[spawner.user.name, spawner.name] = found
        try:
            await spawner.stop(now=True)
            # Runs what the hub does whenever a server has ended.
            await spawner.poll_and_notify()
        except Exception:
            # The others' are to end all the same; this one is looked at again in a moment.
            log.exception("The server of %s does not end", spawner.user.name)

    async def _mend(self, teams: set[str]) -> None:
        begun = time.monotonic()
        try:
            arguments = await asyncio.to_thread(self._folders_and_groups, teams)
            if arguments:
                # Not in the hub's own process: a large folder would hold up everybody.
                program = [sys.executable, "-P", "-m", "ulab_teams.mending", *arguments]
                await (await asyncio.create_subprocess_exec(*program)).wait()
        finally:
            took = time.monotonic() - begun
            self._mend_at = time.monotonic() + max(MEND_S, took * MEND_SHARE)

    def _folders_and_groups(self, teams: set[str]) -> list[str]:
        with self._database.read() as session:
            rows = session.execute(select(Team.id, Team.number).where(Team.id.in_(teams)))
            found = [(row.id, team_gid(row.number, self._uid_base)) for row in rows]
        return [
            argument
            for team, gid in found
            if gid is not None
            for argument in (str(self._layout.team(team)), str(gid))
        ]

    @property
    def _uid_base(self) -> int:
        return self._settings.accounts.uid_base


def _folders_in(spawner: SandboxSpawner) -> Folders:
    course = course_of(spawner.name)
    return Folders(spawner.teams, (course,) if course else ())


def _graded_by(session: Session, name: str) -> set[str]:
    """The courses that someone may grade in."""
    rows = session.execute(
        select(Enrolment.course_id, Enrolment.role)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Person.name == name)
    )
    return {row.course_id for row in rows if may(row.role, Act.GRADE)}
