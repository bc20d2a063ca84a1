"""Which repairs bring MLflow's rights back to what the base wants."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ulab_core.models import Role
from ulab_core.team_models import TeamRole
from ulab_mlflow.drift import (
    COURSE_ROLES,
    TEAM_ROLES,
    AddGrant,
    Assign,
    Demote,
    Held,
    HeldExperiment,
    HeldPerson,
    HeldRole,
    MakeExperiment,
    RemoveGrant,
    RemoveRole,
    Repair,
    RestoreExperiment,
    Unassign,
    forfeited,
    repairs,
)
from ulab_mlflow.tenancy import ROLE_GRANTS, Grant, Membership, Standing

WORKSPACES = {"vision": COURSE_ROLES, "windfarm": TEAM_ROLES}
LIN = Standing("lin", {"vision": Role.STUDENT}, {"vision": ("garments",)})
OWN = Grant("experiment", "7", "EDIT")


def right(role: Role | TeamRole) -> dict[Grant, int]:
    return {grant: number for number, grant in enumerate(ROLE_GRANTS[role], start=900)}


STUDENT = HeldRole(1, "vision", "student", {})
INSTRUCTOR = HeldRole(2, "vision", "instructor", right(Role.INSTRUCTOR))
MEMBER = HeldRole(3, "windfarm", "member", right(TeamRole.MEMBER))
MENTOR = HeldRole(4, "windfarm", "mentor", right(TeamRole.MENTOR))
GIVEN = HeldRole(9, "vision", "__user_5__", {OWN: 50})
EXPERIMENTS = {"vision": {"garments/lin": HeldExperiment("7", False)}}


def made(*grants: Grant, workspace: str = "windfarm") -> HeldRole:
    return HeldRole(8, workspace, "__user_5__", {grant: 80 + n for n, grant in enumerate(grants)})


def found(
    standing: Standing,
    held: Sequence[HeldRole],
    experiments: dict[str, dict[str, HeldExperiment]] | None = None,
    administrator: bool = False,
) -> list[Repair]:
    person = HeldPerson(standing.person, administrator, held)
    there = EXPERIMENTS if experiments is None else experiments
    return repairs(Held([person], list(held), there), {standing.person: standing}, WORKSPACES)


def test_nothing_is_repaired_where_all_is_as_it_should_be() -> None:
    assert found(LIN, [STUDENT, GIVEN]) == []


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ([GIVEN], [Assign("lin", Membership("vision", Role.STUDENT))]),
        ([STUDENT, GIVEN, INSTRUCTOR], [Unassign("lin", 2)]),
        ([STUDENT, GIVEN, MEMBER], [Unassign("lin", 3)]),
        ([STUDENT], [MakeExperiment("vision", "garments", "lin")]),
        ([STUDENT, GIVEN, HeldRole(5, "vision", "mentor", {})], [RemoveRole(5)]),
        ([STUDENT, GIVEN, HeldRole(5, "vision", "boss", {})], [RemoveRole(5)]),
        ([STUDENT, GIVEN, HeldRole(5, "gone-2020", "student", {})], [RemoveRole(5)]),
        ([STUDENT._replace(grants={OWN: 60}), GIVEN], [RemoveGrant(60)]),
        (
            [STUDENT, GIVEN._replace(grants={OWN: 50, Grant("experiment", "8", "READ"): 51})],
            [RemoveGrant(51)],
        ),
        (
            [STUDENT, GIVEN._replace(grants={Grant("experiment", "7", "MANAGE"): 52})],
            [RemoveGrant(52), MakeExperiment("vision", "garments", "lin")],
        ),
        (
            [STUDENT, GIVEN, made(Grant("workspace", "*", "MANAGE"), workspace="default")],
            [RemoveGrant(80)],
        ),
    ],
    ids=[
        "role missing", "role of another", "team of others", "right to log missing",
        "a team's role in a course", "unknown role", "course that is gone", "role with a grant",
        "another's experiment", "manages the own experiment", "manages MLflow's own workspace",
    ],
)  # fmt: skip
def test_a_students_rights(held: list[HeldRole], wanted: list[Repair]) -> None:
    assert found(LIN, held) == wanted


def test_a_missing_experiment_is_made_and_a_deleted_one_restored() -> None:
    make = MakeExperiment("vision", "garments", "lin")
    assert found(LIN, [STUDENT, made()], {}) == [make]
    deleted = {"vision": {"garments/lin": HeldExperiment("7", True)}}
    assert found(LIN, [STUDENT, GIVEN], deleted) == [RestoreExperiment("vision", "7")]


def test_the_grants_of_roles_are_completed_and_cut_back() -> None:
    read, *rest = ROLE_GRANTS[Role.INSTRUCTOR]
    much = Grant("experiment", "*", "MANAGE")
    role = INSTRUCTOR._replace(grants=dict.fromkeys(rest, 70) | {much: 71})
    prof = Standing("prof", {"vision": Role.INSTRUCTOR})
    assert found(prof, [role]) == [AddGrant(2, read), RemoveGrant(71)]


def test_nobody_becomes_mlflows_administrator() -> None:
    assert found(LIN, [STUDENT, GIVEN], administrator=True) == [Demote("lin")]


def test_who_is_no_longer_known_keeps_nothing() -> None:
    gone = Standing("lin")
    taken = found(gone, [STUDENT, GIVEN, MEMBER])
    assert set(taken) == {Unassign("lin", 1), Unassign("lin", 3), RemoveGrant(50)}


MADE = Grant("experiment", "12", "MANAGE")


@pytest.mark.parametrize(
    ("role", "grant", "kept"),
    [
        (TeamRole.OWNER, MADE, True),
        (TeamRole.MEMBER, MADE, True),
        (TeamRole.MEMBER, Grant("registered_model", "net", "MANAGE"), True),
        (TeamRole.MEMBER, Grant("experiment", "*", "MANAGE"), False),
        (TeamRole.MEMBER, Grant("workspace", "*", "MANAGE"), False),
        (TeamRole.MENTOR, MADE, False),
        (None, MADE, False),
    ],
)
def test_makers_keep_what_they_made_while_they_work_in_the_team(
    role: TeamRole | None, grant: Grant, kept: bool
) -> None:
    standing = Standing("lin", teams={} if role is None else {"windfarm": role})
    assert (forfeited(standing, made(grant)) == []) is kept
    repaired = [one for one in found(standing, [made(grant)]) if isinstance(one, RemoveGrant)]
    assert (repaired == []) is kept


def test_leaving_a_course_forfeits_the_right_to_log_there() -> None:
    assert forfeited(LIN, GIVEN) == []
    assert forfeited(Standing("lin"), GIVEN) == [50]
