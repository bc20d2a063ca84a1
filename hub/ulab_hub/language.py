"""The language of the hub request being answered, for templates, forms and progress messages."""

from __future__ import annotations

from contextvars import ContextVar

from tornado.httputil import HTTPServerRequest
from tornado.web import OutputTransform

from ulab_core.i18n import COOKIE, choose_language, translations

_language: ContextVar[str] = ContextVar("ulab_hub_language", default="zh")


class LanguageTransform(OutputTransform):
    """Notes each request's language before its handler runs.

    Tornado makes every transform anew for a request, in the context its handler then runs in:
    the one public seam that all handlers share, JupyterHub's and NativeAuthenticator's too.
    """

    site_language = "zh"

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        morsel = request.cookies.get(COOKIE)
        _language.set(
            choose_language(
                morsel.value if morsel else None,
                request.headers.get("Accept-Language"),
                self.site_language,
            )
        )


def current_language() -> str:
    """``zh`` or ``en``, for the request being answered."""
    return _language.get()


def translate(message: str) -> str:
    """`message`, an English literal, in the language of the request being answered."""
    return translations(current_language()).gettext(message) if message else ""


def translate_plural(one: str, many: str, number: int) -> str:
    return translations(current_language()).ngettext(one, many, number)
