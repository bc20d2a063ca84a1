"""Each question of a feedback page in words, decided from verdicts and points alone."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from integration.coursework_support import HIDDEN_LINE, LAB, release_notebook, source_notebook

from ulab_core.layout import Layout
from ulab_coursework.feedbackpage import comment_html, render_feedback
from ulab_coursework.graded import (
    Mark,
    Marks,
    Remarks,
    keep_marks,
    keep_page,
    kept_page,
    load_marks,
    load_verdicts,
    marks_time,
    store_verdicts,
)
from ulab_coursework.outputs import hidden_lines
from ulab_coursework.questions import QUOTES, Question, questions, words_of_test
from ulab_runtime.judge.verdicts import Kind, Verdict, points

VISIBLE = "sums-visible"


def told(verdict: Verdict, mark: Mark, remarks: Remarks | None = None) -> Question:
    release = json.loads(nbformat.writes(release_notebook(LAB)))
    marks = Marks({VISIBLE: mark}, remarks=remarks or Remarks())
    hidden = hidden_lines([source_notebook(LAB).cells[-1].source])
    return questions(release, [verdict], marks, hidden, "en")[0]


@pytest.mark.parametrize(
    ("kind", "mark", "word", "style"),
    [
        (Kind.PASSED, Mark(2, 2), "passed", "good"),
        (Kind.PARTIAL, Mark(1, 2), "partly right", "part"),
        (Kind.FAILED, Mark(0, 2), "not passed", "bad"),
        (Kind.TIMED_OUT, Mark(0, 2), "ran too long", "bad"),
        (Kind.OUT_OF_MEMORY, Mark(0, 2), "needed too much memory", "bad"),
        (Kind.DIED, Mark(0, 2), "ended before its time", "bad"),
        (Kind.NOT_RUN, Mark(0, 2), "not run", "bad"),
        (Kind.UNDECIDED, Mark(None, 2), "waits for your instructor", "wait"),
        (Kind.UNDECIDED, Mark(2, 2, by_hand=True), "graded by your instructor", "good"),
        (Kind.FAILED, Mark(1, 2, by_hand=True), "graded by your instructor", "part"),
    ],
)
def test_a_verdict_is_told_in_words(kind: Kind, mark: Mark, word: str, style: str) -> None:
    found = told(Verdict(VISIBLE, kind), mark)
    assert (found.title, found.word, found.style) == ("求和 (1)", word, style)


@pytest.mark.parametrize(
    ("kind", "reason", "shown"),
    [
        (Kind.FAILED, "AssertionError: add(1, 2) must be 3", "add(1, 2) must be 3"),
        (Kind.FAILED, "TypeError: no", "TypeError: no"),
        (Kind.FAILED, "AssertionError", "A check did not hold; the test says no more about it."),
        (Kind.FAILED, f"\x1b[31m{HIDDEN_LINE}", QUOTES),
        (Kind.UNDECIDED, "mark the helper with @ulab.at_student", ""),
    ],
)  # fmt: skip
def test_the_reason_is_its_authors_and_no_hidden_test(kind: Kind, reason: str, shown: str) -> None:
    assert told(Verdict(VISIBLE, kind, reason=reason), Mark(0, 2)).reason == shown


def test_a_traceback_shows_the_students_lines_and_no_hidden_test() -> None:
    lines = ("  return a - b\n", f"  {HIDDEN_LINE}\n", "\x1b[31mTypeError: no")
    found = told(Verdict(VISIBLE, Kind.FAILED, student_traceback=lines), Mark(0, 2))
    assert found.traceback == "  return a - b\nTypeError: no"
    flood = ("x" * 10_000,) * 1000
    found = told(Verdict(VISIBLE, Kind.FAILED, student_traceback=flood), Mark(0, 2))
    assert len(found.traceback) < 10_000


def test_warnings_about_an_answer_stand_at_its_question() -> None:
    remarks = Remarks(missing=(VISIBLE,), duplicated=("sums-solution",), moved=("sums-hidden",))
    found = told(Verdict(VISIBLE, Kind.PASSED), Mark(2, 2), remarks)
    assert found.warnings == (
        "The cell 求和 (1) was missing from your notebook and was put back for grading.",
        "The cell sums-solution was there more than once; the last one was graded.",
    )


@pytest.mark.parametrize(
    ("source", "language", "words"),
    [
        ("# zh: 和\n# en: the sum\n# en: of two\nassert 1", "en", "the sum of two"),
        ("# zh: 和\n# en: the sum\nassert 1", "zh", "和"),
        ("# the sum\n# of two\n\n# not this\nassert 1", "zh", "the sum of two"),
        ("assert 1  # nor this", "en", ""),
        ("### BEGIN HIDDEN TESTS\n# never this\n### END HIDDEN TESTS", "en", ""),
    ],
)
def test_what_is_tested_is_what_the_cell_begins_with(
    source: str, language: str, words: str
) -> None:
    assert words_of_test(source, language) == words


def test_a_page_shows_what_the_judge_found_and_can_do_nothing() -> None:
    release = json.loads(nbformat.writes(release_notebook(LAB)))
    evil = "<script>steal()</script>"
    verdicts = [
        Verdict(VISIBLE, Kind.FAILED, reason=f"ValueError: {evil}", student_traceback=(evil,)),
        Verdict("sums-hidden", Kind.PARTIAL, value=1.5),
    ]
    marks = Marks({VISIBLE: Mark(0, 2, comment=evil), "sums-hidden": Mark(1.5, 3)})
    page = render_feedback(source_notebook(LAB), release, verdicts, marks, evil, "zh")
    assert "<script" not in page
    assert page.count("&lt;script&gt;steal()") >= 4
    assert "1.5 / 5" in page
    assert "未通过" in page
    assert HIDDEN_LINE.split(",")[0] not in page


@pytest.mark.parametrize(
    ("comment", "html"),
    [
        ("**why** `x < 3`?", "<strong>why</strong> <code>x &lt; 3</code>?"),
        ("a list<int>", "a list&lt;int&gt;"),
        ("[there](javascript:alert(1))", "<a>there</a>"),
        ("![seen](https://elsewhere.example/x.png)", '<img alt="seen">'),
    ],
)
def test_a_comment_is_markdown_that_can_do_nothing(comment: str, html: str) -> None:
    assert comment_html(comment).strip() == f"<p>{html}</p>"


def test_what_is_kept_is_read_back_and_makes_an_older_page_void(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.feedback.mkdir()
    verdicts = (Verdict("a", Kind.FAILED, reason="原因", student_traceback=("x",)),)
    store_verdicts(layout, "s", verdicts)
    assert load_verdicts(layout, "s") == verdicts
    assert load_verdicts(layout, "other") == ()
    marks = Marks({"a": Mark(None, 2, "好")}, "stamp", Remarks(missing=("a",)))
    keep_marks(layout, "s", marks)
    assert load_marks(layout, "s") == marks
    made_of = marks_time(layout, "s")
    assert made_of is not None
    keep_page(layout, "s", "page", made_of)
    assert kept_page(layout, "s") == "page"
    keep_marks(layout, "s", marks)
    assert kept_page(layout, "s") is None
    keep_page(layout, "s", "made of what was there before", made_of)
    assert kept_page(layout, "s") is None


def test_points_of_a_verdict_stay_within_the_question() -> None:
    assert points(Verdict("a", Kind.PARTIAL, value=9.0), 3) == 3
    assert points(Verdict("a", Kind.PARTIAL, value=-1.0), 3) == 0
    assert points(Verdict("a", Kind.PASSED), 3) == 3
    assert points(Verdict("a", Kind.TIMED_OUT), 3) == 0
    assert points(Verdict("a", Kind.UNDECIDED), 3) is None
