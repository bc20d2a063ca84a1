"""Whether a lab's listed answers earn from the judge what they promise; data in, sentences out."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import nbformat
from nbgrader import utils

from ulab_core.errors import UserError
from ulab_core.i18n import mark, translations
from ulab_core.settings import Settings
from ulab_coursework import filling
from ulab_coursework.marking import Narrow, Question
from ulab_coursework.notebooks import grade_id_of
from ulab_curricula import Lab
from ulab_curricula.build import Built
from ulab_curricula.dependencies import needed_cells
from ulab_curricula.errors import BadTest
from ulab_curricula.execute import EMPTY, REFERENCE
from ulab_curricula.fixtures import Fixture
from ulab_curricula.places import place_of
from ulab_runtime.judge.verdicts import Kind, Verdict

GENERAL_HINT = mark("Something in it means something else there: docs/writing-tests.md says what.")

LOSES = mark(
    "This answer loses {lost:g} points here, not {promised:g}. Mend the test, or `loses` in {file}."
)
LOSES_FOR = mark(
    "This answer loses {lost:g} points here, not {promised:g}: “{reason}” Mend the test, or "
    "`loses` in {file}."
)

Outcome = Sequence[Question] | UserError
"""What one run earned, or why it was not graded."""


@dataclass(frozen=True)
class HandedIn:
    """A notebook for the judge.

    Attributes
    ----------
    narrow
        Leaves out the cells that what is new in it can't affect.
    """

    notebook: nbformat.NotebookNode
    narrow: Narrow = lambda notebook: notebook


def submissions(
    built: Built, fixtures: Sequence[Fixture], language: str, whole: bool = False
) -> dict[str, HandedIn]:
    """What to hand in: the reference, the empty release and each listed answer.

    Parameters
    ----------
    whole
        Run all of each listed answer, rather than what its changes can affect.
    """
    source = built.sources[language]
    made = {REFERENCE: HandedIn(source), EMPTY: HandedIn(built.releases[language])}
    for fixture in fixtures:
        notebook = _with_answers(source, fixture.answers)
        narrow = HandedIn.narrow if whole else _narrowed_to(fixture.answers)
        made[fixture.name] = HandedIn(notebook, narrow)
    return made


def _with_answers(
    source: nbformat.NotebookNode, answers: Mapping[str, str]
) -> nbformat.NotebookNode:
    made = copy.deepcopy(source)
    for cell in made.cells:
        if cell.cell_type == "code" and utils.is_solution(cell):
            cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
    return made


def _narrowed_to(answers: Collection[str]) -> Narrow:
    def narrow(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        changed = {place for place, cell in enumerate(code) if grade_id_of(cell) in answers}
        tests = {place for place, cell in enumerate(code) if _is_test(cell)}
        needed = needed_cells([cell.source for cell in code], changed, tests)
        made = copy.copy(notebook)
        made.cells = [code[place] for place in needed]
        return made

    return narrow


def _is_test(cell: nbformat.NotebookNode) -> bool:
    return bool(utils.is_grade(cell) and not utils.is_solution(cell))


def unproved(
    lab: Lab,
    built: Built,
    fixtures: Sequence[Fixture],
    outcomes: Mapping[str, Outcome],
    settings: Settings,
    language: str,
) -> list[UserError]:
    """What the judge gave that isn't what the lab promises.

    Parameters
    ----------
    outcomes
        Of each of the `submissions`, the reference's first.
    language
        The one that the notebooks and the reasons are in.

    Notes
    -----
    A test that the judge can't decide, or that the reference fails, is said once and not again
    for each listed answer.
    """
    return list(_Proof(lab, built, settings, language).problems(fixtures, outcomes))


class _Proof:
    def __init__(self, lab: Lab, built: Built, settings: Settings, language: str) -> None:
        self._lab = lab
        self._built = built
        self._settings = settings
        self._language = language
        self._done: set[str] = set()

    def problems(
        self, fixtures: Sequence[Fixture], outcomes: Mapping[str, Outcome]
    ) -> Iterator[UserError]:
        refused: set[str] = set()
        listed = {fixture.name: fixture for fixture in fixtures}
        for name, outcome in outcomes.items():
            if isinstance(outcome, UserError):
                # Most likely all are refused for one reason.
                if str(outcome) not in refused:
                    yield outcome
                refused.add(str(outcome))
                continue
            for question in outcome:
                verdict = question.verdict
                if verdict is not None and question.id not in self._done:
                    yield from self._of(name, question, verdict, listed.get(name))

    def _of(
        self, run: str, question: Question, verdict: Verdict, fixture: Fixture | None
    ) -> Iterator[UserError]:
        if question.points is None:
            self._done.add(question.id)
            yield self._problem(
                mark(
                    "The judge can't decide this test, so a person would have to give everybody's "
                    "points. {reason}"
                ),
                run,
                verdict,
            )
        elif run == EMPTY:
            if question.points:
                yield self._problem(
                    mark(
                        "Who hands in nothing gets {points:g} points here. Let the test use what "
                        "the student writes."
                    ),
                    run,
                    verdict,
                    points=question.points,
                )
        elif fixture is None:
            if question.points != question.max_points:
                self._done.add(question.id)
                yield self._problem(
                    mark(
                        "The test passes as a plain notebook, but the judge gives {points:g} of "
                        "{worth:g} points: “{reason}” {hint}"
                    ),
                    run,
                    verdict,
                    points=question.points,
                    worth=question.max_points,
                    hint=self._hint(verdict),
                )
        else:
            yield from self._of_listed(question, verdict, fixture)

    def _of_listed(
        self, question: Question, verdict: Verdict, fixture: Fixture
    ) -> Iterator[UserError]:
        assert question.points is not None
        lost, promised = question.max_points - question.points, fixture.loses.get(question.id, 0)
        if lost != promised:
            yield self._problem(
                LOSES_FOR if self._reason(verdict) else LOSES,
                fixture.name,
                verdict,
                lost=lost,
                promised=promised,
                file=f"fixtures/{fixture.name}.py",
            )
        wanted = fixture.says.get(question.id, {}).get(self._language)
        if wanted and verdict.kind is Kind.FAILED and wanted not in verdict.reason:
            yield self._problem(
                mark(
                    "The test says “{reason}”, not “{wanted}”. Mend its message, or `says` in "
                    "{file}."
                ),
                fixture.name,
                verdict,
                wanted=wanted,
                file=f"fixtures/{fixture.name}.py",
            )

    def _problem(self, message: str, run: str, verdict: Verdict, **values: object) -> BadTest:
        line = verdict.test_lines[-1] if verdict.test_lines else 0
        place = place_of(self._lab, self._built.canonical, verdict.question, line)
        return BadTest(message, place, run, reason=self._reason(verdict), **values)

    def _hint(self, verdict: Verdict) -> str:
        if verdict.kind is not Kind.FAILED:
            return ""
        return verdict.hint or translations(self._language).gettext(GENERAL_HINT)

    def _reason(self, verdict: Verdict) -> str:
        if verdict.kind in filling.SENTENCES:
            return filling.sentence(verdict.kind, self._settings, self._language)
        return verdict.reason
