"""Teams: one's own and what one is invited to, asking for one, and the page of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.layout import Layout
from ulab_core.models import Person
from ulab_core.signing_in import names_with_account
from ulab_core.team_models import TeamMember, TeamRole
from ulab_mlflow.links import course_link
from ulab_portal.called import called
from ulab_portal.page import Page, acting, reading
from ulab_portal.team_access import changing, require_administrator, require_of
from ulab_portal.team_data import shown
from ulab_portal.team_words import (
    ANSWERS,
    EXPLAINED,
    ROLE_STYLES,
    ROLES,
    USES,
    bytes_said,
    request_state,
)
from ulab_teams import invitations, requests
from ulab_teams.folders import measure
from ulab_teams.rights import Act
from ulab_teams.teams import (
    all_teams,
    describe,
    find_team,
    members_of,
    remove_member,
    set_member,
    teams_of,
    without_owner,
)

router = APIRouter()
Acting = Annotated[Page, Depends(acting)]
Reading = Annotated[Page, Depends(reading)]
WORDS: dict[str, Any] = {
    "roles": ROLES,
    "explained": EXPLAINED,
    "role_styles": ROLE_STYLES,
    "act": Act,
    "uses": USES,
    "answers": ANSWERS,
}


@dataclass(frozen=True)
class Row:
    """Someone in a team.

    Attributes
    ----------
    last_owner
        Whether the team would have no owner without them.
    account
        Whether they can sign in; None where that isn't known.
    """

    name: str
    display_name: str
    role: TeamRole
    joined_at: datetime
    last_owner: bool
    account: bool | None


def people_of(session: Session, layout: Layout, team_id: str) -> list[Row]:
    """Everyone in a team: owners, members, mentors."""
    members = members_of(session, team_id)
    found = session.execute(
        select(Person.name, Person.display_name, TeamMember.role, TeamMember.joined_at)
        .join(TeamMember, TeamMember.person_id == Person.id)
        .where(TeamMember.team_id == team_id)
    )
    accounts = names_with_account(layout)
    rows = [
        Row(
            *one,
            last_owner=without_owner(members, one.name, None),
            account=None if accounts is None else one.name in accounts,
        )
        for one in found
    ]
    places = list(members)
    return sorted(rows, key=lambda row: places.index(row.name))


@router.get("/teams")
def listed(page: Reading) -> Response:
    """My teams, what I am invited to, what I asked for; for administrators what waits."""
    with page.portal.db.read() as session:
        name, administers = page.user.name, page.user.admin
        mine = teams_of(session, name)
        own = {team.id for team, _ in mine}
        invited = invitations.invitations_to(session, name)
        asked = requests.requests_of(session, name)
        involved = [one.invited_by for one in invited] + [one.answered_by for one in asked]
        return page.answer(
            "teams.html",
            current="teams",
            teams=[(team, role, members_of(session, team.id)) for team, role in mine],
            invited=invited,
            asked=asked,
            called=called(session, involved),
            to_answer=requests.waiting_requests(session) if administers else [],
            others=[one for one in all_teams(session) if one[0].id not in own]
            if administers
            else [],
            request_state=request_state,
            longest=requests.LONGEST_TEXT,
            **WORDS,
        )


@router.post("/team-requests")
def ask(
    page: Acting,
    team_id: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
) -> Response:
    """Ask for a team."""
    with page.portal.db.write() as session:
        requests.ask(session, team_id.strip(), title.strip(), purpose.strip(), page.user.name)
    return page.go("teams")


@router.post("/team-requests/{request_id}/withdraw")
def take_back(request_id: int, page: Acting) -> Response:
    """Withdraw a request of one's own."""
    with page.portal.db.write() as session:
        requests.take_back(session, request_id, page.user.name)
    return page.go("teams")


@router.post("/team-requests/{request_id}/answer")
def answer(
    request_id: int,
    page: Acting,
    approve: Annotated[bool, Form()] = False,
    answer: Annotated[str, Form()] = "",
) -> Response:
    """Approve or refuse what someone asked for."""
    require_administrator(page.user)
    decide = requests.approve if approve else requests.refuse
    with page.portal.db.write() as session:
        decide(session, request_id, answer.strip(), page.user.name)
    return page.go("teams")


