"""What people do with grades: by hand, released, read, as a table."""

import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    Base,
    answer,
    grade_all,
    grades,
    hand_in,
    newest,
)
from integration.sandbox_support import only_root
from nbgrader.api import Gradebook

from ulab_core.errors import NotAllowed, NotFound
from ulab_coursework import releases
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courses import find_person
from ulab_coursework.feedback import NotReleased, feedback_html, release_feedback
from ulab_coursework.gradebook import class_scores, score_of, to_csv
from ulab_coursework.regrading import grade_again


def test_a_regrade_keeps_what_a_person_graded(base: Base) -> None:
    hand_in(base, answer("return 0"))
    grade_all(base)
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as gradebook:
        grade = gradebook.find_grade("sums-visible", LAB, LAB, "alice")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = gradebook.find_comment("sums-solution", LAB, LAB, "alice")
        comment.manual_comment = "nearly there <script>"
        gradebook.db.commit()
    assert grade_again(base.db, COURSE, LAB, "carol") == 1
    grade_all(base)
    assert grades(base)["sums-visible"] == (0, 1.5, False)

    assert release_feedback(base.db, base.layout, COURSE, LAB, "carol") == 1
    page = feedback_html(base.db, base.layout, newest(base).id, "alice")
    assert "nearly there &lt;script&gt;" in page
    assert "1.5 / 5" in page
    with base.db.read() as session:
        points = score_of(base.layout, session, COURSE, "alice", LAB)
    assert points is not None
    assert points.points == 1.5


def test_feedback_waits_for_its_release_and_is_for_its_owner_alone(base: Base) -> None:
    releases.publish_assignment(base.db, base.layout, COURSE, LAB, None, "on_release", "carol")
    receipt = hand_in(base, answer())
    with pytest.raises(NotReleased, match="not been graded"):
        feedback_html(base.db, base.layout, receipt.id, "alice")
    grade_all(base)
    found = newest(base)
    assert (found.withheld, found.score, found.feedback) == (True, None, False)
    with pytest.raises(NotReleased, match="not released"):
        feedback_html(base.db, base.layout, receipt.id, "alice")
    assert feedback_html(base.db, base.layout, receipt.id, "carol")
    with pytest.raises(NotAllowed):
        release_feedback(base.db, base.layout, COURSE, LAB, "alice")
    release_feedback(base.db, base.layout, COURSE, LAB, "carol")
    assert newest(base).score == 5
    assert feedback_html(base.db, base.layout, receipt.id, "alice")
    for other in ("bob", "dave"):
        with pytest.raises(NotFound):
            feedback_html(base.db, base.layout, receipt.id, other)


def test_a_table_for_a_spreadsheet_holds_no_formulas(base: Base) -> None:
    with base.db.write() as session:
        find_person(session, "bob").display_name = '=HYPERLINK("http://evil")'
    with base.db.read() as session:
        table = to_csv(class_scores(base.layout, session, COURSE), "zh")
    assert table.startswith("\ufeff账号,姓名,学院")
    assert "'=HYPERLINK" in table


def test_whoever_handed_in_nothing_has_no_total(base: Base) -> None:
    hand_in(base, answer("return nothing"))
    grade_all(base)
    with base.db.read() as session:
        table = to_csv(class_scores(base.layout, session, COURSE), "en")
    assert "alice,Alice,,0,,0\r\n" in table
    assert "bob,Bob,,,,\r\n" in table


def test_a_page_is_written_when_it_is_first_read_and_not_by_grading(base: Base) -> None:
    receipt = hand_in(base, answer("return 0"))
    grade_all(base)
    page = base.layout.feedback_file(receipt.id)
    assert not page.exists()
    html = feedback_html(base.db, base.layout, receipt.id, "alice")
    assert "add(1, 2) must be 3" in html
    assert page.read_text() == html


@only_root
def test_a_course_as_root_belongs_to_its_group(base: Base) -> None:
    hand_in(base, answer())
    grade_all(base)
    for path in base.layout.course(COURSE).rglob("*"):
        assert path.stat().st_gid == base.settings.accounts.uid_base * 2 + 1, path
        assert path.stat().st_mode & 0o060 == 0o060, path
        assert not path.stat().st_mode & 0o007, path
