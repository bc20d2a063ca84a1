"""Hub login for our web services: who is asking, by the hub's OAuth cookie or a hub token."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

from itsdangerous import BadSignature, URLSafeTimedSerializer
from jupyterhub.services.auth import HubOAuth, check_scopes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from tornado.web import HTTPError

from ulab_core.errors import NotAllowed, UserError
from ulab_core.i18n import COOKIE, choose_language, mark, translations
from ulab_core.web_requests import from_own_pages, safe_next, scheme_of, wants_page

CACHE_SECONDS = 30
STATE_SECONDS = 600
COOKIE_SECONDS = 14 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

RenderError = Callable[[Request, UserError], Response]


class LoginNeeded(UserError):
    """Nobody is logged in, or the token is no longer good."""

    status = 401


class HubUnreachable(UserError):
    """The hub can't be asked who this is."""

    status = 503


@dataclass(frozen=True)
class HubUser:
    """The person the hub says is asking."""

    name: str
    admin: bool
    scopes: frozenset[str]
    token: str = field(repr=False)
    """The person's own hub token: act for the person with it, never with the service's."""
    by_cookie: bool = True
    """Whether a browser sent the token by itself, so that a forged request could carry it."""


def _managed_service() -> HubOAuth:
    """The hub as it told a managed service by its environment."""
    hub = HubOAuth()
    # The hub knows our prefix, but would name the callback of a service with a TCP port only.
    hub.oauth_redirect_uri = f"{hub.base_url}oauth_callback"
    return hub


