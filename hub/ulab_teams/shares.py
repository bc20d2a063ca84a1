"""Links by which others read one run or model of a team: who may make, follow and withdraw them."""

from __future__ import annotations

import enum
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotAllowed, NotFound
from ulab_core.i18n import mark
from ulab_core.models import utc_now
from ulab_core.team_models import Share, SharedThing, TeamRole
from ulab_teams.rights import Act, Standing
from ulab_teams.teams import find_team, members_of, teams_of


class Reading(enum.Enum):
    """What a link shows to someone."""

    SHOWN = enum.auto()
    NOTHING = enum.auto()
    """It was withdrawn, or they are not who it is for: they aren't told which."""
    LAPSED = enum.auto()
    """Who shared it works in the team no longer, so nobody answers for it."""


def may_share(role: TeamRole | None) -> bool:
    """Whether someone of this role in a team may show its runs and models to others."""
    return Standing(role).may(Act.WRITE)


def may_withdraw(role: TeamRole | None, made_it: bool) -> bool:
    """Whether someone may withdraw a link: owners any, members their own."""
    return role is TeamRole.OWNER or (role is TeamRole.MEMBER and made_it)


def reading(
    *,
    team: str,
    audience: str | None,
    withdrawn: bool,
    sharer: TeamRole | None,
    reader_teams: Collection[str],
) -> Reading:
    """What a link shows to someone who is logged in.

    Parameters
    ----------
    audience
        The team it is for; None for everyone.
    sharer
        What the person who shared it is in the team now.
    reader_teams
        The teams that the reader is in, in any role.
    """
    meant = audience is None or audience in reader_teams or team in reader_teams
    if withdrawn or not meant:
        return Reading.NOTHING
    return Reading.SHOWN if may_share(sharer) else Reading.LAPSED


def share(
    session: Session,
    team_id: str,
    kind: SharedThing,
    name: str,
    version: str | None,
    audience_id: str | None,
    sharer: str,
    actor: str,
) -> Share:
    """Make a link to a run or a version of a model, which the caller has seen to exist.

    Parameters
    ----------
    name
        The run's id, or the model's name.
    audience_id
        The team it is for; None for everyone who has an account.
    sharer
        Who answers for it.
    actor
        Who does it, for the audit log.

    Raises
    ------
    NotFound, NotAllowed, Conflict
        There is no such team, the sharer doesn't work in it, or it is for the team itself.
    """
    find_team(session, team_id)
    if not may_share(members_of(session, team_id).get(sharer)):
        raise NotAllowed(
            mark("Only owners and members of the team {team} share its runs and models."),
            team=team_id,
        )
    if audience_id is not None:
        find_team(session, audience_id)
    if audience_id == team_id:
        raise Conflict(mark("The team itself sees all of it already. Choose another team."))
    made = Share(
        team_id=team_id,
        kind=kind,
        name=name,
        version=version,
        audience_id=audience_id,
        created_by=sharer,
    )
    session.add(made)
    session.flush()
    record(
        session,
        actor,
        "team.share",
        f"{team_id}/{made.id}",
        kind=kind.value,
        name=name,
        version=version,
        audience=audience_id or "everyone",
        sharer=sharer,
    )
    return made


def withdraw(session: Session, share_id: str, person: str, actor: str | None = None) -> Share:
    """End a link; repeating it changes nothing.

    Parameters
    ----------
    person
        Who asks, by the rights they have in the team; an operator is asked for none.
    actor
        The operator's program, when it acts.

    Raises
    ------
    NotFound, NotAllowed
        There is no such link for this person, or they may not withdraw it.
    """
    found = session.get(Share, share_id)
    role = members_of(session, found.team_id).get(person) if found is not None else None
    if found is None or (role is None and actor is None):
        raise NotFound(mark("There is no such link."))
    if actor is None and not may_withdraw(role, found.created_by == person):
        raise NotAllowed(
            mark("Only the team's owners and {name}, who shared this, withdraw it."),
            name=found.created_by,
        )
    if found.withdrawn_at is None:
        found.withdrawn_at, found.withdrawn_by = utc_now(), actor or person
        record(session, actor or person, "team.unshare", f"{found.team_id}/{found.id}")
    return found


def follow(session: Session, share_id: str, reader: str) -> Share:
    """The link, for someone whom it shows something just now.

    Raises
    ------
    NotFound
        It shows them nothing; the sentence tells apart only what the reader may know.
    """
    found = session.get(Share, share_id)
    if found is not None:
        outcome = reading(
            team=found.team_id,
            audience=found.audience_id,
            withdrawn=found.withdrawn_at is not None,
            sharer=members_of(session, found.team_id).get(found.created_by),
            reader_teams=[team.id for team, _ in teams_of(session, reader)],
        )
        if outcome is Reading.SHOWN:
            return found
        if outcome is Reading.LAPSED:
            raise NotFound(
                mark(
                    "{name}, who shared this, no longer works in the team. "
                    "Ask the team to share it again."
                ),
                name=found.created_by,
            )
    raise NotFound(
        mark(
            "This link shows you nothing: it was withdrawn, or it is meant for a team "
            "you aren't in."
        )
    )


def shares_of(session: Session, team_id: str) -> list[Share]:
    """A team's links, the newest first, without those that were withdrawn."""
    return list(
        session.scalars(
            select(Share)
            .where(Share.team_id == team_id, Share.withdrawn_at.is_(None))
            .order_by(Share.created_at.desc(), Share.id)
        )
    )


def shared_with(session: Session, team_id: str) -> list[Share]:
    """The links that are meant for a team and show it something, the newest first."""
    found = session.scalars(
        select(Share)
        .where(Share.audience_id == team_id, Share.withdrawn_at.is_(None))
        .order_by(Share.created_at.desc(), Share.id)
    )
    return [one for one in found if may_share(members_of(session, one.team_id).get(one.created_by))]
