"""JupyterHub with U Lab's pages: two languages, one look with the portal."""

from __future__ import annotations

import asyncio
from http.client import responses
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from jupyterhub.app import JupyterHub
from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.static import CacheControlStaticFilesHandler
from nativeauthenticator import NativeAuthenticator
from sqlalchemy import update

from ulab_core import look
from ulab_core.database import Database
from ulab_core.i18n import COOKIE, LANGUAGES
from ulab_core.models import Person
from ulab_core.settings import Settings, load_settings
from ulab_core.web_requests import safe_next
from ulab_hub import chosen, login
from ulab_hub.language import LanguageTransform, current_language, translate, translate_plural
from ulab_hub.rights_watch import RightsWatch
from ulab_hub.service_spawner import look_after_services
from ulab_hub.stock_messages import said_our_way

TEMPLATES = Path(__file__).parent / "templates"
COOKIE_DAYS = 365


class ULabHub(JupyterHub):
    """The hub. Run it as ``python -m ulab_hub.app -f ulab_hub/config.py``."""

    name = "jupyterhub"

    def init_tornado_settings(self) -> None:
        settings = load_settings()
        self.template_vars = _page_values(settings) | self.template_vars  # type: ignore[has-type]
        self.template_paths = [str(TEMPLATES), *self.template_paths]  # type: ignore[has-type]
        options = self.jinja_environment_options  # type: ignore[has-type]
        self.jinja_environment_options = options | {"extensions": ["jinja2.ext.i18n"]}
        super().init_tornado_settings()
        self.rights_watch = RightsWatch(
            settings,
            self._spawners,
            known_accounts=isinstance(self.authenticator, NativeAuthenticator),
        )
        for key in ("jinja2_env", "jinja2_env_sync"):
            teach(self.tornado_settings[key])
            self.tornado_settings[key].globals["why_ended"] = self._why_ended
        self.tornado_settings["ulab_settings"] = settings

    def _spawners(self) -> list[Any]:
        return [spawner for user in self.users.values() for spawner in user.spawners.values()]

    def _why_ended(self, person: str) -> str:
        """What to say to someone whose server was ended by us; empty if it wasn't."""
        found = self.rights_watch.why_ended(person)
        return found.said(translate) if found else ""

    async def start(self) -> None:
        self._watching = asyncio.create_task(self.rights_watch.run())
        await super().start()

    def init_services(self) -> None:
        look_after_services()
        super().init_services()

    def init_handlers(self) -> None:
        self.extra_handlers = [
            *self.extra_handlers,  # type: ignore[has-type]
            (rf"/language/({'|'.join(LANGUAGES)})", LanguageHandler),
            (r"/look/(.*)", CacheControlStaticFilesHandler, {"path": str(look.STATIC)}),
        ]
        super().init_handlers()
        self.handlers[:0] = self.add_url_prefix(
            self.hub_prefix, [(r"/error/(\d+)", ProxyErrorHandler)]
        )
        if isinstance(self.authenticator, NativeAuthenticator):
            # Before the authenticator's own, which come first in the list.
            self.handlers[:0] = self.add_url_prefix(
                self.hub_prefix, [*login.HANDLERS, *chosen.HANDLERS]
            )

    def init_tornado_application(self) -> None:
        super().init_tornado_application()
        LanguageTransform.site_language = load_settings().site.language
        self.tornado_application.add_transform(LanguageTransform)


def teach(environment: Environment) -> None:
    """Give hub templates the languages and the shared look."""
    environment.install_gettext_callables(translate, translate_plural, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        current_language=current_language,
        said_our_way=lambda message: said_our_way(message, translate),
        look_version=look.version(),
    )
    loader = environment.loader
    assert loader is not None
    environment.loader = ChoiceLoader([loader, FileSystemLoader(look.TEMPLATES)])


def _page_values(settings: Settings) -> dict[str, Any]:
    return {"site_name": settings.site.name, "open_signup": settings.accounts.open_signup}


class ProxyErrorHandler(BaseHandler):
    """Makes the page that the proxy shows where nothing answers.

    JupyterHub's own tells everyone that their server is down, in English, also who only signs up.
    """

    async def get(self, status: str) -> None:
        code = int(status)
        user = self.current_user
        asked_for = self.get_argument("url", "")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(
            await self.render_template(
                "error.html",
                status_code=code,
                status_message=responses.get(code, ""),
                is_own_server=user is not None and asked_for.startswith(user.url),
            )
        )


class LanguageHandler(BaseHandler):
    """Remembers the chosen language: for this browser, and for the person who is logged in."""

    async def get(self, language: str) -> None:
        self.set_cookie(
            COOKIE, language, expires_days=COOKIE_DAYS, path=self.base_url, samesite="Lax"
        )
        user = self.current_user
        if user is not None:
            settings = self.settings["ulab_settings"]
            await asyncio.to_thread(remember_language, settings, user.name, language)
        self.redirect(safe_next(self.get_argument("next", ""), self.base_url))


def remember_language(settings: Settings, person: str, language: str) -> None:
    """Store the person's language, which their Jupyter server and feedback then speak."""
    database = Database.of(settings)
    try:
        with database.write() as session:
            session.execute(update(Person).where(Person.name == person).values(language=language))
    finally:
        database.engine.dispose()


main = ULabHub.launch_instance

if __name__ == "__main__":
    main()
