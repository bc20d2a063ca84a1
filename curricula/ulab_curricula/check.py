"""Prove that a lab holds what it promises: by looking at it, then by running it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_curricula.build import Built, build
from ulab_curricula.errors import BadLab, BadTest
from ulab_curricula.execute import (
    REFERENCE,
    Run,
    answer_cells,
    given_cells,
    run_variants,
    test_points,
)
from ulab_curricula.fixtures import Fixture, load_fixtures
from ulab_curricula.inspection import inspect, remarks
from ulab_curricula.labs import Lab
from ulab_curricula.mutants import (
    SHARE_CAUGHT,
    Mutants,
    lines_kept_free,
    mutants_of,
    with_fates,
)
from ulab_curricula.places import place_of
from ulab_curricula.survivors import uncaught

EMPTY = "empty"
FEWEST_WRONG = 5
FEWEST_RIGHT = 2


@dataclass(frozen=True)
class Report:
    """What checking a lab found.

    Attributes
    ----------
    lab
        The lab's id.
    problems
        What is wrong; empty when the lab may be published.
    points
        Points of each automatically graded cell.
    runs
        The reference, the empty release and each fixture, by name.
    remarks
        What may not be what the author wants, though the lab may be published.
    built, fixtures
        What was checked, for whoever checks on.
    mutants
        Of the reference solution; none when they weren't asked for.
    source
        The lab itself, for whoever checks on.
    """

    lab: str
    problems: list[UserError]
    points: Mapping[str, float] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    remarks: list[UserError] = field(default_factory=list)
    built: Built | None = None
    fixtures: list[Fixture] = field(default_factory=list)
    mutants: Mutants = field(default_factory=Mutants)
    source: Lab | None = None

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def seconds(self) -> float:
        """What grading the reference took."""
        return self.runs[REFERENCE].seconds if REFERENCE in self.runs else 0.0


def check_lab(
    lab: Lab,
    datasets: Path,
    *,
    language: str = "zh",
    jobs: int = 2,
    whole: bool = False,
    listed: bool = True,
    mutants: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Check a lab by running it as a plain notebook.

    Parameters
    ----------
    lab
        The lab.
    datasets
        The store with the lab's data sets, `ulab_core.layout.Layout.dataset_store`.
    language
        The language whose messages are compared with the fixtures'.
    jobs
        Variants run at once.
    whole
        Run each fixture's whole notebook, rather than what its answers can affect.
    listed
        Run the empty release and the fixtures too, not the reference alone.
    mutants
        Run mutants of the reference solution too.
    progress
        Called with a word before each step.

    Returns
    -------
    Report
        All that is wrong, each as a sentence; nothing a lab can do wrong is raised.
    """
    tell = progress or (lambda _: None)
    tell("build")
    try:
        built = build(lab)
        points, answers = test_points(built.canonical), answer_cells(built.canonical)
        fixtures = load_fixtures(lab, answers, points)
    except BadLab as error:
        return Report(lab.id, [error])
    said: list[UserError] = [*remarks(lab, built)]
    problems: list[UserError] = [*inspect(lab, built), *_too_few(lab, fixtures, points)]
    missing = [name for name in lab.manifest.datasets if not (datasets / name).is_dir()]
    if missing:
        problems.append(
            BadLab(
                mark("{file} names the data set {name}, which is not in {store}; fetch it first."),
                file=lab.folder / "lab.yaml",
                name=missing[0],
                store=datasets,
            )
        )
    if problems:
        return Report(lab.id, problems, points, built=built, remarks=said)
    tell("run")
    made = mutants_of(built.canonical) if mutants else []
    runs, fates = run_variants(
        built.sources[language],
        _variants(built, language, fixtures) if listed else {},
        datasets=datasets,
        language=language,
        timeout_s=lab.manifest.grading_seconds,
        jobs=jobs,
        whole=[EMPTY, *(fixture.name for fixture in fixtures if whole)],
        mutants=made,
    )
    problems = list(judge(lab, built, points, fixtures, runs, language))
    decided = Mutants(with_fates(made, fates), lines_kept_free(built.canonical))
    (problems if decided.share < SHARE_CAUGHT else said).extend(uncaught(lab, built, decided))
    return Report(lab.id, problems, points, runs, said, built, fixtures, decided, lab)


