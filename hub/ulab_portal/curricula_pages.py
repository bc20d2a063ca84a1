"""Publishing curricula: who may uploads a zip file, and sees what came of it and what is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, UploadFile
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ulab_coursework.publishers import held_by, publishers, require_publisher
from ulab_curricula.publication import published
from ulab_portal.called import called
from ulab_portal.page import Page, acting, reading
from ulab_portal.publishing import LARGEST_MB, receive, uploads

router = APIRouter(prefix="/curricula")


@dataclass(frozen=True)
class Version:
    """A published version, and the account of who published it; None for the base."""

    version: str
    published_at: datetime
    publisher: str | None


@dataclass(frozen=True)
class Own:
    """A curriculum that someone may publish, with its versions, the newest first."""

    id: str
    title: str
    versions: tuple[Version, ...]


def _require_publisher(page: Page) -> None:
    with page.portal.db.read() as session:
        require_publisher(session, page.user.name, administers=page.user.admin)


@router.get("")
def curricula(page: Annotated[Page, Depends(reading)]) -> Response:
    """The form, the newest uploads, and what is published."""
    return _page(page, "curricula.html")


@router.get("/uploads")
def progress(page: Annotated[Page, Depends(reading)]) -> Response:
    """The part of the page that changes while an upload is proved."""
    return _page(page, "_uploads.html")


def _page(page: Page, template: str) -> Response:
    _require_publisher(page)
    # What came of others' uploads may quote their hidden tests.
    found = uploads(page.portal.layout, None if page.user.admin else page.user.name)
    with page.portal.db.read() as session:
        own = _own(session, page)
        people = [one.person for one in found]
        people += [each.publisher for one in own for each in one.versions if each.publisher]
        names = called(session, people)
    return page.answer(template, uploads=found, own=own, largest=LARGEST_MB, called=names)


def _own(session: Session, page: Page) -> list[Own]:
    """What is published that the person may publish again."""
    wanted = None if page.user.admin else held_by(session, page.user.name)
    by = publishers(session)
    found: dict[str, Own] = {}
    for one in reversed(published(page.portal.layout)):
        if wanted is not None and one.id not in wanted:
            continue
        version = Version(one.version, one.published_at, by.get((one.id, one.version)))
        before = found.get(one.id)
        title = before.title if before else one.titles[page.language]
        found[one.id] = Own(one.id, title, (*(before.versions if before else ()), version))
    return sorted(found.values(), key=lambda one: one.id)


@router.post("")
async def upload(curricula: UploadFile, page: Annotated[Page, Depends(acting)]) -> Response:
    """Take a zip file in and have it proved."""
    await run_in_threadpool(_require_publisher, page)
    content = await curricula.read(LARGEST_MB * 1024 * 1024 + 1)
    await run_in_threadpool(
        receive,
        page.portal.layout,
        content,
        curricula.filename or "curricula.zip",
        page.user.name,
        page.language,
        administers=page.user.admin,
    )
    return page.go("curricula")
