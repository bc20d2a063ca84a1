"""A roster's rows in a real database: what changes, what stays, and how little is asked."""

from __future__ import annotations

from integration.coursework_support import COURSE, Base, counted_queries

from ulab_core.models import Role
from ulab_coursework.courses import find_person, people_of, role_in
from ulab_coursework.roster import Row
from ulab_coursework.roster_rows import Applied, apply_rows


def row(name: str, shown: str = "", college: str = "", role: Role | None = Role.STUDENT) -> Row:
    return Row(2, name, shown, college, role, COURSE if role else None)


def test_what_a_roster_says_is_so_and_saying_it_again_changes_nothing(base: Base) -> None:
    rows = [
        row("alice", "爱丽丝", "AI"),
        row("eve", "Eve", role=None),
        row("bob", role=Role.INSTRUCTOR),
    ]
    with base.db.write() as session:
        first = apply_rows(session, rows, "test")
        again = apply_rows(session, rows, "test")
    assert (first.people_added, first.people_changed) == (["eve"], ["alice"])
    assert first.enrolled == [("bob", COURSE, "instructor")]
    assert again == Applied()
    with base.db.read() as session:
        assert find_person(session, "alice").display_name == "爱丽丝"
        assert role_in(session, COURSE, "bob") is Role.INSTRUCTOR
        assert role_in(session, COURSE, "eve") is None


def test_who_is_known_may_keep_their_details(base: Base) -> None:
    with base.db.write() as session:
        apply_rows(session, [row("dave", "Other"), row("eve", "Eve")], "test", keep_details=True)
        assert find_person(session, "dave").display_name == "Dave"
        assert find_person(session, "eve").display_name == "Eve"
        assert role_in(session, COURSE, "dave") is Role.STUDENT


def test_a_large_roster_asks_no_more_than_a_small_one(base: Base) -> None:
    taken = []
    for number in (2, 300):
        rows = [row(f"s{number}-{one}") for one in range(number)]
        with base.db.write() as session, counted_queries(base.db) as statements:
            apply_rows(session, rows, "test")
        taken.append(sum(one.startswith("SELECT") for one in statements))
        with base.db.read() as session:
            assert {one.name for one in rows} <= {one.name for one in people_of(session, COURSE)}
    assert taken[0] == taken[1]
