"""What being late costs, who has more time and which attempt counts, as a student reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ulab_core.i18n import mark, translations
from ulab_core.models import Assignment, Counts, LatePer, LateRule, LateUnit
from ulab_coursework.lateness import Deadline
from ulab_portal.states import points

_PERCENT = {
    (LateRule.STEP, LatePer.DAY): mark("Each started day costs {amount}% of the points."),
    (LateRule.STEP, LatePer.HOUR): mark("Each started hour costs {amount}% of the points."),
    (LateRule.LINEAR, LatePer.DAY): mark(
        "A day costs {amount}% of the points, and a part of a day its part of them."
    ),
    (LateRule.LINEAR, LatePer.HOUR): mark(
        "An hour costs {amount}% of the points, and a part of an hour its part of them."
    ),
}
_POINTS = {
    (LateRule.STEP, LatePer.DAY): mark("Each started day costs {amount} points."),
    (LateRule.STEP, LatePer.HOUR): mark("Each started hour costs {amount} points."),
    (LateRule.LINEAR, LatePer.DAY): mark(
        "A day costs {amount} points, and a part of a day its part of them."
    ),
    (LateRule.LINEAR, LatePer.HOUR): mark(
        "An hour costs {amount} points, and a part of an hour its part of them."
    ),
}
Exact = Callable[[datetime], str]


def rules(assignment: Assignment, limits: Deadline, language: str, exact: Exact) -> tuple[str, ...]:
    """What holds for late work, for whoever has these limits.

    Parameters
    ----------
    exact
        Says a moment in the site's zone.
    """
    say = translations(language).gettext
    if limits.due_at is None:
        return ()
    said = []
    if assignment.due_at is not None and limits.due_at > assignment.due_at:
        said.append(
            say(mark("You were given more time: until {moment}.")).format(
                moment=exact(limits.due_at)
            )
        )
    if assignment.late_rule is LateRule.REFUSED:
        return (*said, say(mark("After the deadline nothing is taken.")))
    if limits.closes_at is None:
        said.append(say(mark("You may also hand in after the deadline.")))
    else:
        said.append(
            say(mark("You may also hand in late, until {moment}.")).format(
                moment=exact(limits.closes_at)
            )
        )
    return (*said, *_costs(assignment, say))


def _costs(assignment: Assignment, say: Callable[[str], str]) -> tuple[str, ...]:
    if assignment.late_rule is LateRule.FREE or not assignment.late_amount:
        return (say(mark("That costs no points.")),)
    words = _PERCENT if assignment.late_unit is LateUnit.PERCENT else _POINTS
    sentence = say(words[assignment.late_rule, assignment.late_per])
    said = (sentence.format(amount=points(assignment.late_amount)),)
    if assignment.late_cap is None:
        return said
    most = say(mark("It never costs more than {most}% of the points."))
    return (*said, most.format(most=points(assignment.late_cap)))


@dataclass(frozen=True)
class HandedIn:
    """What decides about one submission: which of how many, when it came, and what it scored.

    Attributes
    ----------
    score
        What is left of its points; None while there are none to show.
    """

    received_at: datetime
    penalty: float
    score: float | None
    max_score: float
    counts: bool
    submissions: int


def verdict(
    found: HandedIn, assignment: Assignment, limits: Deadline, language: str, exact: Exact
) -> tuple[str, ...]:
    """What became of one submission: its lateness, what is left, and whether it counts."""
    say = translations(language).gettext
    said = []
    due_at, came_at = limits.due_at, found.received_at
    if due_at is not None and came_at > due_at and not found.penalty:
        said.append(say(mark("It came after the deadline; that costs nothing.")))
    elif due_at is not None and came_at > due_at and found.score is not None:
        sentence = mark(
            "It came after the deadline, {moment}. Points taken off: {taken}. "
            "Left: {score} of {most}."
        )
        said.append(
            say(sentence).format(
                moment=exact(due_at),
                taken=points(found.penalty),
                score=points(found.score),
                most=points(found.max_score),
            )
        )
    elif (
        due_at is not None
        and assignment.due_at is not None
        and assignment.due_at < came_at <= due_at
    ):
        sentence = mark("It came in time: you were given until {moment}.")
        said.append(say(sentence).format(moment=exact(due_at)))
    if found.submissions > 1:
        said.append(say(_COUNTS[assignment.counts, found.counts]))
    return tuple(said)


_COUNTS = {
    (Counts.LAST, True): mark("This is the submission that counts: your last one."),
    (Counts.LAST, False): mark("This submission does not count: you handed in a later one."),
    (Counts.BEST, True): mark("This is the submission that counts: your best one."),
    (Counts.BEST, False): mark("This submission does not count: another one is better."),
}
