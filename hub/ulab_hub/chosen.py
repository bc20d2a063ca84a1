"""NativeAuthenticator's pages for choosing a name or a password, which say what was wrong."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from nativeauthenticator import handlers as native

from ulab_core.i18n import mark
from ulab_core.models import PERSON_NAME, PERSON_NAME_REFUSED
from ulab_hub.language import translate

TAKEN = mark("This name is taken. Choose another.")


class SayingWhat:
    """Puts the one thing that was wrong in the place of NativeAuthenticator's list of rules."""

    takes_a_name = False

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Awaitable[str] | str:
        said = values.get("result_message") or ""
        if said.startswith("Something went wrong!\nBe sure"):
            person, password = self.chosen(values)
            values["result_message"] = self._what_was_wrong(person, password) or said
        values["fewest"] = self.authenticator.minimum_password_length  # type: ignore[attr-defined]
        page: Awaitable[str] | str = super().render_template(name, sync, **values)  # type: ignore[misc]
        return page

    def chosen(self, values: dict[str, Any]) -> tuple[str, str]:
        """The name and the new password on this page."""
        return values["user_name"], self.get_body_argument("new_password", "", strip=False)  # type: ignore[attr-defined]

    def _what_was_wrong(self, name: str, password: str) -> str | None:
        authenticator = self.authenticator  # type: ignore[attr-defined]
        if not PERSON_NAME.fullmatch(authenticator.normalize_username(name)):
            return translate(PERSON_NAME_REFUSED).format(name=name)
        if self.takes_a_name and name in authenticator.admin_users:
            return translate(TAKEN)
        sentence = authenticator.password_problem(name, password)
        if sentence is None:
            return None
        fewest = authenticator.minimum_password_length
        return translate(sentence).format(fewest=fewest)


class SignUpHandler(SayingWhat, native.SignUpHandler):
    """Keeps the name that was typed, too."""

    takes_a_name = True

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Awaitable[str] | str:
        typed = self.get_body_argument("username", "", strip=False)
        return super().render_template(name, sync, username=typed, **values)

    def chosen(self, values: dict[str, Any]) -> tuple[str, str]:
        return values["username"], self.get_body_argument("signup_password", "", strip=False)


class ChangePasswordHandler(SayingWhat, native.ChangePasswordHandler):
    """One's own password."""


class ChangePasswordAdminHandler(SayingWhat, native.ChangePasswordAdminHandler):
    """Someone else's, by an administrator."""


HANDLERS = [
    (r"/signup", SignUpHandler),
    (r"/change-password", ChangePasswordHandler),
    (r"/change-password/([^/]+)", ChangePasswordAdminHandler),
]
