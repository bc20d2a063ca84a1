"""Teams in the HTTP API: what their pages show and do, for programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from ulab_core.hub_auth import HubUser
from ulab_core.team_models import Team, TeamInvitation, TeamRequest, TeamRole
from ulab_coursework.courses import ensure_person
from ulab_portal.api import Actor, Base, Reader
from ulab_portal.team_access import changing, require_administrator, require_of
from ulab_teams import invitations, requests
from ulab_teams.rights import Act
from ulab_teams.teams import find_team, members_of, remove_member, set_member, teams_of

router = APIRouter(prefix="/api")


class Asked(BaseModel):
    """A team that is asked for."""

    model_config = ConfigDict(extra="forbid")
    team: str
    title: str = ""
    purpose: str = ""


class Answered(BaseModel):
    """What an administrator says to it; to refuse takes a sentence."""

    model_config = ConfigDict(extra="forbid")
    approve: bool
    answer: str = ""


class Invited(BaseModel):
    """Who is invited, and as what."""

    model_config = ConfigDict(extra="forbid")
    name: str
    role: TeamRole = TeamRole.MEMBER


class Reply(BaseModel):
    """What who is invited says."""

    model_config = ConfigDict(extra="forbid")
    accept: bool


class As(BaseModel):
    """Another role for someone of the team."""

    model_config = ConfigDict(extra="forbid")
    role: TeamRole


@router.get("/teams")
def teams(user: Reader, base: Base) -> dict[str, Any]:
    """The caller's teams, invitations and requests."""
    with base.db.read() as session:
        return {
            "teams": [
                _team(team) | {"role": role.value} for team, role in teams_of(session, user.name)
            ],
            "invitations": [
                {"team": one.team_id} | _invitation(one)
                for one in invitations.invitations_to(session, user.name)
            ],
            "requests": [_request(one) for one in requests.requests_of(session, user.name)],
        }


@router.get("/teams/{team_id}")
def team(team_id: str, user: Reader, base: Base) -> dict[str, Any]:
    """A team, its people, and who is invited."""
    with base.db.read() as session:
        return _shown(session, team_id, user)


@router.post("/team-requests", status_code=201)
def ask(wanted: Asked, user: Actor, base: Base) -> dict[str, Any]:
    """Ask for a team."""
    with base.db.write() as session:
        ensure_person(session, user.name)
        title, purpose = wanted.title.strip(), wanted.purpose.strip()
        return _request(requests.ask(session, wanted.team, title, purpose, user.name))


@router.get("/team-requests")
def waiting(user: Reader, base: Base) -> list[dict[str, Any]]:
    """What no administrator has answered."""
    require_administrator(user)
    with base.db.read() as session:
        return [_request(one) for one in requests.waiting_requests(session)]


@router.post("/team-requests/{request_id}/answer")
def answer(request_id: int, said: Answered, user: Actor, base: Base) -> dict[str, Any]:
    """Approve or refuse what was asked for."""
    require_administrator(user)
    decide = requests.approve if said.approve else requests.refuse
    with base.db.write() as session:
        decide(session, request_id, said.answer.strip(), user.name)
    return {"approved": said.approve}


@router.post("/teams/{team_id}/invitations", status_code=201)
def invite(team_id: str, wanted: Invited, user: Actor, base: Base) -> dict[str, Any]:
    """Invite someone."""
    with changing(base, user, team_id, Act.MANAGE) as session:
        invitations.invite(session, team_id, wanted.name, wanted.role, user.name)
        return _shown(session, team_id, user)


@router.delete("/teams/{team_id}/invitations/{name}")
def withdraw(team_id: str, name: str, user: Actor, base: Base) -> dict[str, Any]:
    """Take an invitation back."""
    with changing(base, user, team_id, Act.MANAGE) as session:
        invitations.withdraw(session, team_id, name, user.name)
        session.flush()
        return _shown(session, team_id, user)


@router.post("/teams/{team_id}/reply")
def reply(team_id: str, said: Reply, user: Actor, base: Base) -> dict[str, Any]:
    """Accept or decline an invitation to oneself."""
    with base.db.write() as session:
        if said.accept:
            return {"role": invitations.accept(session, team_id, user.name).value}
        invitations.decline(session, team_id, user.name)
        return {"role": None}


@router.put("/teams/{team_id}/people/{name}")
def change_role(team_id: str, name: str, wanted: As, user: Actor, base: Base) -> dict[str, Any]:
    """Give someone of the team another role."""
    with changing(base, user, team_id, Act.MANAGE) as session:
        set_member(session, team_id, name, wanted.role, user.name, joining=False)
        return _shown(session, team_id, user)


@router.delete("/teams/{team_id}/people/{name}")
def remove(team_id: str, name: str, user: Actor, base: Base) -> dict[str, Any]:
    """Take someone out of the team; to take oneself out is to leave."""
    with changing(base, user, team_id, Act.LEAVE if name == user.name else Act.MANAGE) as session:
        remove_member(session, team_id, name, user.name)
    return {"removed": name}


def _shown(session: Session, team_id: str, user: HubUser) -> dict[str, Any]:
    require_of(session, user, team_id, Act.SEE)
    return _team(find_team(session, team_id)) | {
        "people": [
            {"name": name, "role": role.value}
            for name, role in members_of(session, team_id).items()
        ],
        "invited": [
            {"name": one.person.name} | _invitation(one)
            for one in invitations.invitations_of(session, team_id)
        ],
    }


def _team(team: Team) -> dict[str, Any]:
    return {"id": team.id, "title": team.title, "purpose": team.purpose}


def _invitation(one: TeamInvitation) -> dict[str, Any]:
    return {"role": one.role.value, "by": one.invited_by, "at": one.invited_at.isoformat()}


def _request(one: TeamRequest) -> dict[str, Any]:
    return {
        "id": one.id,
        "team": one.team_id,
        "title": one.title,
        "purpose": one.purpose,
        "asked_by": one.person.name,
        "asked_at": one.asked_at.isoformat(),
        "approved": one.approved,
        "answered_by": one.answered_by,
        "answer": one.answer,
    }
