"""Publishing curricula of others: an administrator uploads a zip file and sees what came of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ulab_core.errors import NotAllowed
from ulab_core.i18n import mark
from ulab_core.models import utc_now
from ulab_portal.called import called
from ulab_portal.page import Page, acting, reading
from ulab_portal.publishing import LARGEST_MB, receive, uploads

router = APIRouter(prefix="/curricula")


def _require_administrator(page: Page) -> None:
    if not page.user.admin:
        raise NotAllowed(mark("Only administrators publish curricula."))


@router.get("")
def curricula(page: Annotated[Page, Depends(reading)]) -> Response:
    """The form and the newest uploads."""
    return _page(page, "curricula.html")


@router.get("/uploads")
def progress(page: Annotated[Page, Depends(reading)]) -> Response:
    """The part of the page that changes while an upload is proved."""
    return _page(page, "_uploads.html")


def _page(page: Page, template: str) -> Response:
    _require_administrator(page)
    found = uploads(page.portal.layout, utc_now())
    with page.portal.db.read() as session:
        names = called(session, [one.person for one in found])
    return page.answer(template, uploads=found, largest=LARGEST_MB, called=names)


@router.post("")
async def upload(curricula: UploadFile, page: Annotated[Page, Depends(acting)]) -> Response:
    """Take a zip file in and have it proved."""
    _require_administrator(page)
    content = await curricula.read(LARGEST_MB * 1024 * 1024 + 1)
    await run_in_threadpool(
        receive,
        page.portal.layout,
        content,
        curricula.filename or "curricula.zip",
        page.user.name,
        page.language,
    )
    return page.go("curricula")
