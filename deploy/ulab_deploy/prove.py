"""Proves labs: the reference as a plain notebook, as students run it, all answers by the judge."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import nbformat

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_coursework.judging import Judges
from ulab_coursework.proving import Outcome, submissions, unproved
from ulab_curricula import Lab, Report, check_lab
from ulab_curricula.check import look
from ulab_curricula.errors import BadLab, BadTest
from ulab_curricula.execute import REFERENCE
from ulab_curricula.mutants import SHARE_CAUGHT
from ulab_curricula.places import place_of
from ulab_deploy.confining import Confined
from ulab_deploy.grade import Notebook, grade_notebooks, judges_of
from ulab_runtime.host import SandboxUnavailable

RUNNING = mark("{lab}: running the reference solution as a plain notebook …")
MUTATING = mark("{lab}: running the reference solution and changed ones as plain notebooks …")
STARTING = mark("{lab}: getting the judge ready …")
JUDGING = mark("{lab}: {done} of {of} answers judged …")
Progress = Callable[..., None]
PATIENCE = 4


@dataclasses.dataclass(frozen=True)
class How:
    """How thoroughly to prove labs.

    Attributes
    ----------
    language
        Of the notebooks, and so of the messages that are compared.
    judged
        Have the judge see all answers; otherwise all runs as a plain notebook.
    listed
        Of what runs as a plain notebook: the listed answers too, not the reference alone.
    whole
        Have all of each listed answer run, rather than what its changes can affect.
    mutants
        Try the tests on mutants of the reference solution, as a plain notebook.
    repeat
        Run each test so many times more, with other random numbers, as a plain notebook.
    both
        Run it in the other language too, as a plain notebook.
    others
        The labs are others': nothing of them runs or is imported outside of sandboxes.
    measured
        Run the reference as a plain notebook at all, which tells its time and memory, and what is
        said above; for others' labs it may be left out where they were measured before.
    """

    language: str
    judged: bool = True
    listed: bool = True
    whole: bool = False
    mutants: bool = False
    repeat: int = 0
    both: bool = False
    others: bool = False
    measured: bool = True


@dataclasses.dataclass(frozen=True)
class Proved:
    """A lab's report.

    Attributes
    ----------
    judged
        How many answers the judge has seen.
    remembered
        Whether all this was found another time, and nothing has changed since.
    """

    report: Report
    judged: int = 0
    remembered: bool = False


class Memory(Protocol):
    """What knows labs that held, and haven't changed since."""

    def find(self, lab: Lab, how: How) -> Proved | None: ...

    def keep(self, lab: Lab, how: How, proved: Proved) -> None: ...


def prove(
    labs: Sequence[Lab],
    settings: Settings,
    layout: Layout,
    how: How,
    *,
    memory: Memory | None = None,
    tell: Progress = lambda message, **values: None,
) -> Iterator[Proved]:
    """Check labs, several at once, and give each when it is done.

    The judge sees the answers of those whose reference holds as a plain notebook. A lab that fails
    as a plain notebook fails in the judge for the same reasons, which would only be said twice.

    Parameters
    ----------
    memory
        Labs that it knows aren't run.
    tell
        Called with `RUNNING`, `MUTATING`, `STARTING` or `JUDGING` and what fills the sentence.

    Raises
    ------
    SandboxUnavailable
        The machine lacks what a sandbox needs.
    """
    new = []
    for lab in labs:
        known = memory.find(lab, how) if memory else None
        if known:
            yield known
        else:
            new.append(lab)
    for lab, proved in _prove(new, settings, layout, how, tell):
        if memory and proved.report.ok:
            memory.keep(lab, how, proved)
        yield proved


def _prove(
    labs: Sequence[Lab], settings: Settings, layout: Layout, how: How, tell: Progress
) -> Iterator[tuple[Lab, Proved]]:
    processors = len(os.sched_getaffinity(0))
    at_once = max(1, min(processors, len(labs)))
    # Strangers get no more time than students.
    patient = settings if how.others else _patient(settings)

    confined = Confined(patient, layout.dataset_store) if how.others else None

    def plain(lab: Lab) -> Report:
        if not how.measured:
            return look(lab, layout.dataset_store)
        tell(MUTATING if how.mutants else RUNNING, lab=lab.id)
        report = check_lab(
            lab,
            layout.dataset_store,
            language=how.language,
            jobs=max(1, processors // at_once),
            whole=how.whole,
            listed=how.listed and not how.judged,
            mutants=how.mutants,
            repeat=how.repeat,
            start=confined,
            both=how.both,
        )
        late = too_slow(report, settings)
        return dataclasses.replace(report, problems=[*report.problems, *late])

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(at_once))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        running = {pool.submit(plain, lab): lab for lab in labs}
        judges: Judges | None = None
        for done in as_completed(running):
            lab, report = running[done], done.result()
            if not how.judged or report.built is None or not _holds(report):
                yield lab, Proved(report)
                continue
            if judges is None:
                tell(STARTING, lab=lab.id)
                judges = stack.enter_context(judges_of([] if how.others else labs, patient, layout))
            outcomes = _outcomes(lab, report, patient, judges, how, tell)
            problems = unproved(lab, report.built, report.fixtures, outcomes, patient, how.language)
            problems = [*report.problems, *problems]
            yield lab, Proved(dataclasses.replace(report, problems=problems), len(outcomes))


def too_slow(report: Report, settings: Settings) -> list[BadLab]:
    """What would be cut off while graded here, told from the reference's processor time.

    The judge is too patient to notice while labs are checked; a pure decision.
    """
    lab, built, allowed = report.source, report.built, settings.grading
    if lab is None or built is None or REFERENCE not in report.runs:
        return []
    found: list[BadLab] = []
    if lab.manifest.grading_seconds > allowed.job_timeout_s:
        found.append(
            BadLab(
                mark(
                    "{lab}: grading_seconds says {seconds} s, but this base ends grading after "
                    "{allowed} s ([grading] job_timeout_s)."
                ),
                lab=lab.id,
                seconds=lab.manifest.grading_seconds,
                allowed=allowed.job_timeout_s,
            )
        )
    return found + [
        BadTest(
            mark(
                "This cell takes {seconds:.0f} s, but this base ends a cell after {allowed} s "
                "([grading] cell_timeout_s). Do less while ulab.grading()."
            ),
            place_of(lab, built.canonical, cell),
            seconds=seconds,
            allowed=allowed.cell_timeout_s,
        )
        for cell, seconds in report.runs[REFERENCE].cells.items()
        if seconds > allowed.cell_timeout_s
    ]


def _patient(settings: Settings) -> Settings:
    """The judge's limits with time enough that a busy machine fails no lab.

    What a lab may take is told from its processor time as a plain notebook.
    """
    times = ("cell_timeout_s", "job_timeout_s")
    longer = {name: PATIENCE * getattr(settings.grading, name) for name in times}
    return settings.model_copy(update={"grading": settings.grading.model_copy(update=longer)})


def _holds(report: Report) -> bool:
    """Whether it is worth the judge's time; tests that let too much pass may still be judged."""
    return report.ok or report.mutants.share < SHARE_CAUGHT


def _outcomes(
    lab: Lab,
    report: Report,
    settings: Settings,
    judges: Judges,
    how: How,
    tell: Progress,
) -> dict[str, Outcome]:
    assert report.built is not None
    handed_in = submissions(report.built, report.fixtures, how.language, how.whole)
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
