"""Invitations into a team: made by an owner, answered by who is invited."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotFound
from ulab_core.i18n import mark
from ulab_core.models import Person
from ulab_core.team_models import TeamInvitation, TeamMember, TeamRole
from ulab_coursework.courses import find_person
from ulab_teams.teams import find_team, set_member


def invite(session: Session, team_id: str, name: str, role: TeamRole, actor: str) -> None:
    """Invite someone, or change as what; repeating it changes nothing.

    Raises
    ------
    NotFound, Conflict
        There is no such team or person, or they are in it.
    """
    find_team(session, team_id)
    person = find_person(session, name)
    if session.get(TeamMember, (team_id, person.id)):
        raise Conflict(mark("{name} is in the team {team} already."), name=name, team=team_id)
    found = session.get(TeamInvitation, (team_id, person.id))
    if found is not None and found.role is role:
        return
    if found is None:
        found = TeamInvitation(team_id=team_id, person_id=person.id, role=role, invited_by=actor)
        session.add(found)
    found.role, found.invited_by = role, actor
    record(session, actor, "team.invite", f"{team_id}/{name}", role=role.value)
    session.flush()


def withdraw(session: Session, team_id: str, name: str, actor: str) -> None:
    """Take an invitation back.

    Raises
    ------
    NotFound
        There is none.
    """
    session.delete(_find(session, team_id, name))
    record(session, actor, "team.invite.withdraw", f"{team_id}/{name}")


def accept(session: Session, team_id: str, name: str) -> TeamRole:
    """Join the team as what one was invited.

    Raises
    ------
    NotFound
        The invitation was withdrawn, or never made.
    """
    found = _find(session, team_id, name)
    role = found.role
    record(session, name, "team.invite.accept", f"{team_id}/{name}", role=role.value)
    set_member(session, team_id, name, role, name)
    return role


def decline(session: Session, team_id: str, name: str) -> None:
    """Say no to an invitation.

    Raises
    ------
    NotFound
        It was withdrawn, or never made.
    """
    session.delete(_find(session, team_id, name))
    record(session, name, "team.invite.decline", f"{team_id}/{name}")


def invitations_to(session: Session, name: str) -> list[TeamInvitation]:
    """What someone is invited to, newest first."""
    query = (
        select(TeamInvitation)
        .join(Person, Person.id == TeamInvitation.person_id)
        .where(Person.name == name)
        .order_by(TeamInvitation.invited_at.desc())
    )
    return list(session.scalars(query))


def invitations_of(session: Session, team_id: str) -> list[TeamInvitation]:
    """Who is invited into a team, newest first."""
    query = (
        select(TeamInvitation)
        .where(TeamInvitation.team_id == team_id)
        .order_by(TeamInvitation.invited_at.desc())
    )
    return list(session.scalars(query))


def count_to(session: Session, name: str) -> int:
    """How many invitations someone has not answered."""
    query = (
        select(func.count())
        .select_from(TeamInvitation)
        .join(Person, Person.id == TeamInvitation.person_id)
        .where(Person.name == name)
    )
    return session.scalar(query) or 0


def _find(session: Session, team_id: str, name: str) -> TeamInvitation:
    person = find_person(session, name)
    found = session.get(TeamInvitation, (team_id, person.id))
    if found is None:
        raise NotFound(
            mark("There is no invitation of {name} into the team {team}."), name=name, team=team_id
        )
    return found
