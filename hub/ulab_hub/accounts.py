"""Accounts: the names and passwords NativeAuthenticator lets in, kept in the hub's database.

The hub may be running or not; it sees a change at the next login.
"""

from __future__ import annotations

import functools
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from ulab_core.errors import NotFound, UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import PERSON_NAME, PERSON_NAME_REFUSED
from ulab_core.secret_files import closed_file
from ulab_core.settings import Settings
from ulab_hub.passwords import TOO_LONG, TOO_SHORT, fits

# Letters and digits that can't be taken for one another on a printed slip of paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
FIRST_PASSWORD_LENGTH = 12


class BadPassword(UserError):
    """A password that breaks the base's rules."""


class BadAccount(UserError):
    """A name no account can have."""


@dataclass(frozen=True)
class Account:
    """Someone who can log in, or asked to.

    Attributes
    ----------
    approved
        False for a sign-up that waits for an administrator.
    """

    name: str
    approved: bool


def first_password(settings: Settings) -> str:
    """A random password as long as the base's rules ask, and at least `FIRST_PASSWORD_LENGTH`.

    It can be read out and typed; 12 characters are about 59 bits.
    """
    length = max(FIRST_PASSWORD_LENGTH, settings.accounts.password_length)
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class Accounts:
    """The accounts of one base.

    Parameters
    ----------
    settings
        Says where the state lies and what a password must be.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = hub_database_url(Layout.of(settings))

    @functools.cached_property
    def _session(self) -> sessionmaker[Session]:
        # Creates the hub's tables when it has never run, as the hub itself would.
        factory: sessionmaker[Session] = orm.new_session_factory(self._url)
        UserInfo.__table__.create(factory.kw["bind"], checkfirst=True)
        return factory

    def names(self) -> set[str]:
        return {account.name for account in self.all()}

    def all(self) -> list[Account]:
        """Every account and waiting sign-up, by name."""
        with self._session() as session:
            rows = session.execute(
                select(UserInfo.username, UserInfo.is_authorized).order_by(UserInfo.username)
            )
            return [Account(name, bool(approved)) for name, approved in rows]

    def create(self, passwords: dict[str, str]) -> None:
        """Create approved accounts, all or none.

        Parameters
        ----------
        passwords
            The first password of each name.

        Raises
        ------
        BadAccount, BadPassword
            A name or password can't be used, or a name has an account.
        """
        for name, password in passwords.items():
            if not PERSON_NAME.fullmatch(name):
                raise BadAccount(PERSON_NAME_REFUSED, name=name)
            self._require_good(password)
        taken = sorted(self.names() & passwords.keys())
        if taken:
            raise BadAccount(
                mark("There is an account already for: {names}."), names=", ".join(taken)
            )
        # Hashing is slow on purpose, and bcrypt lets other threads run meanwhile.
        with ThreadPoolExecutor() as pool:
            hashes = dict(zip(passwords, pool.map(_hashed, passwords.values()), strict=True))
        with self._session() as session:
            session.add_all(
                UserInfo(username=name, password=hashed, is_authorized=True)
                for name, hashed in hashes.items()
            )
            session.commit()

    def set_password(self, name: str, password: str) -> None:
        """Replace someone's password; a waiting sign-up is approved by it.

        Raises
        ------
        NotFound, BadPassword
        """
        self._require_good(password)
        with self._session() as session:
            found = UserInfo.find(session, name)
            if found is None:
                raise NotFound(mark("There is no account {name}."), name=name)
            found.password = _hashed(password)
            found.is_authorized = True
            session.commit()

    def matches(self, name: str, password: str) -> bool:
        """Whether this password lets this person in."""
        with self._session() as session:
            found = UserInfo.find(session, name)
            return bool(found and found.is_authorized and found.is_valid_password(password))

    def _require_good(self, password: str) -> None:
        fewest = self._settings.accounts.password_length
        if len(password) < fewest:
            raise BadPassword(TOO_SHORT, fewest=fewest)
        if not fits(password):
            raise BadPassword(TOO_LONG)


def hub_database_url(layout: Layout) -> str:
    return f"sqlite:///{layout.hub_database}"


def write_passwords(path: Path, lines: list[str]) -> None:
    """Add lines to a file of first passwords that only its owner can read."""
    with closed_file(path, "a") as file:
        file.writelines(line + "\n" for line in lines)


def _hashed(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())
