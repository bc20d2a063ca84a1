"""Proves labs: the reference as a plain notebook, as students run it, all answers by the judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import nbformat

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_coursework.judging import Judges
from ulab_coursework.proving import Outcome, submissions, unproved
from ulab_curricula import Lab, Report, check_lab
from ulab_deploy.grade import Notebook, grade_notebooks, judges_of
from ulab_runtime.host import SandboxUnavailable

RUNNING = mark("{lab}: running the reference solution as a plain notebook …")
MUTATING = mark("{lab}: running the reference solution and changed ones as plain notebooks …")
STARTING = mark("{lab}: getting the judge ready …")
JUDGING = mark("{lab}: {done} of {of} answers judged …")
Progress = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class Proved:
    """A lab's report.

    Attributes
    ----------
    judged
        How many answers the judge has seen.
    """

    report: Report
    judged: int = 0


def prove(
    labs: Sequence[Lab],
    settings: Settings,
    layout: Layout,
    *,
    language: str,
    whole: bool = False,
    mutants: bool = False,
    tell: Progress = lambda message, **values: None,
) -> Iterator[Proved]:
    """Check labs; the judge sees the answers of those whose reference holds as a plain notebook.

    A lab that fails as a plain notebook fails in the judge for the same reasons, which would only
    be said twice.

    Parameters
    ----------
    language
        Of the notebooks, and so of the messages that are compared.
    whole
        Have all of each listed answer run, rather than what its changes can affect.
    mutants
        Try the tests on mutants of the reference solution too, without the judge.
    tell
        Called with `RUNNING`, `MUTATING`, `STARTING` or `JUDGING` and what fills the sentence.

    Raises
    ------
    SandboxUnavailable
        The machine lacks what a sandbox needs.
    """
    with ExitStack() as stack:
        judges: Judges | None = None
        for lab in labs:
            tell(MUTATING if mutants else RUNNING, lab=lab.id)
            report = check_lab(
                lab, layout.dataset_store, language=language, listed=False, mutants=mutants
            )
            if not report.ok or report.built is None:
                yield Proved(report)
                continue
            if judges is None:
                tell(STARTING, lab=lab.id)
                judges = stack.enter_context(judges_of(labs, settings, layout))
            outcomes = _outcomes(lab, report, settings, judges, language, whole, tell)
            problems = unproved(lab, report.built, report.fixtures, outcomes, settings, language)
            yield Proved(dataclasses.replace(report, problems=problems), len(outcomes))


def _outcomes(
    lab: Lab,
    report: Report,
    settings: Settings,
    judges: Judges,
    language: str,
    whole: bool,
    tell: Progress,
) -> dict[str, Outcome]:
    assert report.built is not None
    handed_in = submissions(report.built, report.fixtures, language, whole)
    notebooks = [
        Notebook(Path(name), nbformat.writes(each.notebook).encode, each.narrow)
        for name, each in handed_in.items()
    ]
    outcomes: dict[str, Outcome] = {}
    tell(JUDGING, lab=lab.id, done=0, of=len(notebooks))
    for graded in grade_notebooks(lab, notebooks, settings, judges):
        if isinstance(graded.problem, SandboxUnavailable):
            raise graded.problem
        outcomes[str(graded.file)] = _outcome(graded.problem, graded.questions)
        tell(JUDGING, lab=lab.id, done=len(outcomes), of=len(notebooks))
    return outcomes


def _outcome(problem: UserError | None, questions: Outcome) -> Outcome:
    return questions if problem is None else problem
