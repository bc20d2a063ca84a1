"""The tables of teams: who is in them, who asked for one, and what they share with others."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ulab_core.models import Base, Person, UtcDateTime, enum_column, new_id, utc_now


class TeamRole(enum.StrEnum):
    """What a person is in one team, from most rights to fewest."""

    OWNER = "owner"
    """Also says who is in the team."""
    MEMBER = "member"
    MENTOR = "mentor"
    """Looks on and advises."""


class Team(Base):
    """People who share experiments, in an MLflow workspace named by the team's id."""

    __tablename__ = "teams"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    """Gives the host group that a team's files belong to when the base runs as root."""
    title: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class TeamMember(Base):
    __tablename__ = "team_members"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    role: Mapped[TeamRole] = mapped_column(enum_column(TeamRole))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class TeamInvitation(Base):
    """Someone asked into a team who has not answered; the row goes when they do."""

    __tablename__ = "team_invitations"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    role: Mapped[TeamRole] = mapped_column(enum_column(TeamRole))
    invited_by: Mapped[str] = mapped_column(String(64))
    invited_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    person: Mapped[Person] = relationship()
    team: Mapped[Team] = relationship()


class TeamRequest(Base):
    """A team that someone asked for, and what an administrator answered."""

    __tablename__ = "team_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(String(24))
    """The id that is asked for; there is no such team before it is approved."""
    title: Mapped[str]
    purpose: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    approved: Mapped[bool | None]
    """None while nobody has answered."""
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str] = mapped_column(default="")
    """What the administrator says to a refusal."""

    person: Mapped[Person] = relationship()


class SharedThing(enum.StrEnum):
    """What of a team can be shown to others."""

    RUN = "run"
    MODEL_VERSION = "model_version"


class Share(Base):
    """A link by which others may read one run or one version of a model, until it is withdrawn."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    """Is in the link; whoever follows it must be of the audience all the same."""
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    kind: Mapped[SharedThing] = mapped_column(enum_column(SharedThing))
    name: Mapped[str]
    """MLflow's id of the run, or the model's name."""
    version: Mapped[str | None] = mapped_column(String(16))
    """The model's version; None for a run."""
    audience_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    """The team that may read it; None means everyone who has an account."""
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    withdrawn_by: Mapped[str | None] = mapped_column(String(64))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
