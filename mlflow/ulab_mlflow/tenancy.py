"""Who may do what in which workspace: decisions alone, from values to values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ulab_core.models import Role
from ulab_core.rights import Act, may
from ulab_core.team_models import TeamRole


class Grant(NamedTuple):
    """A permission in MLflow's words."""

    resource_type: str
    resource_pattern: str
    permission: str


# A role without grants only makes the workspace visible. Even the weakest permission on a workspace
# shows every student's runs in searches, and lets its holder create experiments: an instructor
# could take a name before its owner comes, and be the one who may delete what is logged there.
_READ_ALL = (
    Grant("experiment", "*", "READ"),
    Grant("registered_model", "*", "READ"),
)
# In a team everyone may see everything, and those who work in it make experiments as they like.
_WORK_IN_ALL = (
    Grant("workspace", "*", "USE"),
    Grant("experiment", "*", "EDIT"),
    Grant("registered_model", "*", "EDIT"),
)
ROLE_GRANTS: Mapping[Role | TeamRole, tuple[Grant, ...]] = {
    Role.STUDENT: (),
    Role.ASSISTANT: _READ_ALL,
    Role.INSTRUCTOR: _READ_ALL,
    TeamRole.OWNER: _WORK_IN_ALL,
    TeamRole.MEMBER: _WORK_IN_ALL,
    TeamRole.MENTOR: _READ_ALL,
}
ROLES: Mapping[str, Role | TeamRole] = {role.value: role for role in ROLE_GRANTS}
"""By the name that the role has in MLflow."""

# Who may log runs must not be able to delete or share the experiment they are judged by.
OWN_EXPERIMENT_PERMISSION = "EDIT"


class Membership(NamedTuple):
    """A role in the workspace of a course or team."""

    workspace: str
    role: Role | TeamRole


@dataclass(frozen=True)
class Standing:
    """What the base knows of one person at one moment."""

    person: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    """Course to role."""
    assignments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Course to the assignments the person may work on."""
    teams: Mapping[str, TeamRole] = field(default_factory=dict)
    """Team to role."""

    @property
    def memberships(self) -> frozenset[Membership]:
        # No team has a course's name.
        held: dict[str, Role | TeamRole] = {**self.roles, **self.teams}
        return frozenset(Membership(workspace, role) for workspace, role in held.items())


class Changes(NamedTuple):
    assign: frozenset[Membership]
    unassign: frozenset[Membership]


def visible_assignments(role: Role, published: Mapping[str, bool]) -> tuple[str, ...]:
    """The assignments of a course that someone of this role may work on.

    Parameters
    ----------
    published
        Assignment to whether students see it.
    """
    return tuple(name for name, out in published.items() if out or may(role, Act.SEE))


def changes(wanted: Collection[Membership], held: Collection[Membership]) -> Changes:
    """What turns the memberships held into those wanted."""
    return Changes(frozenset(wanted) - frozenset(held), frozenset(held) - frozenset(wanted))


def experiment_name(assignment: str, person: str) -> str:
    """The name of a person's own experiment; an assignment's name has no slash."""
    return f"{assignment}/{person}"


def may_enter(standing: Standing, workspace: str) -> bool:
    return workspace in standing.roles or workspace in standing.teams


def may_open(standing: Standing, course: str, assignment: str, owner: str) -> bool:
    """Whether the person may look at the runs that `owner` logged for an assignment."""
    if standing.person != owner:
        return may(standing.roles.get(course), Act.SEE)
    return assignment in standing.assignments.get(course, ())
