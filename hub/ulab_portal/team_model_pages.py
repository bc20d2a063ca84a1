"""A team's registered models: their versions with cards, and the form that fills a card in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.errors import NotAllowed
from ulab_core.i18n import mark
from ulab_mlflow.admin import MlflowRefusal
from ulab_mlflow.cards import LICENCES, WORDS, CardField, check_field, refuse_removal, wrong
from ulab_mlflow.links import course_link
from ulab_portal.page import Page, acting, reading, sentence
from ulab_teams.rights import Act, Standing, require
from ulab_teams.teams import find_team, members_of

router = APIRouter(prefix="/teams/{team_id}/models")


def _workers(session: Session, team_id: str) -> list[str]:
    """Who can answer for a model of the team."""
    members = members_of(session, team_id)
    return [name for name, role in members.items() if Standing(role).may(Act.WRITE)]


@router.get("")
def models(team_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """Every model of the team, its versions and what their cards say."""
    with page.portal.db.read() as session:
        standing = require(session, team_id, page.user.name, Act.READ)
        team = find_team(session, team_id)
        workers = _workers(session, team_id)
    # The workspace is made when someone of the team first needs it.
    page.portal.workspaces.settle(page.user.name)
    found = page.portal.reader.models(team_id)
    errors = {
        (model, version.number): sentence(error, page.language)
        for model, versions in found.items()
        for version in versions
        if (error := wrong(version.card, workers))
    }
    return page.answer(
        "team_models.html",
        current="teams",
        team=team,
        works=standing.may(Act.WRITE),
        workers=workers,
        models=found,
        errors=errors,
        workspace_url=course_link(team_id),
        card_words=WORDS,
        card_field=CardField,
        licences=LICENCES,
    )


@router.post("/card")
def fill_in(
    team_id: str,
    page: Annotated[Page, Depends(acting)],
    model: Annotated[str, Form()],
    version: Annotated[str, Form()],
    data_revision: Annotated[str, Form()] = "",
    code_sha256: Annotated[str, Form()] = "",
    licence: Annotated[str, Form()] = "",
    owner: Annotated[str, Form()] = "",
    intended_use: Annotated[str, Form()] = "",
) -> Response:
    """Write a version's card, as whoever asks."""
    card = {
        CardField.DATA_REVISION: data_revision.strip(),
        CardField.CODE_SHA256: code_sha256.strip(),
        CardField.LICENCE: licence.strip(),
        CardField.OWNER: owner.strip(),
        CardField.INTENDED_USE: intended_use.strip(),
    }
    portal = page.portal
    with portal.db.read() as session:
        require(session, team_id, page.user.name, Act.WRITE)
        workers = _workers(session, team_id)
    # Their rights in MLflow follow the team, perhaps only now.
    portal.workspaces.settle(page.user.name)
    found = portal.reader.version(team_id, model, version)
    for field, text in card.items():
        if text:
            check_field(field, text, workers)
        elif found.promoted and field in found.card:
            refuse_removal(field)
    try:
        portal.reader.write_card(team_id, model, version, card, page.user.name)
    except MlflowRefusal:
        raise NotAllowed(
            mark("MLflow did not take this card. Reload the page and try again.")
        ) from None
    return page.go(f"teams/{team_id}/models")
