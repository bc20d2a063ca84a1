"""NativeAuthenticator's login under JupyterHub 6.1, with nothing changed by a mere link."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from nativeauthenticator import handlers as native
from tornado import web
from tornado.escape import url_escape

from ulab_hub.passwords import fits


class LoginHandler(native.LoginHandler):
    """NativeAuthenticator 1.3.0's own needs the statsd that JupyterHub 6.1 no longer has."""

    def _render(
        self,
        login_error: str | None = None,
        username: str | None = None,
        sync: bool = False,
        **_: Any,
    ) -> Awaitable[str] | str:
        page: Awaitable[str] | str = self.render_template(
            "native-login.html",
            sync=sync,
            next=url_escape(self.get_argument("next", default="")),
            username=username,
            login_error=login_error,
            login_url=self.settings["login_url"],
            enable_signup=self.authenticator.enable_signup,
            two_factor_auth=self.authenticator.allow_2fa,
        )
        return page

    async def post(self) -> None:
        # A form with a field missing is a wrong password, whoever made it.
        data = {"username": "", "password": ""} | {
            name: self.get_body_argument(name, strip=False) for name in self.request.body_arguments
        }
        user = await self.login_user(data)
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        name, password = data["username"], data["password"]
        known = self.authenticator.get_user(name)
        waiting = (
            known
            and not known.is_authorized
            and fits(password)
            and known.is_valid_password(password)
        )
        error = (
            f"User {name} has not been authorized by an administrator yet."
            if waiting
            else "Invalid username or password."
        )
        self.set_status(403)
        self.finish(await self._render(login_error=error, username=name))  # type: ignore[misc]


class ToggleAuthorizationHandler(native.ToggleAuthorizationHandler):
    """Lets an account in, or withdraws that.

    NativeAuthenticator does it for a GET, so that a picture in somebody's notes could. A form's
    POST needs the page's own token.
    """

    async def get(self, slug: str) -> None:
        raise web.HTTPError(405)

    post = native.ToggleAuthorizationHandler.get


class DiscardHandler(native.DiscardHandler):
    """Discards a request for an account, asked with a form as well."""

    async def get(self, user_name: str) -> None:
        raise web.HTTPError(405)

    post = native.DiscardHandler.get


HANDLERS = [
    (r"/login", LoginHandler),
    (r"/authorize/([^/]*)", ToggleAuthorizationHandler),
    (r"/discard/([^/]*)", DiscardHandler),
]