class HubLogin:
    """Login of one service with the hub.

    Parameters
    ----------
    key
        Signs the cookies; the same after a restart, so that nobody is logged out by it
        (see `ulab_core.secret_files.shared_key`).
    hub
        How to reach the hub. None means what the hub told this managed service by its environment.
    render_error
        Shows a `UserError` to a browser. None means a plain page.
    default_language
        The site's language.
    cache_seconds
        For how long the hub's answer is believed, and a token that was revoked still works.

    Examples
    --------
    >>> login = HubLogin(shared_key(layout.secrets / "portal-cookie.key"))  # doctest: +SKIP
    >>> login.install(app)  # doctest: +SKIP
    >>> @app.get("/services/ulab/")  # doctest: +SKIP
    ... def home(user: Annotated[HubUser, Depends(login.current_user)]): ...
    """

    def __init__(
        self,
        key: bytes,
        hub: HubOAuth | None = None,
        *,
        render_error: RenderError | None = None,
        default_language: str = "zh",
        cache_seconds: int = CACHE_SECONDS,
    ) -> None:
        self.hub = hub or _managed_service()
        self.hub.cache_max_age = cache_seconds
        self.prefix: str = self.hub.base_url
        self._tokens = URLSafeTimedSerializer(key, salt="hub-token")
        self._states = URLSafeTimedSerializer(key, salt="oauth-state")
        self._render_error = render_error or self._plain_page
        self._default_language = default_language

    def install(self, app: Starlette) -> None:
        """Add the login's own routes, and the answers to its refusals, to the service."""
        app.add_route(f"{self.prefix}oauth_callback", self._finish_login, methods=["GET"])
        app.add_route(f"{self.prefix}logout", self._logout, methods=["GET"])
        app.add_exception_handler(UserError, self.answer)

    async def current_user(self, request: Request) -> HubUser:
        """The person asking; use it as a dependency.

        Raises
        ------
        LoginNeeded
            Nobody is logged in: a browser is sent to log in, a program gets 401.
        NotAllowed
            The person has no access to this service.
        HubUnreachable
            The hub doesn't answer.
        """
        token, by_cookie = self._token(request)
        if not token:
            raise LoginNeeded(mark("You are not logged in."))
        # The session's id changes at logout, so a cached answer doesn't outlive the session.
        session = request.cookies.get("jupyterhub-session-id", "") if by_cookie else ""
        model = await self._ask_hub(token, session)
        if model is None or model.get("kind") != "user":
            raise LoginNeeded(mark("Your login has expired. Log in again."))
        granted = frozenset(model.get("scopes", ()))
        if not check_scopes(self.hub.access_scopes, granted):
            raise NotAllowed(mark("Your account has no access to this page."))
        return HubUser(model["name"], bool(model.get("admin")), granted, token, by_cookie)

    async def trusted_user(self, request: Request) -> HubUser:
        """Like `current_user`, and sure that no other site made the browser ask.

        Use it for whatever changes something.

        Raises
        ------
        NotAllowed
            The request may come from another site.
        """
        user = await self.current_user(request)
        if user.by_cookie and not from_own_pages(request):
            raise NotAllowed(
                mark("This request did not come from a page of this site. Reload and try again.")
            )
        return user

    async def answer(self, request: Request, error: Exception) -> Response:
        """What a refused request gets: the login page, a page, or JSON with a sentence."""
        assert isinstance(error, UserError)
        if not wants_page(request):
            response: Response = JSONResponse(
                {"error": self.sentence(request, error)}, error.status
            )
            if isinstance(error, LoginNeeded) and "hx-request" in request.headers:
                response.headers["HX-Refresh"] = "true"
            return response
        if isinstance(error, LoginNeeded) and request.method in SAFE_METHODS:
            return self._start_login(request)
        return self._render_error(request, error)

    def language(self, request: Request) -> str:
        """The language to answer this request in."""
        return choose_language(
            request.cookies.get(COOKIE),
            request.headers.get("accept-language"),
            self._default_language,
        )

    def sentence(self, request: Request, error: UserError) -> str:
        return error.sentence(translations(self.language(request)).gettext)

    def _token(self, request: Request) -> tuple[str, bool]:
        header = request.headers.get("authorization", "")
        if header:
            found = self.hub.auth_header_pat.fullmatch(header.strip())
            return (found.group(1) if found else ""), False
        try:
            cookie = request.cookies.get(self.hub.cookie_name, "")
            return self._tokens.loads(cookie, max_age=COOKIE_SECONDS), True
        except BadSignature:
            return "", True

    async def _ask_hub(self, token: str, session: str) -> dict[str, Any] | None:
        try:
            model: dict[str, Any] | None = await self.hub.user_for_token(
                token, session_id=session, sync=False
            )
        except HTTPError:
            raise HubUnreachable(
                mark("The hub is not answering just now. Try again in a moment.")
            ) from None
        return model

    def _start_login(self, request: Request) -> Response:
        state = secrets.token_urlsafe(16)
        verifier, challenge, method = self.hub.generate_pkce_code_challenge()
        query = {
            "client_id": self.hub.oauth_client_id,
            "redirect_uri": self.hub.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": method,
        }
        response = RedirectResponse(f"{self.hub.oauth_authorization_url}?{urlencode(query)}", 302)
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = safe_next(asked, self.prefix)
        self._set_cookie(
            request,
            response,
            self._state_cookie(state),
            self._states.dumps([state, verifier, target]),
            STATE_SECONDS,
        )
        return response

    async def _finish_login(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        code = request.query_params.get("code", "")
        try:
            stored, verifier, target = self._states.loads(
                request.cookies.get(self._state_cookie(state), ""), max_age=STATE_SECONDS
            )
        except BadSignature:
            stored, verifier, target = "", "", self.prefix
        if not code or not stored or not secrets.compare_digest(stored, state):
            # A stale tab, or someone else's link: never log in with a code we didn't ask for.
            raise UserError(
                mark("The login was not completed, or took too long. Open the page again.")
            )
        try:
            token = await self.hub.token_for_code(code, code_verifier=verifier, sync=False)
        except HTTPError:
            raise HubUnreachable(
                mark("The hub did not confirm the login. Open the page again.")
            ) from None
        response = RedirectResponse(safe_next(target, self.prefix), 302)
        signed = self._tokens.dumps(token)
        self._set_cookie(request, response, self.hub.cookie_name, signed, COOKIE_SECONDS)
        response.delete_cookie(self._state_cookie(state), path=self.prefix)
        return response

    async def _logout(self, request: Request) -> Response:
        response = RedirectResponse(f"{self.hub.hub_host}{self.hub.hub_prefix}logout", 302)
        response.delete_cookie(self.hub.cookie_name, path=self.prefix)
        return response

    def _state_cookie(self, state: str) -> str:
        # One a login, so that two tabs that log in at once don't disturb each other.
        return f"{self.hub.oauth_client_id}-state-{state[:8]}"

    def _set_cookie(
        self, request: Request, response: Response, name: str, value: str, seconds: int
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self.prefix,
            secure=scheme_of(request) == "https",
            httponly=True,
            samesite="lax",
        )

    def _plain_page(self, request: Request, error: UserError) -> Response:
        text = escape(self.sentence(request, error))
        return HTMLResponse(
            f'<!doctype html><html lang="{self.language(request)}"><meta charset="utf-8">'
            f"<title>U Lab</title><p>{text}</p>",
            error.status,
        )
