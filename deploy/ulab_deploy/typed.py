"""What someone typed at the command line, as moments, numbers and choices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from ulab_core.errors import UserError
from ulab_core.i18n import mark

NONE = "none"
Choice = TypeVar("Choice", bound=StrEnum)
Number = TypeVar("Number", int, float)


def moment(text: str, zone: ZoneInfo) -> datetime | str | None:
    """A moment in the site's zone unless it names another; None for nothing, or ``none``."""
    if text in ("", NONE):
        return text or None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            mark("{text} is no moment; write one such as 2026-09-01T23:59."), text=text
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def number(text: str, kind: Callable[[str], Number]) -> Number | str | None:
    """A number; None for nothing, or ``none``."""
    if text in ("", NONE):
        return text or None
    try:
        return kind(text)
    except ValueError:
        raise UserError(mark("{text} is no number."), text=text) from None


def choice(text: str, kind: type[Choice]) -> Choice | None:
    """One of some words; None for nothing."""
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise UserError(
            mark("{text} can't be chosen here. Choose from: {known}."),
            text=text,
            known=", ".join(kind),
        ) from None
