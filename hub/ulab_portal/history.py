"""Who changed what of an assignment, from the audit log, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ulab_core.i18n import mark, translations
from ulab_core.models import Assignment, AuditEntry
from ulab_portal import moments, states
from ulab_portal.called import called
from ulab_portal.page import Page

MOST_SHOWN = 30
NONE, YES, NO = mark("none"), mark("yes"), mark("no")
POLICIES = {
    "due_at": mark("Deadline"),
    "closes_at": mark("Taken until"),
    "late_rule": mark("Late submissions"),
    "late_amount": mark("Penalty"),
    "late_unit": mark("Unit of the penalty"),
    "late_per": mark("Penalty for each"),
    "late_cap": mark("Most of the penalty (%)"),
    "attempts": mark("Attempts"),
    "cooldown_minutes": mark("Minutes between two attempts"),
    "counts": mark("Which one counts"),
    "group_size": mark("Members of a group at most"),
    "own_groups": mark("Students form groups themselves"),
}
VALUES = {
    "refused": mark("not taken"),
    "free": mark("taken without a penalty"),
    "step": mark("a penalty in steps"),
    "linear": mark("a penalty by the second"),
    "percent": mark("percent of the points"),
    "points": mark("points"),
    "day": mark("day"),
    "hour": mark("hour"),
    "last": mark("the last one"),
    "best": mark("the best one"),
    "at_once": mark("at once when graded"),
    "on_release": mark("when I release them to everyone"),
}
ACTIONS = {
    "assignment.policy": mark("changed the settings"),
    "assignment.publish": mark("published it, or changed the deadline"),
    "assignment.withdraw": mark("withdrew it from the class"),
    "assignment.grade": mark("asked to grade again"),
    "assignment.release_feedback": mark("released scores and feedback"),
    "assignment.zero_empty": mark("gave 0 points for all empty answers"),
}
SAID = mark("{what}: {value}")
GAVE = mark("gave {person} time until {moment}")
TOOK_BACK = mark("took back the extension of {person}")


@dataclass(frozen=True)
class Change:
    """One entry: who did what and when, and what is different since."""

    at: datetime
    who: str
    what: str
    details: tuple[str, ...] = ()


def changes_of(session: Session, found: Assignment, page: Page) -> list[Change]:
    """The newest changes of an assignment and its extensions."""
    target = f"{found.course_id}/{found.name}"
    entries = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.action.like("assignment.%"),
            or_(
                AuditEntry.target == target,
                AuditEntry.target.startswith(f"{target}/", autoescape=True),
            ),
        )
        .order_by(AuditEntry.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    names = called(session, [name for one in entries for name in (one.actor, _of_whom(one))])
    return [_change(entry, names, page) for entry in entries]


def _of_whom(entry: AuditEntry) -> str:
    """The last part of what an entry is about: of an extension the account that has it."""
    return entry.target.rsplit("/", 1)[-1]


def _change(entry: AuditEntry, names: Mapping[str, str], page: Page) -> Change:
    translate = translations(page.language).gettext
    who = names[entry.actor]
    if entry.action == "assignment.extend":
        until = entry.detail.get("due_at")
        sentence = translate(GAVE if until else TOOK_BACK).format(
            person=names[_of_whom(entry)], moment=_value("due_at", until, page)
        )
        reason = entry.detail.get("reason")
        return Change(entry.at, who, sentence, (reason,) if reason else ())
    what = translate(ACTIONS[entry.action]) if entry.action in ACTIONS else entry.action
    return Change(entry.at, who, what, _details(entry.detail, page))


def _details(detail: Mapping[str, Any], page: Page) -> tuple[str, ...]:
    translate = translations(page.language).gettext
    before = detail.get("before") or {}
    return tuple(
        translate(SAID).format(
            what=translate(label),
            value=(f"{_value(name, before[name], page)} → " if name in before else "")
            + _value(name, detail[name], page),
        )
        for name, label in POLICIES.items()
        if name in detail
    )


def _value(name: str, value: Any, page: Page) -> str:
    translate = translations(page.language).gettext
    if value is None:
        return translate(NONE)
    if name.endswith("_at"):
        moment = datetime.fromisoformat(value)
        zone = page.portal.settings.site.zone
        return moments.for_field(moment, zone).replace("T", " ")
    if isinstance(value, bool):
        return translate(YES if value else NO)
    if isinstance(value, int | float):
        return states.points(value)
    return translate(VALUES[value]) if value in VALUES else str(value)