@router.get("/teams/{team_id}")
def team(team_id: str, page: Reading) -> Response:
    """One team: what it works on, who is in it, where its things are."""
    with page.portal.db.read() as session:
        standing = require_of(session, page.user, team_id, Act.SEE)
        return page.answer(
            "team.html",
            current="teams",
            team=find_team(session, team_id),
            standing=standing,
            people=people_of(session, page.portal.layout, team_id),
            size=measure(page.portal.layout, team_id) if standing.may(Act.READ) else None,
            bytes_said=bytes_said,
            data=shown(page.portal, team_id, page.user.name) if standing.may(Act.READ) else None,
            invited=invitations.invitations_of(session, team_id),
            workspace_url=course_link(team_id),
            longest=requests.LONGEST_TEXT,
            **WORDS,
        )


@router.post("/teams/{team_id}/accept")
def accept(team_id: str, page: Acting) -> Response:
    """Join a team that one is invited to."""
    with page.portal.db.write() as session:
        invitations.accept(session, team_id, page.user.name)
    return page.go(f"teams/{team_id}")


@router.post("/teams/{team_id}/decline")
def decline(team_id: str, page: Acting) -> Response:
    """Say no to an invitation."""
    with page.portal.db.write() as session:
        invitations.decline(session, team_id, page.user.name)
    return page.go("teams")


@router.post("/teams/{team_id}/invite")
def invite(
    team_id: str,
    page: Acting,
    name: Annotated[str, Form()] = "",
    role: Annotated[TeamRole, Form()] = TeamRole.MEMBER,
) -> Response:
    """Invite someone by the name of their account."""
    with changing(page.portal, page.user, team_id, Act.MANAGE) as session:
        invitations.invite(session, team_id, name.strip().lower(), role, page.user.name)
    return page.go(f"teams/{team_id}")


@router.post("/teams/{team_id}/invite/withdraw")
def withdraw(team_id: str, page: Acting, name: Annotated[str, Form()]) -> Response:
    """Take an invitation back."""
    with changing(page.portal, page.user, team_id, Act.MANAGE) as session:
        invitations.withdraw(session, team_id, name, page.user.name)
    return page.go(f"teams/{team_id}")


@router.post("/teams/{team_id}/role")
def change_role(
    team_id: str,
    page: Acting,
    name: Annotated[str, Form()],
    role: Annotated[TeamRole, Form()],
) -> Response:
    """Give someone of the team another role."""
    with changing(page.portal, page.user, team_id, Act.MANAGE) as session:
        set_member(session, team_id, name, role, page.user.name, joining=False)
    return page.go(f"teams/{team_id}")


@router.post("/teams/{team_id}/remove")
def remove(team_id: str, page: Acting, name: Annotated[str, Form()]) -> Response:
    """Take someone out of the team."""
    with changing(page.portal, page.user, team_id, Act.MANAGE) as session:
        remove_member(session, team_id, name, page.user.name)
    return page.go(f"teams/{team_id}" if page.user.admin or name != page.user.name else "teams")


@router.post("/teams/{team_id}/leave")
def leave(team_id: str, page: Acting) -> Response:
    """Leave a team."""
    with changing(page.portal, page.user, team_id, Act.LEAVE) as session:
        remove_member(session, team_id, page.user.name, page.user.name)
    return page.go("teams")


@router.post("/teams/{team_id}/describe")
def change_description(
    team_id: str,
    page: Acting,
    title: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
) -> Response:
    """Change what the team is called and what it works on."""
    title, purpose = title.strip(), purpose.strip()
    requests.require_text(title=title, purpose=purpose)
    with changing(page.portal, page.user, team_id, Act.DESCRIBE) as session:
        describe(session, team_id, title, purpose, page.user.name)
    return page.go(f"teams/{team_id}")
