"""How a refusal reaches a person: a page in the look, or a sentence where they just acted."""

from __future__ import annotations

import logging
from contextlib import suppress

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from ulab_core.errors import NotFound, UserError
from ulab_core.hub_auth import HubUser, LoginNeeded
from ulab_core.i18n import mark
from ulab_core.web_requests import wants_page
from ulab_portal.page import around, language_of, portal_of, sentence
from ulab_portal.rendering import render

log = logging.getLogger(__name__)


class Broken(UserError):
    """Our own mistake; the log says which."""

    status = 500


class Unfit(UserError):
    """A form or an address that holds what it can't."""

    status = 422


def install(app: FastAPI) -> None:
    """Answer every refusal and every mistake in one way."""
    app.add_exception_handler(UserError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(Exception, _broken)


def page(request: Request, error: UserError) -> Response:
    """A whole page that says what was refused."""
    portal = portal_of(request)
    asking: HubUser | None = getattr(request.state, "asking", None)
    language = language_of(request, portal)
    html = render(
        "error.html",
        language,
        portal.settings.site.zone,
        **around(portal, asking.name if asking else None),
        current="",
        csrf="",
        may_create=False,
        may_publish=False,
        status=error.status,
        problem=sentence(error, language),
    )
    return HTMLResponse(html, error.status)


def notice(request: Request, error: UserError) -> Response:
    """A sentence put into the page's notice, whatever the action meant to replace."""
    portal = portal_of(request)
    language = language_of(request, portal)
    html = render(
        "_notice.html", language, portal.settings.site.zone, problem=sentence(error, language)
    )
    return HTMLResponse(
        html, error.status, {"hx-retarget": "#notice", "hx-reswap": "innerHTML show:none"}
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    if "hx-request" in request.headers and not isinstance(error, LoginNeeded):
        return notice(request, error)
    if not isinstance(error, LoginNeeded):
        await _note_who_asks(request)
    return await portal_of(request).login.answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    await _note_who_asks(request)
    if error.status_code == 404:
        return await anywhere(request, NotFound(mark("There is no such page for you.")))
    if not wants_page(request):
        return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)
    refusal = Unfit(mark("This page can't be used that way."))
    refusal.status = error.status_code
    return await anywhere(request, refusal)


async def _note_who_asks(request: Request) -> None:
    """Keep their menu on the page for someone who is logged in; nobody has to be."""
    if "hx-request" in request.headers or not wants_page(request):
        return
    with suppress(UserError):
        request.state.asking = await portal_of(request).login.current_user(request)


async def _unfit(request: Request, error: Exception) -> Response:
    log.info("unfit request to %s: %s", request.url.path, error)
    return await anywhere(
        request, Unfit(mark("The form can't be used. Reload the page and fill it in again."))
    )


async def _broken(request: Request, error: Exception) -> Response:
    return await anywhere(
        request, Broken(mark("Something went wrong on our side. Nothing stored was lost."))
    )


async def anywhere(request: Request, error: UserError) -> Response:
    """A refusal that nobody need be logged in for: a page, a notice or JSON."""
    if "hx-request" in request.headers:
        return notice(request, error)
    if wants_page(request):
        return page(request, error)
    language = language_of(request, portal_of(request))
    return JSONResponse({"error": sentence(error, language)}, error.status)
