"""Who may do what in a team: from what a person is there to yes or no."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.errors import NotAllowed
from ulab_core.i18n import mark
from ulab_core.models import Person
from ulab_core.team_models import TeamInvitation, TeamMember, TeamRole
from ulab_teams.teams import find_team


class Act(enum.StrEnum):
    """What can be done in a team."""

    SEE = "see"
    """Open its page: what it works on, and who is in it."""
    READ = "read"
    """Read its folder, its runs and its models."""
    WRITE = "write"
    """Write in its folder, log runs, make models."""
    MANAGE = "manage"
    """Invite people, give them other roles, take them out."""
    DESCRIBE = "describe"
    """Change its title and purpose."""
    EXPORT = "export"
    """Take all its runs and models away as an archive."""
    ANSWER = "answer"
    """Accept or decline an invitation."""
    LEAVE = "leave"


_MENTOR = frozenset({Act.SEE, Act.READ, Act.LEAVE})
_MEMBER = _MENTOR | {Act.WRITE}
_BY_ROLE = {
    TeamRole.OWNER: _MEMBER | {Act.MANAGE, Act.DESCRIBE, Act.EXPORT},
    TeamRole.MEMBER: _MEMBER,
    TeamRole.MENTOR: _MENTOR,
}
_INVITED = frozenset({Act.SEE, Act.ANSWER})
# Enough to mend a team whose owners are gone, and nothing of what it works on.
_ADMINISTERS = frozenset({Act.SEE, Act.MANAGE})


@dataclass(frozen=True)
class Standing:
    """What someone is to a team.

    Parameters
    ----------
    role
        None for who isn't in it.
    invited
        As what they are invited; None when they are not.
    administers
        Whether they look after the base.
    """

    role: TeamRole | None = None
    invited: TeamRole | None = None
    administers: bool = False

    def may(self, act: Act) -> bool:
        """Whether this lets them do something.

        Examples
        --------
        >>> Standing(TeamRole.MENTOR).may(Act.READ), Standing(TeamRole.MENTOR).may(Act.WRITE)
        (True, False)
        """
        allowed: frozenset[Act] = frozenset()
        if self.role is not None:
            allowed |= _BY_ROLE[self.role]
        if self.invited is not None:
            allowed |= _INVITED
        if self.administers:
            allowed |= _ADMINISTERS
        return act in allowed


def standing_of(session: Session, team_id: str, name: str, administers: bool = False) -> Standing:
    """What someone is to a team."""
    person = session.scalar(select(Person.id).where(Person.name == name))
    member = session.get(TeamMember, (team_id, person)) if person else None
    invitation = session.get(TeamInvitation, (team_id, person)) if person else None
    return Standing(
        role=member.role if member else None,
        invited=invitation.role if invitation else None,
        administers=administers,
    )


def require(
    session: Session, team_id: str, name: str, act: Act, *, administers: bool = False
) -> Standing:
    """What someone is to a team, if that lets them do something.

    Raises
    ------
    NotFound, NotAllowed
        There is no such team, or they may not.
    """
    find_team(session, team_id)
    found = standing_of(session, team_id, name, administers)
    if found.may(act):
        return found
    if found.role is None:
        raise NotAllowed(mark("You are not in the team {team}."), team=team_id)
    raise NotAllowed(mark("Only an owner of the team {team} may do this."), team=team_id)
