"""NativeAuthenticator with what it leaves open closed."""

from __future__ import annotations

import asyncio
from typing import Any

from nativeauthenticator import NativeAuthenticator

from ulab_core.database import Database
from ulab_core.settings import load_settings
from ulab_coursework.courses import ensure_person
from ulab_hub.passwords import COMMON, fits, problem


class ULabAuthenticator(NativeAuthenticator):
    """Names and passwords of the base's own, with sign-up that an administrator approves."""

    def password_problem(self, name: str, password: str) -> str | None:
        """The sentence that says what is wrong with a password someone chose, if anything is."""
        if self.is_password_common(password):  # which also reads the list
            return COMMON
        common = {known.casefold() for known in self.COMMON_PASSWORDS}
        return problem(name, password, self.minimum_password_length, common)

    def change_password(self, username: str, new_password: str) -> Any:
        if self.password_problem(self.normalize_username(username), new_password):
            return None
        return super().change_password(username, new_password)

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        # It would let in at once whoever first signs up with an administrator's name.
        name = self.normalize_username(username)
        if name in self.admin_users or self.password_problem(name, password):
            return None
        return super().create_user(username, password, **more)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        if not fits(data["password"]):
            return None
        name: str | None = await super().authenticate(handler, data)
        if name is not None:
            # The portal knows them before their first server then.
            await asyncio.to_thread(remember_person, name)
        return name


def remember_person(name: str) -> None:
    """Give someone who logs in a row, if there is none yet."""
    database = Database.of(load_settings())
    try:
        with database.write() as session:
            ensure_person(session, name)
    finally:
        database.engine.dispose()
