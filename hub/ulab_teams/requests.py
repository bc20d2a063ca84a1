"""Teams that are asked for: what may be asked, and what an administrator answers."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotFound
from ulab_core.i18n import mark
from ulab_core.models import Person, utc_now
from ulab_core.team_models import Team, TeamRequest
from ulab_coursework.courses import find_person
from ulab_teams.teams import BadTeam, create_team, refuse_id

MOST_WAITING = 3
"""How many requests one person may have waiting."""
LONGEST_TEXT = {"title": 120, "purpose": 600, "answer": 600}


def ask(session: Session, team_id: str, title: str, purpose: str, name: str) -> TeamRequest:
    """Ask for a team; nothing of it exists before it is approved.

    Raises
    ------
    BadTeam, Conflict
        The id can't be used, is taken or asked for, the purpose is missing, or too many wait.
    """
    refuse_id(session, team_id)
    require_text(title=title, purpose=purpose)
    if not purpose:
        raise BadTeam(
            mark("Say in a sentence what the team works on: an administrator decides by it.")
        )
    waiting = waiting_requests(session)
    asked_by = {one.team_id: one.person.name for one in waiting}.get(team_id)
    if asked_by == name:
        raise Conflict(mark("You have asked for the team {team} already."), team=team_id)
    if asked_by is not None:
        raise Conflict(mark("Someone has asked for a team {team} already."), team=team_id)
    if sum(one.person.name == name for one in waiting) >= MOST_WAITING:
        raise Conflict(
            mark("You have {count} requests waiting. Wait for an answer, or withdraw one."),
            count=MOST_WAITING,
        )
    person = find_person(session, name)
    made = TeamRequest(
        team_id=team_id, title=title or team_id, purpose=purpose, person_id=person.id
    )
    session.add(made)
    record(session, name, "team.request", team_id)
    session.flush()
    return made


def take_back(session: Session, request_id: int, name: str) -> None:
    """Withdraw what one asked for.

    Raises
    ------
    NotFound, Conflict
        It is another's, or answered.
    """
    found = _waiting(session, request_id)
    if found.person.name != name:
        raise _no_such(request_id)
    session.delete(found)
    record(session, name, "team.request.withdraw", found.team_id)


def approve(session: Session, request_id: int, answer: str, actor: str) -> Team:
    """Make the team, with who asked as its owner.

    Raises
    ------
    NotFound, Conflict
        There is no such request, it is answered, or the id was taken meanwhile.
    """
    found = _waiting(session, request_id)
    require_text(answer=answer)
    team = create_team(session, found.team_id, found.title, found.purpose, found.person.name, actor)
    _answer(found, True, answer, actor)
    record(session, actor, "team.request.approve", found.team_id, asked_by=found.person.name)
    session.flush()
    return team


def refuse(session: Session, request_id: int, answer: str, actor: str) -> TeamRequest:
    """Refuse a team, with a sentence that says why.

    Raises
    ------
    BadTeam, NotFound, Conflict
        The sentence is missing, there is no such request, or it is answered.
    """
    found = _waiting(session, request_id)
    require_text(answer=answer)
    if not answer:
        raise BadTeam(mark("Say in a sentence why: who asked reads it."))
    _answer(found, False, answer, actor)
    record(session, actor, "team.request.refuse", found.team_id, asked_by=found.person.name)
    session.flush()
    return found


def waiting_requests(session: Session) -> list[TeamRequest]:
    """What no administrator has answered, oldest first."""
    query = select(TeamRequest).where(TeamRequest.approved.is_(None)).order_by(TeamRequest.id)
    return list(session.scalars(query))


def waiting_for(session: Session, team_id: str) -> TeamRequest:
    """The waiting request for a team of this id.

    Raises
    ------
    NotFound
        There is none.
    """
    for found in waiting_requests(session):
        if found.team_id == team_id:
            return found
    raise NotFound(mark("Nobody waits for a team {team}."), team=team_id)


def requests_of(session: Session, name: str, most: int = 10) -> list[TeamRequest]:
    """What someone asked for, newest first."""
    query = (
        select(TeamRequest)
        .join(Person, Person.id == TeamRequest.person_id)
        .where(Person.name == name)
        .order_by(TeamRequest.id.desc())
        .limit(most)
    )
    return list(session.scalars(query))


def count_waiting(session: Session) -> int:
    """How many requests no administrator has answered."""
    query = select(func.count()).select_from(TeamRequest).where(TeamRequest.approved.is_(None))
    return session.scalar(query) or 0


def require_text(**texts: str) -> None:
    """
    Raises
    ------
    BadTeam
        One of them is longer than `LONGEST_TEXT` lets it be.
    """
    for name, text in texts.items():
        if len(text) > LONGEST_TEXT[name]:
            raise BadTeam(
                mark("This text has {size} characters; write {most} at most."),
                size=len(text),
                most=LONGEST_TEXT[name],
            )


def _waiting(session: Session, request_id: int) -> TeamRequest:
    found = session.get(TeamRequest, request_id)
    if found is None:
        raise _no_such(request_id)
    if found.approved is not None:
        raise Conflict(
            mark("{name} has answered the request for {team} already."),
            name=found.answered_by,
            team=found.team_id,
        )
    return found


def _no_such(request_id: int) -> NotFound:
    return NotFound(mark("There is no request {number}."), number=request_id)


def _answer(found: TeamRequest, approved: bool, answer: str, actor: str) -> None:
    found.approved, found.answer = approved, answer
    found.answered_by, found.answered_at = actor, utc_now()
