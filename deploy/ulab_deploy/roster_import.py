"""Puts a roster into a base: people, enrolments, accounts with first passwords; safe to repeat."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.i18n import mark
from ulab_core.models import Course
from ulab_core.secret_files import closed_file
from ulab_coursework.roster import Row, parse_roster
from ulab_coursework.roster_rows import Applied, apply_rows
from ulab_deploy.base import Base
from ulab_deploy.files import BadFile
from ulab_hub.accounts import Accounts, first_password

ACTOR = "ulab user import"


@dataclass
class Changes(Applied):
    """What an import did, by account name.

    Attributes
    ----------
    passwords_file
        Where the new accounts' first passwords are; None without new accounts.
    """

    accounts_created: list[str] = field(default_factory=list)
    passwords_file: Path | None = None

    @property
    def none(self) -> bool:
        return not (
            self.people_added or self.people_changed or self.accounts_created or self.enrolled
        )

    def plain(self) -> dict[str, object]:
        return asdict(self)


def import_roster(base: Base, roster: Path, passwords_file: Path | None = None) -> Changes:
    """Read a roster and bring the base to what it says; nobody is removed.

    Parameters
    ----------
    passwords_file
        Where to write first passwords; None means a new file among the base's secrets.

    Raises
    ------
    BadRoster
        The file has mistakes; nothing was changed.
    BadFile
        The passwords can't be written; nothing was changed.
    """
    db = Database.of(base.settings)
    with db.read() as session:
        rows = parse_roster(roster.read_bytes(), set(session.scalars(select(Course.id))))
    file = None
    accounts = Accounts(base.settings)
    approved = {account.name for account in accounts.all() if account.approved}
    new = list(dict.fromkeys(row.name for row in rows if row.name not in approved))
    if new:
        passwords = {name: first_password(base.settings) for name in new}
        file = passwords_file or _fresh_file(base)
        # Before the accounts exist: a password nobody knows would lock its owner out.
        _write(file, rows, passwords)
        waiting = accounts.names() & passwords.keys()
        accounts.create({name: p for name, p in passwords.items() if name not in waiting})
        for name in waiting:
            # Someone signed up under this name. Whoever that was, the roster's owner gets it.
            accounts.set_password(name, passwords[name])
    with db.write() as session:
        applied = apply_rows(session, rows, ACTOR)
        changes = Changes(**vars(applied), accounts_created=new, passwords_file=file)
        if not changes.none:
            record(session, ACTOR, "roster.import", roster.name, rows=len(rows))
    return changes


def _fresh_file(base: Base) -> Path:
    now = datetime.now(base.settings.site.zone)
    return base.layout.secrets / f"passwords-{now:%Y%m%d-%H%M%S}.csv"


def _write(path: Path, rows: list[Row], passwords: dict[str, str]) -> None:
    shown = {row.name: row.display_name for row in reversed(rows)}
    try:
        # The mark at the start lets Excel read the Chinese.
        with closed_file(path, "w", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "display name", "password"])
            writer.writerows([name, shown[name], password] for name, password in passwords.items())
    except OSError as error:
        raise BadFile(
            mark("First passwords can't be written to {file}, so nothing was changed: {reason}."),
            file=path,
            reason=error.strerror or error,
        ) from None
