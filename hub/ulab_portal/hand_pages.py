"""What waits for points from a person, question by question, with the way to where it is graded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response

from ulab_core.i18n import mark
from ulab_core.models import Assignment
from ulab_core.rights import Act
from ulab_coursework.courses import find_course
from ulab_coursework.feedbackpage import comment_html
from ulab_coursework.hand_grading import (
    Reason,
    Waiting,
    entries_of,
    no_points_for_empty,
    waiting,
)
from ulab_coursework.releases import lab_of
from ulab_coursework.tries import load_class
from ulab_curricula.titles import cell_titles
from ulab_portal.areas import area
from ulab_portal.page import BASE, Page, reading
from ulab_portal.servers import submission_address
from ulab_portal.watching import allowed, viewer_of

router = APIRouter(prefix="/courses/{course_id}/teach/by-hand")
Grader = Annotated[Page, allowed(Act.GRADE)]
WHY = {
    Reason.ANSWER: mark("answer to read"),
    Reason.EMPTY: mark("left empty"),
    Reason.UNDECIDED: mark("the test could not decide"),
    Reason.AGAIN: mark("had points by hand, and was graded again since"),
}


@dataclass(frozen=True)
class OneAnswer:
    """Whose answer waits (a group's has no account), why, and the page where it gets its points."""

    called: str
    account: str
    reason: Reason
    address: str


@dataclass(frozen=True)
class OpenQuestion:
    """A question with the answers that wait, and what they are graded by."""

    title: str
    rubric: str = ""
    answers: list[OneAnswer] = field(default_factory=list)

    @property
    def reasons(self) -> dict[Reason, int]:
        """How many wait for each reason, in the order of `Reason`."""
        counts = Counter(one.reason for one in self.answers)
        return {reason: counts[reason] for reason in Reason if counts[reason]}


@dataclass(frozen=True)
class LabWaits:
    """The questions of one lab that wait, in the lab's order."""

    name: str
    title: str
    questions: list[OpenQuestion]

    @property
    def empty(self) -> int:
        """How many answers were left empty."""
        return sum(each.reasons.get(Reason.EMPTY, 0) for each in self.questions)


def by_question(
    found: Iterable[Waiting],
    titles: Mapping[str, str],
    called: Mapping[str, list[str]],
    person: str,
    course_id: str,
    rubrics: Mapping[str, str] | None = None,
) -> list[OpenQuestion]:
    """What waits in one lab by question; those whom `called` lacks have left.

    Parameters
    ----------
    titles
        By grade id, in the lab's order; a question that the lab no longer has comes last.
    person
        Whose server opens formgrader.
    rubrics
        Markdown by grade id.
    """
    shown = {one: Markup(comment_html(text)) for one, text in (rubrics or {}).items()}
    questions: dict[str, OpenQuestion] = {
        one: OpenQuestion(title, shown.get(one, "")) for one, title in titles.items()
    }
    for one in found:
        if one.entry not in called:
            continue
        question = questions.setdefault(one.question, OpenQuestion(one.question))
        address = submission_address(BASE, person, course_id, one.notebook, one.question)
        account = "" if one.entry.startswith("_group-") else one.entry
        question.answers.append(
            OneAnswer(", ".join(called[one.entry]), account, one.reason, address)
        )
    return [question for question in questions.values() if question.answers]


@router.get("")
def overview(
    course_id: str, page: Annotated[Page, Depends(reading)], given: int | None = None
) -> Response:
    """All labs of a course that have something to grade by hand."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        found = find_course(session, course_id)
        return page.answer(
            "by_hand.html",
            course=found,
            course_title=found.title(page.language),
            area=area(found.focus_area),
            viewer=viewer,
            labs=_labs(session, page, course_id, found.assignments),
            why=WHY,
            given=given,
        )


@router.post("/{name}/empty")
def empty(course_id: str, name: str, page: Grader) -> Response:
    """No points for all answers of a lab that were left empty."""
    portal = page.portal
    given = no_points_for_empty(portal.db, portal.layout, course_id, name, page.user.name)
    return page.go(f"courses/{course_id}/teach/by-hand?given={given}")


def _labs(
    session: Session, page: Page, course_id: str, assignments: list[Assignment]
) -> list[LabWaits]:
    layout = page.portal.layout
    known = load_class(session, course_id, assignments)
    all_ = waiting(layout, course_id, [one.name for one in assignments])
    labs = []
    for one in assignments:
        mine = [each for each in all_ if each.assignment == one.name]
        if not mine:
            continue
        lab = lab_of(layout, one)
        titles = cell_titles(json.loads(lab.release_notebook(page.language).read_bytes()))
        called = entries_of(known, one.id)
        questions = by_question(
            mine, titles, called, page.user.name, course_id, lab.rubrics(page.language)
        )
        labs.append(LabWaits(one.name, one.title(page.language), questions))
    return [lab for lab in labs if lab.questions]
