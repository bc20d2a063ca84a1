"""What people are called on pages, by the names of their accounts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.models import Person


def called(session: Session, accounts: Iterable[str | None]) -> dict[str, str]:
    """The display name of each account, or the account where there is none or nobody any more."""
    wanted = {account for account in accounts if account}
    found = session.execute(select(Person.name, Person.display_name).where(Person.name.in_(wanted)))
    return {account: account for account in wanted} | {
        account: display_name for account, display_name in found if display_name
    }
