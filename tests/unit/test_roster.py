"""Rosters: what Excel and people write is understood, and every mistake is named by its line."""

import pytest

from ulab_core.models import Role
from ulab_coursework.roster import BadRoster, Row, parse_roster

COURSES = ["vision-2026", "medicine-2026"]
ENGLISH = "name,display name,college,role,course\n"
CHINESE = "学号,姓名,学院,角色,课程\n"


def refused(text: str) -> list[str]:
    with pytest.raises(BadRoster) as caught:
        parse_roster(text.encode(), COURSES)
    sentences = str(caught.value).splitlines()
    assert sentences[0] == "The roster has mistakes, and nothing was changed."
    return sentences[1:]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_what_excel_writes_is_read(encoding: str, delimiter: str) -> None:
    text = (CHINESE + "s2026001,张伟,计算机学院,学生,vision-2026\r\n").replace(",", delimiter)
    assert parse_roster(text.encode(encoding), COURSES) == [
        Row(2, "s2026001", "张伟", "计算机学院", Role.STUDENT, "vision-2026")
    ]


def test_columns_may_stand_in_any_order_with_others_between() -> None:
    text = "course,Role,remark,College,Display_Name,Name\nvision-2026,教师,x,AI,Li Na,LiNa\n"
    assert parse_roster(text.encode(), COURSES) == [
        Row(2, "lina", "Li Na", "AI", Role.INSTRUCTOR, "vision-2026")
    ]


@pytest.mark.parametrize("role", ["assistant", "TA", "助教"])
def test_an_assistant_is_written_in_three_ways(role: str) -> None:
    [row] = parse_roster((ENGLISH + f"a,A,,{role},vision-2026\n").encode(), COURSES)
    assert row.role is Role.ASSISTANT


def test_one_person_may_be_in_two_courses_or_none() -> None:
    text = ENGLISH + "a,A,,student,vision-2026\na,A,,instructor,medicine-2026\n,,,,\nb,B,,,\n"
    rows = parse_roster(text.encode(), COURSES)
    assert [(row.line, row.name, row.course) for row in rows] == [
        (2, "a", "vision-2026"),
        (3, "a", "medicine-2026"),
        (5, "b", None),
    ]


def test_full_width_characters_count_as_plain_ones() -> None:
    rows = parse_roster((ENGLISH + "２０２６０１２,A,,学生,vision-2026\n").encode(), COURSES)
    assert rows[0].name == "2026012"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",A,,student,vision-2026", "the name is missing."),
        ("张伟,A,,student,vision-2026", "张伟 can't be an account"),
        ("-rf,A,,student,vision-2026", "with a letter or digit first"),
        ("../etc,A,,student,vision-2026", "../etc can't be an account"),
        ("a" * 33 + ",A,,student,vision-2026", "can't be an account"),
        ("a,A,,boss,vision-2026", "boss is no role"),
        ("a,A,,,vision-2026", "the role in the course is missing."),
        ("a,A,,student,", "there is a role and no course."),
        ("a,A,,student,vision-2025", "there is no course vision-2025; did you mean vision-2026?"),
        ("a,A,,student,robots", "there is no course robots."),
        ("a,A,,student", "there is a role and no course."),
    ],
)
def test_a_bad_line_is_named(line: str, said: str) -> None:
    (sentence,) = refused(ENGLISH + "ok,O,,student,vision-2026\n" + line + "\n")
    assert sentence.startswith("Line 3: ")
    assert said in sentence


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("a,A,AI,student,vision-2026", "a stands on line 2 already."),
        ("a,A,AI,instructor,vision-2026", "a has another role in the course vision-2026 on line 2"),
        ("a,B,AI,student,medicine-2026", "a is “A” on line 2 and “B” here."),
        ("a,A,Math,student,medicine-2026", "a is “AI” on line 2 and “Math” here."),
    ],
)
def test_lines_that_contradict_each_other_are_named(second: str, said: str) -> None:
    (sentence,) = refused(ENGLISH + "a,A,AI,student,vision-2026\n" + second + "\n")
    assert sentence == "Line 3: " + said + ("." if not said.endswith(".") else "")


def test_every_bad_line_is_named_at_once() -> None:
    text = ENGLISH + "?,A,,student,vision-2026\nok,O,,student,vision-2026\nb,B,,boss,nowhere\n"
    assert [sentence[:7] for sentence in refused(text)] == ["Line 2:", "Line 4:", "Line 4:"]


def test_missing_and_doubled_columns_are_named() -> None:
    sentences = refused("学号,姓名,学院,姓名\n")
    assert sentences[0] == "Line 1: the column “姓名” is there twice."
    assert [s for s in sentences if "“role” (“角色”)" in s], "the title that every page writes"
    assert [s for s in sentences if "“course”" in s]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\x00\x01\x02\xff", "not a text file"),
        (b'name,"role\n', "missing from the header"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(BadRoster, match=said):
        parse_roster(content, COURSES)
