"""A team's own data sets, on its page and in the HTTP API: shown, added, removed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response
from pydantic import BaseModel, ConfigDict

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_datasets import apart, own
from ulab_datasets.own import Told
from ulab_portal.api import Actor, Base, Reader
from ulab_portal.page import Page, Portal, acting
from ulab_teams import datasets
from ulab_teams.rights import Act, require

router = APIRouter()
MOST_AT_ONCE = 4
"""Each waits in one of the portal's threads, which everybody's pages need."""
_adding: set[str] = set()
_adding_lock = threading.Lock()


class Brought(BaseModel):
    """Files of the team's folder that become a data set."""

    model_config = ConfigDict(extra="forbid")
    name: str
    files: list[str]
    licence: str
    source: str
    title: str = ""
    summary: str = ""
    url: str = ""
    citation: str = ""


def shown(portal: Portal, team_id: str, person: str) -> dict[str, Any]:
    """The team's data sets and the room they take, for someone who may read them."""
    cards = datasets.cards_of(portal.db, portal.layout, team_id, person)
    return {
        "used": own.usage(portal.layout.team_datasets(team_id)),
        "quota": datasets.quota(portal.settings),
        "datasets": [
            {
                "name": f"{team_id}/{card.id}",
                "title": card.titles.en,
                "licence": card.licence.name,
                "source": card.source.title,
                "format": card.format,
                "files": {file.path: file.sha256 for file in card.files},
            }
            for card in cards
        ],
    }


@router.get("/api/teams/{team_id}/datasets")
def read(team_id: str, user: Reader, base: Base) -> dict[str, Any]:
    """The team's data sets."""
    return shown(base, team_id, user.name)


@router.post("/api/teams/{team_id}/datasets", status_code=201)
def add(team_id: str, brought: Brought, user: Actor, base: Base) -> dict[str, Any]:
    """Take files of the team's folder as a data set, or as a new version of one."""
    _add(base, team_id, brought, user.name)
    return shown(base, team_id, user.name)


@router.delete("/api/teams/{team_id}/datasets/{name}")
def remove(team_id: str, name: str, user: Actor, base: Base) -> dict[str, Any]:
    """Remove a data set with its versions."""
    given_back = datasets.remove(base.settings, base.db, team_id, name, user.name, user.name)
    return {"removed": f"{team_id}/{name}", "bytes": given_back}


@router.post("/teams/{team_id}/datasets")
def add_by_form(
    team_id: str,
    page: Annotated[Page, Depends(acting)],
    name: Annotated[str, Form()] = "",
    files: Annotated[str, Form()] = "",
    licence: Annotated[str, Form()] = "",
    source: Annotated[str, Form()] = "",
) -> Response:
    """The same from the team's page; a file a line."""
    paths = [line.strip() for line in files.splitlines() if line.strip()]
    brought = Brought(name=name.strip(), files=paths, licence=licence, source=source)
    _add(page.portal, team_id, brought, page.user.name)
    return page.go(f"teams/{team_id}")


@router.post("/teams/{team_id}/datasets/remove")
def remove_by_form(
    team_id: str, page: Annotated[Page, Depends(acting)], name: Annotated[str, Form()] = ""
) -> Response:
    """The same from the team's page."""
    portal, person = page.portal, page.user.name
    datasets.remove(portal.settings, portal.db, team_id, name, person, person)
    return page.go(f"teams/{team_id}")


def _add(portal: Portal, team_id: str, brought: Brought, person: str) -> None:
    # Before the folder is looked at: whether a file is there is the team's to know.
    with portal.db.read() as session:
        require(session, team_id, person, Act.WRITE)
    told = Told(
        brought.title, brought.licence, brought.source, person, brought.summary, brought.url,
        brought.citation,
    )  # fmt: skip
    with _one_of_the_team(team_id), datasets.opened(portal.layout, team_id, brought.files) as files:
        datasets.add(
            portal.settings, portal.db, team_id, brought.name, files, told,
            actor=person, person=person, take=apart.add,
        )  # fmt: skip


@contextmanager
def _one_of_the_team(team_id: str) -> Iterator[None]:
    """Let a team add one data set at a time, and all teams a few, so that others are served.

    Raises
    ------
    Conflict
        As many are being added already.
    """
    with _adding_lock:
        if team_id in _adding:
            raise Conflict(
                mark("A data set of this team is being added. Try again when it is done.")
            )
        if len(_adding) >= MOST_AT_ONCE:
            raise Conflict(mark("Other teams are adding data sets. Try again in a minute."))
        _adding.add(team_id)
    try:
        yield
    finally:
        with _adding_lock:
            _adding.discard(team_id)
