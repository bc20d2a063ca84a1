"""What a team shares with others by links, what is shared with it, and making and ending a link."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.team_models import SharedThing
from ulab_core.web_requests import scheme_of
from ulab_mlflow.admin import MlflowDown
from ulab_mlflow.reading import Run, Version
from ulab_portal.called import called
from ulab_portal.page import Page, acting, reading
from ulab_teams.rights import Act, require
from ulab_teams.shares import may_share, may_withdraw, share, shared_with, shares_of, withdraw
from ulab_teams.teams import all_teams, find_team, members_of

router = APIRouter(prefix="/teams/{team_id}/shares")
# Between a model's name and version in the form's choice; MLflow lets no name have it.
_BETWEEN = "/"


@router.get("")
def shares(
    team_id: str, page: Annotated[Page, Depends(reading)], made: str | None = None
) -> Response:
    """The team's links, and a form for a new one."""
    with page.portal.db.read() as session:
        standing = require(session, team_id, page.user.name, Act.READ)
        team = find_team(session, team_id)
        teams = [one for one, _ in all_teams(session)]
        mine = shares_of(session, team_id)
        theirs = shared_with(session, team_id)
        members = members_of(session, team_id)
        names = called(session, [one.created_by for one in [*mine, *theirs]])
    works = standing.may(Act.WRITE)
    runs, versions, down = _choices(page, team_id) if works else ([], [], False)
    return page.answer(
        "team_shares.html",
        current="teams",
        team=team,
        works=works,
        mine=mine,
        theirs=theirs,
        called=names,
        titles={one.id: one.title for one in teams},
        others=[one for one in teams if one.id != team_id],
        may_withdraw=lambda one: may_withdraw(standing.role, one.created_by == page.user.name),
        lapsed=lambda one: not may_share(members.get(one.created_by)),
        thing=SharedThing,
        runs=runs,
        versions=versions,
        down=down,
        between=_BETWEEN,
        made=made,
        origin=_origin(page),
    )


def _choices(page: Page, team_id: str) -> tuple[list[Run], list[Version], bool]:
    reader = page.portal.reader
    try:
        # The workspace is made when someone of the team first needs it.
        page.portal.workspaces.settle(page.user.name)
        versions = [one for found in reader.models(team_id).values() for one in found]
        return reader.recent_runs(team_id), versions, False
    except MlflowDown:
        return [], [], True


def _origin(page: Page) -> str:
    return f"{scheme_of(page.request)}://{page.request.headers.get('host', '')}"


@router.post("")
def make(
    team_id: str,
    page: Annotated[Page, Depends(acting)],
    run: Annotated[str, Form()] = "",
    version: Annotated[str, Form()] = "",
    audience: Annotated[str, Form()] = "",
) -> Response:
    """Share a run or a version of a model."""
    with page.portal.db.read() as session:
        require(session, team_id, page.user.name, Act.WRITE)
    page.portal.workspaces.settle(page.user.name)
    kind, name, number = _chosen(page, team_id, run.strip(), version)
    with page.portal.db.write() as session:
        made = share(
            session, team_id, kind, name, number, audience or None, page.user.name, page.user.name
        )
        made_id = made.id
    return page.go(f"teams/{team_id}/shares?made={made_id}")


def _chosen(
    page: Page, team_id: str, run: str, version: str
) -> tuple[SharedThing, str, str | None]:
    """What the form names, once it is seen to be in the team's workspace."""
    reader = page.portal.reader
    if bool(run) == bool(version):
        raise UserError(mark("Choose one run or one version of a model."))
    if run:
        return SharedThing.RUN, reader.run(team_id, run).id, None
    model, _, number = version.partition(_BETWEEN)
    found = reader.version(team_id, model, number)
    return SharedThing.MODEL_VERSION, found.model, found.number


@router.post("/{share_id}/withdraw")
def end(team_id: str, share_id: str, page: Annotated[Page, Depends(acting)]) -> Response:
    """Withdraw a link: the next request by it is refused."""
    with page.portal.db.write() as session:
        require(session, team_id, page.user.name, Act.READ)
        withdraw(session, share_id, page.user.name)
    return page.go(f"teams/{team_id}/shares")
