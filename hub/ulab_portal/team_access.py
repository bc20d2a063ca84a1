"""Whoever asks about a team, as pages and the HTTP API let them: administrators may mend any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from ulab_core.errors import NotAllowed
from ulab_core.hub_auth import HubUser
from ulab_core.i18n import mark
from ulab_portal.page import Portal
from ulab_teams.rights import Act, Standing, require


def require_of(session: Session, user: HubUser, team_id: str, act: Act) -> Standing:
    """What someone is to a team, if that lets them do something.

    Raises
    ------
    NotFound, NotAllowed
        There is no such team, or they may not.
    """
    return require(session, team_id, user.name, act, administers=user.admin)


@contextmanager
def changing(base: Portal, user: HubUser, team_id: str, act: Act) -> Iterator[Session]:
    """The database, for a change that someone may make in a team.

    Raises
    ------
    NotFound, NotAllowed
        As `require_of` says; nothing is changed.
    """
    with base.db.write() as session:
        require_of(session, user, team_id, act)
        yield session


def require_administrator(user: HubUser) -> None:
    """
    Raises
    ------
    NotAllowed
        They don't look after the base.
    """
    if not user.admin:
        raise NotAllowed(mark("Only an administrator answers requests for teams."))
