"""What each role may do in a course: one table, from values to a value."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from ulab_core.models import Role


class Act(enum.StrEnum):
    """Something done in a course by those who teach it; what students do needs no act."""

    SEE = "see"
    """See the class: its people, what they handed in, scores, feedback, runs, unpublished labs."""
    COMPARE = "compare"
    """Look for similar passages, and read what was found."""
    GRADE = "grade"
    """Give points and comments by hand."""
    REGRADE = "regrade"
    """Have the tests run again."""
    RELEASE = "release"
    """Let students see scores and feedback."""
    PUBLISH = "publish"
    """Show a lab to students, with its deadline, or hide it."""
    POLICY = "policy"
    """Set what being late costs, attempts, and extensions."""
    GROUPS = "groups"
    """Say who works together."""
    MOVE = "move"
    """Move the course to another version of its curriculum."""
    PEOPLE = "people"
    """Put people into the course and take them out."""


ALLOWED: Mapping[Role, frozenset[Act]] = {
    Role.STUDENT: frozenset(),
    Role.ASSISTANT: frozenset({Act.SEE, Act.COMPARE, Act.GRADE}),
    Role.INSTRUCTOR: frozenset(Act),
}


def may(role: Role | None, act: Act) -> bool:
    """Whether someone of this role in a course may do it there; None is who isn't in it."""
    return role is not None and act in ALLOWED[role]


def may_publish_curricula(administers: bool, roles: Iterable[Role]) -> bool:
    """Whether someone who has these roles in courses may publish curricula.

    Besides administrators, whoever may move a course of theirs to another version.
    """
    return administers or any(may(role, Act.MOVE) for role in roles)