def _too_few(lab: Lab, fixtures: list[Fixture], points: Mapping[str, float]) -> Iterator[BadLab]:
    if not points:
        yield BadLab(mark("{file} has no test cell."), file=lab.source)
    for kind, fewest in (("wrong", FEWEST_WRONG), ("right", FEWEST_RIGHT)):
        count = sum(fixture.name.startswith(kind) for fixture in fixtures)
        if count < fewest:
            yield BadLab(
                mark("{folder} holds {count} answers; a lab needs {fewest} to prove its tests."),
                folder=lab.folder / "fixtures" / kind,
                count=count,
                fewest=fewest,
            )


def _variants(built: Built, language: str, fixtures: list[Fixture]) -> dict[str, Mapping[str, str]]:
    return {EMPTY: answer_cells(built.releases[language])} | {
        fixture.name: fixture.answers for fixture in fixtures
    }


def judge(
    lab: Lab,
    built: Built,
    points: Mapping[str, float],
    fixtures: list[Fixture],
    runs: Mapping[str, Run],
    language: str,
) -> Iterator[UserError]:
    """What the runs show to be wrong; a pure decision."""
    full = sum(points.values())
    for run in runs.values():
        if not run.finished:
            yield BadLab(
                mark(
                    "{lab}, {run}: not done within grading_seconds ({seconds} s), or it broke down."
                ),
                lab=lab.id,
                run=run.name,
                seconds=lab.manifest.grading_seconds,
            )
    reference = runs[REFERENCE]
    for cell, error in reference.failures.items():
        # A cell of the student's own may raise on purpose, to show an error.
        if cell in given_cells(built.canonical):
            yield BadTest(
                mark("The lab's own cell fails: {error}"),
                place_of(lab, built.canonical, cell, reference.lines.get(cell, 0)),
                error=error,
            )
    for cell, error in reference.errors.items():
        yield BadTest(
            mark("The reference solution fails this test: {error}"),
            place_of(lab, built.canonical, cell, reference.lines.get(cell, 0)),
            error=error,
        )
    for cell, worth in points.items():
        earned = reference.earned(cell, worth)
        if cell not in reference.errors and earned < worth:
            yield BadTest(
                mark("The reference solution gets {points:g} of {worth:g} points here."),
                place_of(lab, built.canonical, cell),
                points=earned,
                worth=worth,
            )
    if reference.seconds > lab.manifest.grading_seconds:
        yield BadLab(
            mark("{lab}: grading takes {found:.0f} s; grading_seconds says {seconds}."),
            lab=lab.id,
            found=reference.seconds,
            seconds=lab.manifest.grading_seconds,
        )
    empty = runs.get(EMPTY)
    if empty is not None and empty.finished and empty.score(points):
        free = [cell for cell, worth in points.items() if empty.earned(cell, worth)]
        yield BadLab(
            mark("{lab}: the empty release scores {score:g} of {full:g}: {cells}."),
            lab=lab.id,
            score=empty.score(points),
            full=full,
            cells=", ".join(free),
        )
    for fixture in fixtures:
        ran = runs.get(fixture.name)
        if ran is not None and ran.finished:
            yield from _judge_fixture(lab, points, fixture, ran, language)


def _judge_fixture(
    lab: Lab, points: Mapping[str, float], fixture: Fixture, run: Run, language: str
) -> Iterator[UserError]:
    for cell, worth in points.items():
        expected = fixture.loses.get(cell, 0)
        lost = worth - run.earned(cell, worth)
        if lost != expected:
            yield BadLab(
                mark(
                    "{lab}, {fixture}: loses {lost:g} points in {cell}, not {expected:g}. {error}"
                ),
                lab=lab.id,
                fixture=fixture.name,
                lost=lost,
                cell=cell,
                expected=expected,
                error=run.errors.get(cell, ""),
            )
    for cell, words in fixture.says.items():
        wanted = words.get(language)
        if wanted and cell in run.errors and wanted not in run.errors[cell]:
            yield BadLab(
                mark("{lab}, {fixture}: {cell} says “{found}”, not “{wanted}”."),
                lab=lab.id,
                fixture=fixture.name,
                cell=cell,
                found=run.errors[cell],
                wanted=wanted,
            )
