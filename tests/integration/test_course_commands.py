"""`ulab course policy|extend|regrade|groups` on a base: what they say, change and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from integration.coursework_support import COURSE, LAB, Base, answer, grade_all, hand_in, newest
from typer.testing import CliRunner

from ulab_core.errors import UserError
from ulab_core.models import Counts, LateRule
from ulab_coursework.courses import find_assignment
from ulab_deploy.cli import build

HERE = (COURSE, LAB)


def ulab(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["--language", "en", "course", *arguments])


def said(*arguments: str) -> Any:
    shown = ulab(*arguments, "--json")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.output)


def refusal(*arguments: str) -> str:
    shown = ulab(*arguments)
    assert shown.exit_code != 0
    return str(shown.exception) if isinstance(shown.exception, UserError) else shown.output


def test_an_assistant_is_put_in_counted_and_made_something_else(base: Base) -> None:
    assert said("enrol", COURSE, "dave", "--role", "assistant")["role"] == "assistant"
    assert (
        "dave is now assistant of sums-2026"
        in ulab("enrol", COURSE, "dave", "--role", "assistant").output
    )
    [course] = said("list")
    assert (course["students"], course["assistants"], course["instructors"]) == (2, 1, 1)
    assert "students: 2, assistants: 1, instructors: 1" in ulab("list").output
    assert "write student, assistant or instructor" in refusal(
        "enrol", COURSE, "dave", "--role", "ta"
    )
    said("enrol", COURSE, "dave", "--role", "student")
    assert said("list")[0]["assistants"] == 0


def test_policy_sets_what_is_named_and_keeps_the_rest(base: Base) -> None:
    ulab("policy", *HERE, "--late", "step", "--amount", "10", "--attempts", "3")
    options = ("--counts", "best", "--attempts", "none", "--group-size", "3", "--own-groups")
    shown = said("policy", *HERE, *options)
    assert (shown["late_rule"], shown["late_amount"], shown["attempts"]) == ("step", 10, None)
    assert (shown["group_size"], shown["own_groups"]) == (3, True)
    with base.db.read() as session:
        found = find_assignment(session, COURSE, LAB)
    assert (found.late_rule, found.counts) == (LateRule.STEP, Counts.BEST)
    shown = said("policy", *HERE, "--due", "2026-09-01T23:59")
    assert shown["due_at"].startswith("2026-09-01T23:59:00")
    assert "group_size: 3" in ulab("policy", *HERE).output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--due", "soon"), "is no moment"),
        (("--attempts", "many"), "is no number"),
        (("--late", "never"), "Choose from"),
        (("--group-size", "1"), "at least 2 members"),
        (("--cap", "200"), "percent"),
    ],
)
def test_a_policy_that_makes_no_sense_changes_nothing(
    base: Base, options: tuple[str, str], sentence: str
) -> None:
    before = said("policy", *HERE)
    assert sentence in refusal("policy", *HERE, *options)
    assert said("policy", *HERE) == before


def test_extend_gives_time_and_takes_it_back(base: Base) -> None:
    ulab("policy", *HERE, "--due", "2026-01-01T00:00", "--late", "step", "--amount", "100")
    hand_in(base, answer())
    grade_all(base)
    assert newest(base).score == 0
    until = "2999-01-01T00:00"
    assert said("extend", *HERE, until, "alice", "--reason", "ill")["people"] == ["alice"]
    assert newest(base).score == 5
    assert ulab("extend", *HERE, "none", "alice").exit_code == 0
    assert newest(base).score == 0
    assert "no student" in refusal("extend", *HERE, until, "bob", "carol")


def test_an_extension_that_gives_no_time_is_refused_and_takes_none_back(base: Base) -> None:
    assert "no deadline" in refusal("extend", *HERE, "2999-01-01T00:00", "alice")
    ulab("policy", *HERE, "--due", "2026-01-02T00:00", "--late", "step", "--amount", "100")
    hand_in(base, answer())
    grade_all(base)
    ulab("extend", *HERE, "2999-01-01T00:00", "alice")
    assert "not later" in refusal("extend", *HERE, "2026-01-01T00:00", "alice")
    assert "Say until when" in refusal("extend", *HERE, "", "alice")
    assert newest(base).score == 5


def test_what_there_is_not_and_what_cannot_be_written_is_said(base: Base, tmp_path: Path) -> None:
    assert "There is no course nowhere." in refusal("policy", "nowhere", LAB)
    assert "has no assignment nothing" in refusal("policy", COURSE, "nothing")
    file = str(tmp_path / "no folder" / "table.csv")
    for options in (("groups", *HERE, "--export", file), ("regrade", *HERE, "--csv", file)):
        assert "can't be written" in refusal(*options)


def test_regrade_queues_a_class_and_reports(base: Base, tmp_path: Path) -> None:
    hand_in(base, answer())
    grade_all(base)
    assert "not been graded again yet" in ulab("regrade", *HERE, "--report").output
    assert said("regrade", *HERE)["queued"] == 1
    assert "alice: 5 → waiting" in ulab("regrade", *HERE, "--report").output
    grade_all(base)
    assert "No score moved." in ulab("regrade", *HERE, "--report").output
    table = tmp_path / "moved.csv"
    assert said("regrade", *HERE, "--csv", str(table)) == []
    assert table.read_text(encoding="utf-8-sig").startswith("Account,Score before")


def test_groups_are_imported_listed_and_exported(base: Base, tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    file.write_text("name,group\nalice,Team\nbob,Team\n")
    assert "greatest group size" in refusal("groups", *HERE, "--import", str(file))
    ulab("policy", *HERE, "--group-size", "2")
    assert "Students moved: 2" in ulab("groups", *HERE, "--import", str(file)).output
    [group] = said("groups", *HERE)
    assert (group["group"], group["members"]) == ("Team", ["alice", "bob"])
    assert "Team" in ulab("groups", *HERE).output
    exported = tmp_path / "exported.csv"
    assert ulab("groups", *HERE, "--export", str(exported)).exit_code == 0
    assert exported.read_text(encoding="utf-8-sig").splitlines()[1:] == [
        "alice,Team,Alice",
        "bob,Team,Bob",
    ]
    assert said("groups", *HERE, "--import", str(exported)) == []


def test_a_bad_row_is_named_and_nothing_changes(base: Base, tmp_path: Path) -> None:
    ulab("policy", *HERE, "--group-size", "2")
    file = tmp_path / "groups.csv"
    file.write_text("name,group\nalice,Team\ncarol,Team\n")
    assert "Line 3: carol is no student" in refusal("groups", *HERE, "--import", str(file))
    assert said("groups", *HERE) == []
    assert "There are no groups." in ulab("groups", *HERE).output
