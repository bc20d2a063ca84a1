"""Each question of a graded lab in words: what was tested, what came of it, and where it failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ulab_core.i18n import LANGUAGES, mark, translations
from ulab_coursework.graded import Mark, Marks, Remarks
from ulab_coursework.notebooks import grade_id_of
from ulab_coursework.outputs import plain, tells
from ulab_coursework.shown_grades import NBGRADERS_NO_RESPONSE
from ulab_curricula.titles import cell_titles
from ulab_runtime.judge.verdicts import Kind, Verdict

WORDS = {
    Kind.PASSED: mark("passed"),
    Kind.PARTIAL: mark("partly right"),
    Kind.FAILED: mark("not passed"),
    Kind.UNDECIDED: mark("waits for your instructor"),
    Kind.TIMED_OUT: mark("ran too long"),
    Kind.OUT_OF_MEMORY: mark("needed too much memory"),
    Kind.DIED: mark("ended before its time"),
    Kind.NOT_RUN: mark("not run"),
}
BY_HAND = mark("graded by your instructor")
NO_WORDS = mark("A check did not hold; the test says no more about it.")
QUOTES = mark("(The message quotes a hidden test and is not shown.)")
NO_RESPONSE = mark("No answer was given.")
MISSING = mark("The cell {cell} was missing from your notebook and was put back for grading.")
DUPLICATED = mark("The cell {cell} was there more than once; the last one was graded.")
MOVED = mark("The cell {cell} was not in its place; it was graded where the lab has it.")

_TAGGED = re.compile(rf"#\s*(?P<language>{'|'.join(LANGUAGES)})\s*[:：]\s*(?P<text>.*)")
_TRACEBACK_LINES = 30
_LINE = 300

Translate = Callable[[str], str]


@dataclass(frozen=True)
class Question:
    """What a feedback page says of one marked cell.

    Attributes
    ----------
    style
        ``good``, ``part``, ``bad`` or ``wait``.
    points
        None when a person has yet to give them.
    tested
        What the test's author says is tested; empty when they say nothing.
    traceback
        Lines of the student's own code, with the error.
    """

    cell: str
    title: str
    word: str
    style: str
    points: float | None
    max_points: float
    tested: str = ""
    reason: str = ""
    traceback: str = ""
    warnings: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()


def questions(
    release: Mapping[str, Any],
    verdicts: Iterable[Verdict],
    marks: Marks,
    hidden: frozenset[str],
    language: str,
) -> list[Question]:
    """The lab's questions in its order.

    Parameters
    ----------
    release
        What the student had been given: titles, and the visible part of tests.
    hidden
        The lines of hidden tests: what quotes one is not shown.
    """
    found = {verdict.question: verdict for verdict in verdicts}
    translate = translations(language).gettext
    titles, answers = cell_titles(release), answer_cells(release)
    warnings = sentences(marks.remarks, release, language)
    tests = {
        grade_id_of(cell): _text(cell)
        for cell in release["cells"]
        if cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader", {}).get("solution")
    }
    told = []
    for cell, title in titles.items():
        belonging = (cell, *answers[cell])
        mark_ = marks.cells.get(cell, Mark(0.0))
        verdict = found.get(cell) if cell in found else _verdict_of_points(cell, mark_)
        told.append(
            Question(
                cell=cell,
                title=title,
                word=translate(_word(verdict, mark_)),
                style=_style(mark_),
                points=mark_.points,
                max_points=mark_.max_points,
                tested=words_of_test(tests.get(cell, ""), language),
                reason=_reason(verdict, hidden, translate),
                traceback=_traceback(verdict, hidden),
                warnings=tuple(line for name in belonging for line in warnings.get(name, ())),
                comments=tuple(
                    comment_of(marks.cells[name], translate)
                    for name in belonging
                    if name in marks.cells and marks.cells[name].comment
                ),
            )
        )
    return told


def comment_of(found: Mark, translate: Translate) -> str:
    """A comment as the student reads it."""
    return translate(NO_RESPONSE) if found.comment == NBGRADERS_NO_RESPONSE else found.comment


def answer_cells(release: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The cells to write in that each marked cell judges: those that stand nearest above it."""
    found: dict[str, tuple[str, ...]] = {}
    nearest: list[str] = []
    tested = False
    for cell in release["cells"]:
        about, grade_id = cell["metadata"].get("nbgrader", {}), grade_id_of(cell)
        if grade_id is None:
            continue
        marked = about.get("grade") or about.get("task")
        if about.get("solution") and not marked:
            nearest = [grade_id] if tested else [*nearest, grade_id]
            tested = False
        elif marked:
            found[grade_id] = () if about.get("solution") or about.get("task") else tuple(nearest)
            tested = tested or not about.get("solution")
    return found


