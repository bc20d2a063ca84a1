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
from ulab_core.manifest import Words
from ulab_datasets import apart, own
from ulab_datasets.adding import Told, briefly, words
from ulab_datasets.card import Allowed, Answer, Described
from ulab_datasets.errors import BadCard
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
    """Files of the team's folder that become a data set.

    Attributes
    ----------
    title, summary
        Words for both languages.
    card
        All that is said of it, instead of what stands before.
    """

    model_config = ConfigDict(extra="forbid")
    name: str
    files: list[str]
    licence: str = ""
    source: str = ""
    title: str = ""
    summary: str = ""
    url: str = ""
    citation: str = ""
    card: Described | None = None


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
                "titles": card.titles.model_dump(),
                "summaries": card.summaries.model_dump(),
                "licence": card.licence.name,
                "allows": card.licence.allows.model_dump(),
                "known_problems": [problem.model_dump() for problem in card.known_problems],
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
    told = Told(brought.card, user.name) if brought.card else briefly(
        brought.title or brought.name, brought.licence, brought.source, user.name,
        summary=brought.summary, url=brought.url, citation=brought.citation,
    )  # fmt: skip
    _add(base, team_id, brought.name, brought.files, told, user.name)
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
    url: Annotated[str, Form()] = "",
    title_zh: Annotated[str, Form()] = "",
    title_en: Annotated[str, Form()] = "",
    summary_zh: Annotated[str, Form()] = "",
    summary_en: Annotated[str, Form()] = "",
    commercial: Annotated[Answer, Form()] = "unknown",
    sharing: Annotated[Answer, Form()] = "unknown",
    changes: Annotated[Answer, Form()] = "unknown",
    problems_zh: Annotated[str, Form()] = "",
    problems_en: Annotated[str, Form()] = "",
) -> Response:
    """The same from the team's page; a file and a known problem a line."""
    told = briefly(
        words("", title_zh.strip(), title_en.strip()) or name.strip(),
        licence, source.strip(), page.user.name,
        summary=words("", summary_zh.strip(), summary_en.strip()) or "",
        url=url.strip(),
        allows=Allowed(commercial=commercial, sharing=sharing, changes=changes),
        known_problems=_problems(_lines(problems_zh), _lines(problems_en)),
    )  # fmt: skip
    _add(page.portal, team_id, name.strip(), _lines(files), told, page.user.name)
    return page.go(f"teams/{team_id}")


@router.post("/teams/{team_id}/datasets/remove")
def remove_by_form(
    team_id: str, page: Annotated[Page, Depends(acting)], name: Annotated[str, Form()] = ""
) -> Response:
    """The same from the team's page."""
    portal, person = page.portal, page.user.name
    datasets.remove(portal.settings, portal.db, team_id, name, person, person)
    return page.go(f"teams/{team_id}")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _problems(zh: list[str], en: list[str]) -> list[Words]:
    """The known problems, line by line; those in one language alone stand for both."""
    if zh and en and len(zh) != len(en):
        raise BadCard(
            mark(
                "{zh} known problems are in Chinese and {en} in English: write each in both, "
                "line by line, or all in one language alone."
            ),
            zh=len(zh),
            en=len(en),
        )
    pairs = zip(zh or en, en or zh, strict=True)
    return [Words(zh=chinese, en=english) for chinese, english in pairs]


def _add(
    portal: Portal, team_id: str, name: str, files: list[str], told: Told, person: str
) -> None:
    # Before the folder is looked at: whether a file is there is the team's to know.
    with portal.db.read() as session:
        require(session, team_id, person, Act.WRITE)
    with _one_of_the_team(team_id), datasets.opened(portal.layout, team_id, files) as opened:
        datasets.add(
            portal.settings, portal.db, team_id, name, opened, told,
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
