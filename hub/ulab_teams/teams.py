"""Teams, the people in them, and what each may do there."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotFound, UserError
from ulab_core.i18n import mark
from ulab_core.models import COURSE_ID, Course, Person
from ulab_core.team_models import Team, TeamInvitation, TeamMember, TeamRole
from ulab_coursework.courses import find_person


class BadTeam(UserError):
    """A team that can't be made as asked."""


def create_team(
    session: Session, team_id: str, title: str, purpose: str, owner: str, actor: str
) -> Team:
    """Make a team with its first owner.

    Parameters
    ----------
    team_id
        See `refuse_id`.
    title
        What people call it, in one language or both; the id when empty.

    Raises
    ------
    BadTeam, Conflict, NotFound
        The id can't be used or is taken, or there is no such owner.
    """
    refuse_id(session, team_id)
    person = find_person(session, owner)
    team = Team(
        id=team_id,
        number=(session.scalar(select(func.max(Team.number))) or 0) + 1,
        title=title.strip() or team_id,
        purpose=purpose,
    )
    session.add(team)
    session.flush()
    session.add(TeamMember(team_id=team_id, person_id=person.id, role=TeamRole.OWNER))
    record(session, actor, "team.create", team_id, owner=owner)
    session.flush()
    return team


def refuse_id(session: Session, team_id: str) -> None:
    """
    Raises
    ------
    BadTeam, Conflict
        It can't be a team's id, or is taken: the id names the team's MLflow workspace, so a
        course can't have the same.
    """
    if not COURSE_ID.fullmatch(team_id):
        raise BadTeam(
            mark(
                "{name} can't be a team's id: use 2 to 24 small letters, digits and hyphens, "
                "with a letter first and no hyphen last, and no word that U Lab or MLflow needs "
                "itself, such as default or teams."
            ),
            name=team_id,
        )
    if session.get(Team, team_id):
        raise Conflict(mark("There is a team {team} already."), team=team_id)
    if session.get(Course, team_id):
        raise Conflict(
            mark("There is a course {course} already, and a team needs a name of its own."),
            course=team_id,
        )


def find_team(session: Session, team_id: str) -> Team:
    team = session.get(Team, team_id)
    if team is None:
        raise NotFound(mark("There is no team {team}."), team=team_id)
    return team


def members_of(session: Session, team_id: str) -> dict[str, TeamRole]:
    """Name to role: owners, members, mentors, each by name."""
    rows = session.execute(
        select(Person.name, TeamMember.role)
        .join(Person, Person.id == TeamMember.person_id)
        .where(TeamMember.team_id == team_id)
        .order_by(Person.name)
    )
    found = {row.name: row.role for row in rows}
    ranks = list(TeamRole)
    return dict(sorted(found.items(), key=lambda one: (ranks.index(one[1]), one[0])))


def teams_of(session: Session, name: str) -> list[tuple[Team, TeamRole]]:
    """The teams that someone is in, with the role, by title."""
    rows = session.execute(
        select(Team, TeamMember.role)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .join(Person, Person.id == TeamMember.person_id)
        .where(Person.name == name)
        .order_by(Team.title, Team.id)
    )
    return [(team, role) for team, role in rows]


def all_teams(session: Session) -> list[tuple[Team, dict[str, TeamRole]]]:
    """Every team with its people, by id."""
    found = session.scalars(select(Team).order_by(Team.id)).all()
    return [(team, members_of(session, team.id)) for team in found]


def describe(session: Session, team_id: str, title: str, purpose: str, actor: str) -> None:
    """Change what a team is called (its id when empty) and what it works on; its id stays."""
    team, title = find_team(session, team_id), title.strip() or team_id
    if (team.title, team.purpose) == (title, purpose):
        return
    team.title, team.purpose = title, purpose
    record(session, actor, "team.describe", team_id)


def without_owner(members: Mapping[str, TeamRole], name: str, role: TeamRole | None) -> bool:
    """Whether a team would lose its last owner.

    Parameters
    ----------
    members
        Name to role, as it is now.
    role
        What `name` is to become; None when they leave.
    """
    after = {**members, name: role}
    return TeamRole.OWNER in members.values() and TeamRole.OWNER not in after.values()


def set_member(
    session: Session, team_id: str, name: str, role: TeamRole, actor: str, *, joining: bool = True
) -> None:
    """Put someone into a team, or give them another role; repeating it changes nothing.

    Parameters
    ----------
    joining
        Whether who isn't in the team may be put into it.

    Raises
    ------
    NotFound, Conflict
        There is no such team or person, or the team would be left without an owner.
    """
    find_team(session, team_id)
    person = find_person(session, name)
    found = session.get(TeamMember, (team_id, person.id))
    if found is None and not joining:
        raise _not_in(team_id, name)
    if found is not None and found.role is role:
        return
    _keep_an_owner(session, team_id, name, role)
    if found is None:
        found = TeamMember(team_id=team_id, person_id=person.id, role=role)
        session.add(found)
        if invitation := session.get(TeamInvitation, (team_id, person.id)):
            session.delete(invitation)
    found.role = role
    record(session, actor, "team.member", f"{team_id}/{name}", role=role.value)
    session.flush()


def remove_member(session: Session, team_id: str, name: str, actor: str) -> None:
    """Take someone out of a team; what they logged stays with it.

    Raises
    ------
    NotFound, Conflict
        They aren't in the team, or it would be left without an owner.
    """
    find_team(session, team_id)
    person = find_person(session, name)
    found = session.get(TeamMember, (team_id, person.id))
    if found is None:
        raise _not_in(team_id, name)
    _keep_an_owner(session, team_id, name, None)
    session.delete(found)
    record(session, actor, "team.remove", f"{team_id}/{name}", role=found.role.value)


def _not_in(team_id: str, name: str) -> NotFound:
    return NotFound(mark("{name} is not in the team {team}."), name=name, team=team_id)


def _keep_an_owner(session: Session, team_id: str, name: str, role: TeamRole | None) -> None:
    if without_owner(members_of(session, team_id), name, role):
        raise Conflict(
            mark("{name} is the only owner of the team {team}. Make someone else an owner first."),
            name=name,
            team=team_id,
        )