def sentences(
    remarks: Remarks, release: Mapping[str, Any], language: str
) -> dict[str, tuple[str, ...]]:
    """What had to be mended before grading, as sentences by grade id."""
    translate, titles = translations(language).gettext, cell_titles(release)
    found: dict[str, tuple[str, ...]] = {}
    for sentence, cells in (
        (MISSING, remarks.missing),
        (DUPLICATED, remarks.duplicated),
        (MOVED, remarks.moved),
    ):
        for cell in cells:
            line = translate(sentence).format(cell=titles.get(cell, cell))
            found[cell] = (*found.get(cell, ()), line)
    return found


def words_of_test(source: str, language: str) -> str:
    """What a test cell's author says it tests: the comments it begins with.

    Where lines are tagged ``# zh:`` and ``# en:``, those of `language` count alone.

    Examples
    --------
    >>> words_of_test("# zh: 和\\n# en: the sum\\n# en: of two\\nassert add(1, 2) == 3", "en")
    'the sum of two'
    >>> words_of_test("# the sum of two\\n\\n# not this\\nassert add(1, 2) == 3", "zh")
    'the sum of two'
    >>> words_of_test("assert add(1, 2) == 3  # nor this", "en")
    ''
    """
    lines: list[str] = []
    for line in source.strip().split("\n"):
        line = line.strip()
        if not line.startswith("#") or line.startswith("###"):
            break
        tagged = _TAGGED.match(line)
        if tagged is None:
            lines.append(line.removeprefix("#").strip())
        elif tagged["language"] == language:
            lines.append(tagged["text"].strip())
    return " ".join(filter(None, lines))


def _verdict_of_points(cell: str, found: Mark) -> Verdict | None:
    """What points alone say; None for a cell that only a person grades."""
    if found.by_hand or found.points is None:
        return None
    if found.points >= found.max_points:
        return Verdict(cell, Kind.PASSED)
    return Verdict(cell, Kind.PARTIAL if found.points > 0 else Kind.FAILED)


def _word(verdict: Verdict | None, found: Mark) -> str:
    if found.points is None:
        return WORDS[Kind.UNDECIDED]
    if found.by_hand or verdict is None or verdict.kind is Kind.UNDECIDED:
        return BY_HAND
    return WORDS[verdict.kind]


def _style(found: Mark) -> str:
    if found.points is None:
        return "wait"
    if found.points >= found.max_points:
        return "good"
    return "part" if found.points > 0 else "bad"


def _reason(verdict: Verdict | None, hidden: frozenset[str], translate: Translate) -> str:
    # Why a test can't decide is for its author, not for the student.
    if verdict is None or verdict.kind in (Kind.PASSED, Kind.UNDECIDED):
        return ""
    reason = plain(verdict.reason).strip()
    if tells(reason, hidden):
        return translate(QUOTES)
    if reason in ("AssertionError", "AssertionError:"):
        return translate(NO_WORDS)
    return reason.removeprefix("AssertionError: ")


def _traceback(verdict: Verdict | None, hidden: frozenset[str]) -> str:
    if verdict is None or verdict.kind in (Kind.PASSED, Kind.UNDECIDED):
        return ""
    lines = [
        line[:_LINE]
        for part in verdict.student_traceback
        for line in plain(part).rstrip("\n").split("\n")
        if not tells(line, hidden)
    ]
    return "\n".join(lines[-_TRACEBACK_LINES:])


def _text(cell: Mapping[str, Any]) -> str:
    source: str | Sequence[str] = cell["source"]
    return source if isinstance(source, str) else "".join(source)
