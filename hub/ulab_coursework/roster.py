"""A roster file as Excel writes it, read and checked as a whole before anything is done."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ulab_core.i18n import mark
from ulab_core.models import PERSON_NAME, PERSON_NAME_REFUSED, Role
from ulab_coursework.csv_rows import BadFile, BadLine, read_rows

# The English title and the Chinese one that we write come first; all are read.
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "账号", "帐号", "用户名", "学号", "工号", "username", "user name", "account"),
    "display_name": ("display name", "姓名", "显示名", "显示名称", "full name"),
    "college": ("college", "学院", "院系", "school"),
    "role": ("role", "角色", "身份"),
    "course": ("course", "课程", "课程编号", "课程号", "course id"),
}
ROLES: dict[str, Role] = {
    "student": Role.STUDENT,
    "学生": Role.STUDENT,
    "assistant": Role.ASSISTANT,
    "ta": Role.ASSISTANT,
    "助教": Role.ASSISTANT,
    "instructor": Role.INSTRUCTOR,
    "teacher": Role.INSTRUCTOR,
    "教师": Role.INSTRUCTOR,
    "老师": Role.INSTRUCTOR,
}


@dataclass(frozen=True)
class Row:
    """One person in one course; a person in two courses has two rows.

    Attributes
    ----------
    line
        Where the row stands in the file, counted from 1.
    role, course
        None for someone who gets an account and no course.
    """

    line: int
    name: str
    display_name: str
    college: str
    role: Role | None
    course: str | None


class BadRoster(BadFile):
    """A roster that was refused as a whole, with every line that is wrong."""

    said = mark("The roster has mistakes, and nothing was changed.")


def parse_roster(content: bytes, courses: Collection[str]) -> list[Row]:
    """Read a roster.

    Parameters
    ----------
    content
        CSV as `read_rows` takes it, the header in English or Chinese.
    courses
        The ids of the courses there are.

    Raises
    ------
    BadRoster
        Something is wrong anywhere; every bad line is named.
    """
    rows: list[Row] = []
    problems: list[BadLine] = []
    for number, cells in read_rows(content, COLUMNS, BadRoster):
        found = _row(number, cells, courses)
        if isinstance(found, Row):
            rows.append(found)
        else:
            problems.extend(found)
    problems.extend(_contradictions(rows))
    if problems:
        raise BadRoster(problems)
    return rows


def _row(number: int, cells: dict[str, str], courses: Collection[str]) -> Row | list[BadLine]:
    problems = []
    name, course, role = cells["name"].lower(), cells["course"], cells["role"].lower()
    if not name:
        problems.append(BadLine(number, mark("the name is missing.")))
    elif not PERSON_NAME.fullmatch(name):
        problems.append(
            BadLine(
                number,
                PERSON_NAME_REFUSED,
                name=cells["name"],
            )
        )
    if role and role not in ROLES:
        problems.append(
            BadLine(
                number,
                mark(
                    "{role} is no role: write student, assistant or instructor "
                    "(学生, 助教 or 教师)."
                ),
                role=cells["role"],
            )
        )
    if course and course not in courses:
        problems.append(_unknown_course(number, course, courses))
    if course and not role:
        problems.append(BadLine(number, mark("the role in the course is missing.")))
    if role and not course:
        problems.append(BadLine(number, mark("there is a role and no course.")))
    if problems:
        return problems
    return Row(
        line=number,
        name=name,
        display_name=cells["display_name"],
        college=cells["college"],
        role=ROLES[role] if role else None,
        course=course or None,
    )


def _unknown_course(number: int, course: str, courses: Collection[str]) -> BadLine:
    near = difflib.get_close_matches(course.lower(), courses, n=1)
    if near:
        message = mark("there is no course {course}; did you mean {near}?")
        return BadLine(number, message, course=course, near=near[0])
    return BadLine(number, mark("there is no course {course}."), course=course)


def _contradictions(rows: list[Row]) -> Iterator[BadLine]:
    first: dict[str, Row] = {}
    places: dict[tuple[str, str | None], Row] = {}
    for row in rows:
        known = first.setdefault(row.name, row)
        for mine, other in (
            (row.display_name, known.display_name),
            (row.college, known.college),
        ):
            if mine and other and mine != other:
                yield BadLine(
                    row.line,
                    mark("{name} is “{other}” on line {earlier} and “{mine}” here."),
                    name=row.name,
                    other=other,
                    earlier=known.line,
                    mine=mine,
                )
        earlier = places.setdefault((row.name, row.course), row)
        if earlier is row:
            continue
        if earlier.role is not row.role:
            message = mark("{name} has another role in the course {course} on line {earlier}.")
        else:
            message = mark("{name} stands on line {earlier} already.")
        yield BadLine(row.line, message, name=row.name, course=row.course, earlier=earlier.line)
