"""The policy form's fields as values, or as sentences beside the fields that can't be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Counts, LatePer, LateRule, LateUnit
from ulab_coursework.lateness import LatePolicy
from ulab_coursework.policies import senseless
from ulab_portal import moments, states

CHOICES = {"late_rule": LateRule, "late_unit": LateUnit, "late_per": LatePer, "counts": Counts}


class Fields(BaseModel):
    """What a browser sends: words, whatever was typed."""

    due_at: str = ""
    closes_at: str = ""
    late_rule: str = LateRule.REFUSED
    late_amount: str = ""
    late_unit: str = LateUnit.PERCENT
    late_per: str = LatePer.DAY
    late_cap: str = ""
    attempts: str = ""
    cooldown_minutes: str = ""
    counts: str = Counts.LAST


class BadNumber(UserError):
    """A number that can't be read."""


@dataclass
class Read:
    """What the fields mean.

    Attributes
    ----------
    values
        By the names of `Fields`; complete only when there are no problems.
    problems
        By field, a sentence for whoever typed it.
    """

    values: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, UserError] = field(default_factory=dict)

    @property
    def late(self) -> LatePolicy:
        """What the fields say of late submissions; only without problems."""
        return LatePolicy(
            rule=self.values["late_rule"],
            amount=self.values["late_amount"],
            unit=self.values["late_unit"],
            per=self.values["late_per"],
            cap=self.values["late_cap"],
            closes_at=self.values["closes_at"],
        )


def read(fields: Fields, zone: ZoneInfo) -> Read:
    """Read every field, so that all that is wrong is said at once."""
    found = Read()
    readers: dict[str, Callable[[str], Any]] = {
        "due_at": lambda text: moments.entered(text, zone),
        "closes_at": lambda text: moments.entered(text, zone),
        **{name: _choice(kind) for name, kind in CHOICES.items()},
        "late_amount": lambda text: _number(text, float) or 0.0,
        "late_cap": lambda text: _number(text, float),
        "attempts": lambda text: _number(text, int),
        "cooldown_minutes": lambda text: _number(text, int) or 0,
    }
    typed = fields.model_dump()
    for name, reader in readers.items():
        try:
            found.values[name] = reader(typed[name])
        except UserError as error:
            found.problems[name] = error
    # What can't be read stands as if it were empty, so that the rest is looked at too.
    known = {"due_at": None, "closes_at": None, "late_cap": None, "attempts": None}
    wrong = senseless({**known, "late_amount": 0.0, "cooldown_minutes": 0, **found.values})
    for name, sentence in wrong.items():
        found.problems.setdefault(name, UserError(sentence))
    return found


def shown(assignment: Assignment, zone: ZoneInfo) -> Fields:
    """The fields as they stand for an assignment."""
    return Fields(
        due_at=moments.for_field(assignment.due_at, zone),
        closes_at=moments.for_field(assignment.closes_at, zone),
        late_rule=assignment.late_rule,
        late_amount=states.points(assignment.late_amount) if assignment.late_amount else "",
        late_unit=assignment.late_unit,
        late_per=assignment.late_per,
        late_cap="" if assignment.late_cap is None else states.points(assignment.late_cap),
        attempts="" if assignment.attempts is None else str(assignment.attempts),
        cooldown_minutes=str(assignment.cooldown_minutes or ""),
        counts=assignment.counts,
    )


def changes(assignment: Assignment, wanted: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """What of the wanted is another value than now.

    A field shows a moment by the minute, so a moment within the same minute is no change.
    """
    before, now = shown(assignment, zone), dict(wanted)
    for name in ("due_at", "closes_at"):
        if moments.for_field(wanted[name], zone) == getattr(before, name):
            del now[name]
    return {name: value for name, value in now.items() if getattr(assignment, name) != value}


def _choice(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def chosen(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise BadNumber(mark("Choose one of these.")) from None

    return chosen


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    text = text.strip()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        sentence = (
            mark("{text} is no whole number.") if kind is int else mark("{text} is no number.")
        )
        raise BadNumber(sentence, text=text[:40]) from None
