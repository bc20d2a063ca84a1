"""Whether the runs of a lab earn what it promises; runs in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_curricula.build import Built
from ulab_curricula.errors import BadLab, BadTest
from ulab_curricula.execute import EMPTY, REFERENCE, Run, given_cells
from ulab_curricula.fixtures import Fixture
from ulab_curricula.labs import Lab
from ulab_curricula.places import place_of


def broken(
    lab: Lab,
    built: Built,
    points: Mapping[str, float],
    fixtures: list[Fixture],
    runs: Mapping[str, Run],
    language: str,
    words_only: bool = False,
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
            if not words_only:
                yield from _points(lab, points, fixture, ran)
            yield from _words(lab, fixture, ran, language, words_only)


def _points(
    lab: Lab, points: Mapping[str, float], fixture: Fixture, run: Run
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


def _words(
    lab: Lab, fixture: Fixture, run: Run, language: str, words_only: bool
) -> Iterator[UserError]:
    for cell, words in fixture.says.items():
        wanted = words.get(language)
        if words_only and wanted and cell not in run.errors:
            yield BadLab(
                mark("{lab}, {fixture}: passes {cell}, which should say “{wanted}”."),
                lab=lab.id,
                fixture=fixture.name,
                cell=cell,
                wanted=wanted,
            )
        if wanted and cell in run.errors and wanted not in run.errors[cell]:
            yield BadLab(
                mark("{lab}, {fixture}: {cell} says “{found}”, not “{wanted}”."),
                lab=lab.id,
                fixture=fixture.name,
                cell=cell,
                found=run.errors[cell],
                wanted=wanted,
            )
