"""Who may form, join and leave a group, and what a file of groups changes: pure decisions."""

from __future__ import annotations

import secrets
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ulab_core.i18n import mark
from ulab_coursework.csv_rows import BadFile, BadLine, read_rows

LONGEST_NAME = 40
# None that is read as another one: no 0, O, 1, I, L.
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 6
COLUMNS = {
    "name": ("name", "账号", "帐号", "用户名", "学号", "username", "user name", "account"),
    "group": ("group", "小组", "组", "组名", "group name"),
}


class Refused(StrEnum):
    """Why a student can't change groups now."""

    NOT_OFFERED = "not_offered"
    """The assignment has no groups, or the instructor forms them."""
    CLOSED = "closed"
    """Nothing is taken from this student any more."""
    IN_ONE = "in_one"
    IN_NONE = "in_none"
    HANDED_IN_ALONE = "handed_in_alone"
    GROUP_HANDED_IN = "group_handed_in"
    FULL = "full"


@dataclass(frozen=True)
class Situation:
    """What decides whether a student may change groups.

    Attributes
    ----------
    size
        The greatest group size; None where everyone works alone.
    offered
        Whether students form their groups themselves.
    open
        Whether something is still taken from this student as they are now.
    grouped
        Whether the student is in a group.
    handed_in_alone
        Whether they handed something in on their own.
    members, handed_in
        How many are in the group that they mean to join or leave, and whether it handed in.
    """

    size: int | None
    offered: bool
    open: bool = True
    grouped: bool = False
    handed_in_alone: bool = False
    members: int = 0
    handed_in: bool = False


def why_not_join(now: Situation) -> Refused | None:
    """Why a student can't join a group, or make one (it has no members yet); None if they can.

    Whoever handed in alone would have fresh attempts in a group, and whoever joins a group that
    handed in would be given its score: both are for the instructor to decide.
    """
    if now.size is None or not now.offered:
        return Refused.NOT_OFFERED
    if not now.open:
        return Refused.CLOSED
    if now.grouped:
        return Refused.IN_ONE
    if now.handed_in_alone:
        return Refused.HANDED_IN_ALONE
    if now.handed_in:
        return Refused.GROUP_HANDED_IN
    return Refused.FULL if now.members >= now.size else None


def why_not_leave(now: Situation) -> Refused | None:
    """Why a student can't leave their group; None if they can."""
    if now.size is None or not now.offered:
        return Refused.NOT_OFFERED
    if not now.grouped:
        return Refused.IN_NONE
    if now.handed_in:
        return Refused.GROUP_HANDED_IN
    return None if now.open else Refused.CLOSED


def new_code(taken: Collection[str]) -> str:
    """A short code to join with that no other group has."""
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if code not in taken:
            return code


def clean_name(name: str) -> str:
    """A group's name with plain spaces; empty if it can't be one.

    Examples
    --------
    >>> clean_name("  第 1   组 ")
    '第 1 组'
    """
    found = " ".join(unicodedata.normalize("NFKC", name).split())
    return found if len(found) <= LONGEST_NAME and found.isprintable() else ""


@dataclass(frozen=True)
class Placed:
    """One row of a file: a student and the group they are to be in; empty for none."""

    line: int
    name: str
    group: str


@dataclass(frozen=True)
class Move:
    """A student who changes groups; empty for none."""

    person: str
    before: str
    after: str


def parse_groups(content: bytes) -> list[Placed]:
    """Read a file of groups, as `ulab course groups --export` writes it.

    Raises
    ------
    BadFile
        It is no such file.
    """
    return [
        Placed(number, cells["name"].removeprefix("'").lower(), cells["group"].removeprefix("'"))
        for number, cells in read_rows(content, COLUMNS)
    ]


def plan(rows: Sequence[Placed], groups: Mapping[str, str], size: int) -> list[Move]:
    """What has to change so that everyone in `rows` is where it says; nobody else moves.

    Parameters
    ----------
    groups
        By the name of each student of the course, the group they are in; empty for none.

    Raises
    ------
    BadFile
        With every bad line: no student of the course, twice in the file, a name that can't be a
        group's, a group that would be too large.
    """
    problems: list[BadLine] = []
    first: dict[str, int] = {}
    after = dict(groups)
    for row in rows:
        problem = _problem(row, groups, first)
        if problem is not None:
            problems.append(problem)
            continue
        first[row.name] = row.line
        after[row.name] = clean_name(row.group)
    good = [row for row in rows if first.get(row.name) == row.line]
    problems += _too_large(good, groups, after, size)
    if problems:
        raise BadFile(problems)
    return [
        Move(name, before, after[name]) for name, before in groups.items() if after[name] != before
    ]


def _problem(row: Placed, groups: Mapping[str, str], first: Mapping[str, int]) -> BadLine | None:
    if not row.name:
        return BadLine(row.line, mark("the name is missing."))
    if row.name not in groups:
        return BadLine(row.line, mark("{name} is no student of this course."), name=row.name)
    if row.name in first:
        message = mark("{name} stands on line {earlier} already.")
        return BadLine(row.line, message, name=row.name, earlier=first[row.name])
    if row.group and not clean_name(row.group):
        message = mark("a group's name has {most} characters at most.")
        return BadLine(row.line, message, most=LONGEST_NAME)
    return None


def _too_large(
    rows: Sequence[Placed], before: Mapping[str, str], after: Mapping[str, str], size: int
) -> list[BadLine]:
    """The last row of each group that grows beyond the size; a large one may stay or shrink."""
    had, has = Counter(before.values()), Counter(after.values())
    last = {clean_name(row.group): row for row in rows}
    return [
        BadLine(
            last[group].line,
            mark("the group {group} would have {members} members; {size} is the most."),
            group=group,
            members=members,
            size=size,
        )
        for group, members in has.items()
        if group and members > size and members > had[group] and group in last
    ]
