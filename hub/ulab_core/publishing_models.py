"""The tables of what is published: who published each version, and whose each name is."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ulab_core.models import Person, UtcDateTime, enum_column, utc_now
from ulab_core.team_models import Base


class NameKind(enum.StrEnum):
    """What a name is given to."""

    CURRICULUM = "curriculum"
    LAB = "lab"
    FOCUS_AREA = "focus_area"


class Publication(Base):
    """Who published a version of a curriculum; one that the base brings has no row."""

    __tablename__ = "publications"

    curriculum: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    publisher: Mapped[str] = mapped_column(String(64))
    """A person's name, or the command that the base's operator gave."""
    published_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class NameHolder(Base):
    """Someone who may publish under a name besides administrators; others may not."""

    __tablename__ = "name_holders"

    kind: Mapped[NameKind] = mapped_column(enum_column(NameKind), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)

    person: Mapped[Person] = relationship()
