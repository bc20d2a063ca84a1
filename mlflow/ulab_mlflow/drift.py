"""Where MLflow's rights differ from what the base wants, and what repairs that: decisions alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ulab_core.models import Role
from ulab_core.team_models import TeamRole
from ulab_mlflow.tenancy import (
    OWN_EXPERIMENT_PERMISSION,
    ROLE_GRANTS,
    ROLES,
    Grant,
    Membership,
    Standing,
    changes,
    experiment_name,
)

COURSE_ROLES = frozenset(role.value for role in Role)
TEAM_ROLES = frozenset(role.value for role in TeamRole)
_WORKERS = frozenset({TeamRole.OWNER, TeamRole.MEMBER})
# What MLflow itself gives whoever makes something in a team.
_MADE_IN_TEAMS = frozenset({"experiment", "registered_model"})


class HeldRole(NamedTuple):
    """A role as MLflow has it; what a person was given by name is a role of their own."""

    id: int
    workspace: str
    name: str
    grants: Mapping[Grant, int]
    """Grant to its id."""

    @classmethod
    def said(cls, answer: Mapping[str, Any]) -> HeldRole:
        """From what MLflow says of it."""
        grants = {
            Grant(one["resource_type"], one["resource_pattern"], one["permission"]): int(one["id"])
            for one in answer["permissions"]
        }
        return cls(int(answer["id"]), answer["workspace"], answer["name"], grants)

    @property
    def personal(self) -> bool:
        return self.name.startswith("__user_")

    @property
    def membership(self) -> Membership:
        return Membership(self.workspace, ROLES[self.name])


class HeldExperiment(NamedTuple):
    id: str
    deleted: bool


@dataclass(frozen=True)
class HeldPerson:
    """An account of MLflow's."""

    name: str
    administrator: bool
    roles: Collection[HeldRole]


@dataclass(frozen=True)
class Held:
    """All that MLflow holds about who may do what."""

    people: Collection[HeldPerson] = ()
    roles: Collection[HeldRole] = ()
    experiments: Mapping[str, Mapping[str, HeldExperiment]] = field(default_factory=dict)
    """Course to the names of its experiments."""


class Demote(NamedTuple):
    """Someone is MLflow's administrator who may not be."""

    person: str


class Assign(NamedTuple):
    person: str
    membership: Membership


class Unassign(NamedTuple):
    person: str
    role_id: int


class RemoveRole(NamedTuple):
    role_id: int


class AddGrant(NamedTuple):
    role_id: int
    grant: Grant


class RemoveGrant(NamedTuple):
    grant_id: int


class MakeExperiment(NamedTuple):
    """An own experiment, or the right to log to it, is missing."""

    course: str
    assignment: str
    person: str


class RestoreExperiment(NamedTuple):
    course: str
    experiment_id: str


Repair = (
    Demote
    | Assign
    | Unassign
    | RemoveRole
    | AddGrant
    | RemoveGrant
    | MakeExperiment
    | RestoreExperiment
)


def repairs(
    held: Held, standings: Mapping[str, Standing], workspaces: Mapping[str, Collection[str]]
) -> list[Repair]:
    """What turns the rights held into those wanted; empty when nothing has drifted.

    Parameters
    ----------
    standings
        By person, of everyone with an account; who no longer exists has no role anywhere.
    workspaces
        The courses and teams to the names of the roles that there are in each.
    """
    found: list[Repair] = []
    for role in held.roles:
        found += _of_role(role, workspaces)
    for person in held.people:
        standing = standings[person.name]
        if person.administrator:
            found.append(Demote(person.name))
        found += _of_memberships(person, standing, workspaces)
        found += _of_gifts(person, standing, held.experiments)
        found += _of_experiments(person, standing, held.experiments)
    return found


def _is_ours(role: HeldRole, workspaces: Mapping[str, Collection[str]]) -> bool:
    return role.name in workspaces.get(role.workspace, ())


def _of_role(role: HeldRole, workspaces: Mapping[str, Collection[str]]) -> Iterator[Repair]:
    if role.personal:
        return
    if not _is_ours(role, workspaces):
        yield RemoveRole(role.id)
        return
    wanted = frozenset(ROLE_GRANTS[ROLES[role.name]])
    for grant in wanted - role.grants.keys():
        yield AddGrant(role.id, grant)
    for grant in role.grants.keys() - wanted:
        yield RemoveGrant(role.grants[grant])


def _of_memberships(
    person: HeldPerson, standing: Standing, workspaces: Mapping[str, Collection[str]]
) -> Iterator[Repair]:
    ids = {role.membership: role.id for role in person.roles if _is_ours(role, workspaces)}
    assign, unassign = changes(standing.memberships, ids)
    for membership in assign:
        yield Assign(person.name, membership)
    for membership in unassign:
        yield Unassign(person.name, ids[membership])


def _of_gifts(
    person: HeldPerson,
    standing: Standing,
    experiments: Mapping[str, Mapping[str, HeldExperiment]],
) -> Iterator[Repair]:
    """Rights that were given to the person alone."""
    for role in person.roles:
        if not role.personal:
            continue
        own = {
            Grant("experiment", kept.id, OWN_EXPERIMENT_PERMISSION)
            for name, kept in experiments.get(role.workspace, {}).items()
            if role.workspace in standing.roles and name.rpartition("/")[2] == person.name
        }
        for grant, grant_id in role.grants.items():
            if grant not in own and not _made(standing, role.workspace, grant):
                yield RemoveGrant(grant_id)


def forfeited(standing: Standing, role: HeldRole) -> list[int]:
    """The ids of what a person was given alone and loses by leaving, or by only looking on."""
    if not role.personal or role.workspace in standing.roles:
        return []
    return [
        grant_id
        for grant, grant_id in role.grants.items()
        if not _made(standing, role.workspace, grant)
    ]


def _made(standing: Standing, workspace: str, grant: Grant) -> bool:
    """Whether this may be what MLflow gave someone for having made something in a team."""
    return (
        standing.teams.get(workspace) in _WORKERS
        and grant.resource_type in _MADE_IN_TEAMS
        and grant.resource_pattern != "*"
    )


def _of_experiments(
    person: HeldPerson,
    standing: Standing,
    experiments: Mapping[str, Mapping[str, HeldExperiment]],
) -> Iterator[Repair]:
    given = {
        (role.workspace, grant) for role in person.roles if role.personal for grant in role.grants
    }
    for course, assignments in standing.assignments.items():
        if standing.roles[course] is not Role.STUDENT:
            continue
        for assignment in assignments:
            kept = experiments.get(course, {}).get(experiment_name(assignment, person.name))
            if kept is not None and kept.deleted:
                yield RestoreExperiment(course, kept.id)
            wanted = kept and Grant("experiment", kept.id, OWN_EXPERIMENT_PERMISSION)
            if kept is None or (course, wanted) not in given:
                yield MakeExperiment(course, assignment, person.name)
