"""Links to a team's runs and models: who makes, withdraws and follows them, as tables."""

from __future__ import annotations

import itertools

import pytest

from ulab_core.team_models import TeamRole
from ulab_teams.shares import Reading, may_share, may_withdraw, reading

OWNER, MEMBER, MENTOR = TeamRole.OWNER, TeamRole.MEMBER, TeamRole.MENTOR


@pytest.mark.parametrize(
    ("role", "shares", "withdraws_own", "withdraws_others"),
    [
        (OWNER, True, True, True),
        (MEMBER, True, True, False),
        (MENTOR, False, False, False),
        (None, False, False, False),
    ],
)
def test_who_shares_and_withdraws(
    role: TeamRole | None, shares: bool, withdraws_own: bool, withdraws_others: bool
) -> None:
    assert may_share(role) is shares
    assert may_withdraw(role, made_it=True) is withdraws_own
    assert may_withdraw(role, made_it=False) is withdraws_others


@pytest.mark.parametrize(
    ("audience", "reader_teams", "shown"),
    [
        (None, (), True),
        (None, ("other",), True),
        ("grid", (), False),
        ("grid", ("other",), False),
        ("grid", ("grid",), True),
        ("grid", ("other", "grid"), True),
        ("grid", ("windfarm",), True),
    ],
)
def test_who_is_shown_what(
    audience: str | None, reader_teams: tuple[str, ...], shown: bool
) -> None:
    for withdrawn, sharer in itertools.product((False, True), (OWNER, MEMBER, MENTOR, None)):
        found = reading(
            team="windfarm",
            audience=audience,
            withdrawn=withdrawn,
            sharer=sharer,
            reader_teams=reader_teams,
        )
        if withdrawn or not shown:
            expected = Reading.NOTHING
        else:
            expected = Reading.SHOWN if sharer in (OWNER, MEMBER) else Reading.LAPSED
        assert found is expected
