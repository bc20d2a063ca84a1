"""What each role may do in a course."""

from __future__ import annotations

import pytest

from ulab_core.models import Role
from ulab_core.rights import ALLOWED, Act, may, may_publish_curricula

TABLE = {
    Act.SEE: (False, True, True),
    Act.COMPARE: (False, True, True),
    Act.GRADE: (False, True, True),
    Act.REGRADE: (False, False, True),
    Act.RELEASE: (False, False, True),
    Act.PUBLISH: (False, False, True),
    Act.POLICY: (False, False, True),
    Act.GROUPS: (False, False, True),
    Act.MOVE: (False, False, True),
    Act.PEOPLE: (False, False, True),
}


@pytest.mark.parametrize("act", Act)
def test_who_may_what(act: Act) -> None:
    roles = (Role.STUDENT, Role.ASSISTANT, Role.INSTRUCTOR)
    assert tuple(may(role, act) for role in roles) == TABLE[act]
    assert not may(None, act)


def test_every_role_is_decided() -> None:
    assert set(ALLOWED) == set(Role)


@pytest.mark.parametrize(
    ("administers", "roles", "may_publish"),
    [
        (False, [], False),
        (False, [Role.STUDENT], False),
        (False, [Role.STUDENT, Role.ASSISTANT], False),
        (False, [Role.INSTRUCTOR], True),
        (False, [Role.STUDENT, Role.INSTRUCTOR], True),
        (True, [], True),
        (True, [Role.STUDENT], True),
    ],
)
def test_who_publishes_curricula(administers: bool, roles: list[Role], may_publish: bool) -> None:
    assert may_publish_curricula(administers, roles) is may_publish
