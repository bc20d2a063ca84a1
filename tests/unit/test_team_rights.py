"""Who may do what in a team, as tables, and when a running server may do too much."""

from __future__ import annotations

import pytest

from ulab_core.team_models import TeamRole
from ulab_hub.rights_watch import Folders, lost_right
from ulab_teams.rights import Act, Standing

SEE, READ, WRITE, MANAGE = Act.SEE, Act.READ, Act.WRITE, Act.MANAGE
DESCRIBE, ANSWER, LEAVE, EXPORT = Act.DESCRIBE, Act.ANSWER, Act.LEAVE, Act.EXPORT


@pytest.mark.parametrize(
    ("standing", "allowed"),
    [
        (Standing(), set()),
        (Standing(TeamRole.OWNER), {SEE, READ, WRITE, MANAGE, DESCRIBE, EXPORT, LEAVE}),
        (Standing(TeamRole.MEMBER), {SEE, READ, WRITE, LEAVE}),
        (Standing(TeamRole.MENTOR), {SEE, READ, LEAVE}),
        (Standing(invited=TeamRole.OWNER), {SEE, ANSWER}),
        (Standing(invited=TeamRole.MENTOR), {SEE, ANSWER}),
        (Standing(administers=True), {SEE, MANAGE}),
        (Standing(TeamRole.MENTOR, administers=True), {SEE, READ, MANAGE, LEAVE}),
        (Standing(invited=TeamRole.MEMBER, administers=True), {SEE, MANAGE, ANSWER}),
    ],
)
def test_what_a_standing_lets_one_do(standing: Standing, allowed: set[Act]) -> None:
    assert {act for act in Act if standing.may(act)} == allowed


@pytest.mark.parametrize(
    ("had", "has", "lost"),
    [
        ({}, {}, None),
        ({"a": True}, {"a": True}, None),
        ({"a": True, "b": False}, {"a": True, "b": True}, None),
        ({"a": True}, {"a": True, "b": True}, None),
        ({"a": True}, {"a": False}, "a"),
        ({"a": True, "b": True}, {"a": True}, "b"),
        ({"a": False}, {}, "a"),
        ({"a": False}, {"a": False}, None),
    ],
)
def test_what_ends_a_running_server(
    had: dict[str, bool], has: dict[str, bool], lost: str | None
) -> None:
    found = lost_right(Folders(had), Folders(has))
    assert (found.values["team"] if found else None) == lost


@pytest.mark.parametrize(
    ("has", "lost"), [({"vision"}, None), ({"vision", "energy"}, None), ({"energy"}, "vision")]
)
def test_what_ends_a_grading_server(has: set[str], lost: str | None) -> None:
    found = lost_right(Folders(courses=("vision",)), Folders(courses=has))
    assert (found.values["course"] if found else None) == lost
