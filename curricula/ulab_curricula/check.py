"""Prove that a lab holds what it promises: by looking at it, then by running it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, mark
from ulab_core.manifest_files import BadManifest
from ulab_curricula.build import Built, build
from ulab_curricula.errors import BadLab
from ulab_curricula.execute import (
    EMPTY,
    REFERENCE,
    Executed,
    Run,
    Start,
    answer_cells,
    run_variants,
    test_points,
)
from ulab_curricula.fixtures import Fixture, load_fixtures
from ulab_curricula.inspection import inspect, remarks
from ulab_curricula.labs import Lab
from ulab_curricula.mutants import (
    SHARE_CAUGHT,
    Mutant,
    Mutants,
    lines_kept_free,
    mutants_of,
    with_fates,
)
from ulab_curricula.promises import broken
from ulab_curricula.survivors import flaky, uncaught
from ulab_datasets.own import all_names

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
    peak_mb
        The most memory that the reference had as a plain notebook, in MiB.
    other_runs
        In the other language: the reference, and the wrong answers that promise words in it.
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
    peak_mb: int = 0
    other_runs: Mapping[str, Run] = field(default_factory=dict)

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
    both: bool = False,
    mutants: bool = False,
    repeat: int = 0,
    progress: Callable[[str], None] | None = None,
    start: Start | None = None,
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
    both
        Run the reference in the other language too, and there the wrong answers that promise
        words in it: only the tests that say them, as what is lost was seen in this one.
    mutants
        Run mutants of the reference solution too.
    repeat
        Run each test so many times more, with other random numbers.
    progress
        Called with a word before each step.
    start
        Runs its code; None means as this process does.

    Returns
    -------
    Report
        All that is wrong, each as a sentence; nothing a lab can do wrong is raised.
    """
    tell = progress or (lambda _: None)
    tell("build")
    seen = look(lab, datasets)
    built, points, fixtures, said = seen.built, seen.points, seen.fixtures, list(seen.remarks)
    if not seen.ok or built is None:
        return seen
    tell("run")
    made = mutants_of(built.canonical) if mutants else []
    other = next(each for each in LANGUAGES if each != language)
    ran, again = _run(
        functools.partial(
            run_variants,
            datasets=datasets,
            timeout_s=lab.manifest.grading_seconds,
            start=start,
        ),
        Half(
            built.sources[language],
            language,
            _variants(built, language, fixtures) if listed else {},
            whole=[EMPTY, *(fixture.name for fixture in fixtures if whole)],
            mutants=made,
            seeds=range(repeat)[repeat // 2 :],
            jobs=jobs,
        ),
        Half(
            built.sources[other if both else language],
            other if both else language,
            _promising(fixtures, other) if both else {},
            tests={fixture.name: list(fixture.says) for fixture in fixtures},
            seeds=range(repeat)[: repeat // 2],
        ),
        both,
    )
    problems = list(broken(lab, built, points, fixtures, ran.runs, language))
    if ran.peak_mb > lab.manifest.memory_mb:
        problems.append(
            BadLab(
                mark("{lab}: the notebook takes {found} MiB of memory; memory_mb says {allowed}."),
                lab=lab.id,
                found=ran.peak_mb,
                allowed=lab.manifest.memory_mb,
            )
        )
    if not problems:
        problems += flaky(lab, built, [ran, *again])
    other_runs = again[0].runs if both else {}
    if both and not problems:
        problems += broken(lab, built, points, fixtures, other_runs, other, words_only=True)
    decided = Mutants(with_fates(made, ran.fates), lines_kept_free(built.canonical))
    (problems if decided.share < SHARE_CAUGHT else said).extend(uncaught(lab, built, decided))
    return Report(
        lab.id,
        problems,
        points,
        ran.runs,
        said,
        built,
        fixtures,
        decided,
        lab,
        ran.peak_mb,
        other_runs,
    )


def look(lab: Lab, datasets: Path) -> Report:
    """What can be seen to be wrong with a lab, running nothing of it.

    Parameters
    ----------
    datasets
        The store with the lab's data sets, `ulab_core.layout.Layout.dataset_store`.
    """
    try:
        built = build(lab)
        points, answers = test_points(built.canonical), answer_cells(built.canonical)
        fixtures = load_fixtures(lab, answers, points)
    except (BadLab, BadManifest) as error:
        return Report(lab.id, [error])
    said: list[UserError] = [*remarks(lab, built)]
    problems: list[UserError] = [*inspect(lab, built), *_too_few(lab, fixtures, points)]
    problems += _missing_data(lab, datasets)
    return Report(lab.id, problems, points, {}, said, built, fixtures, source=lab)


def _missing_data(lab: Lab, datasets: Path) -> Iterator[BadLab]:
    known = set(all_names(datasets.parent))
    for name in lab.manifest.datasets:
        if name not in known:
            message = mark(
                "{file} names the data set {name}, which has no card: neither in datasets/registry "
                "nor added to this base with ulab datasets add."
            )
        elif not (datasets / name).is_dir():
            message = mark(
                "{file} names the data set {name}, which is not in {store}; fetch it first."
            )
        else:
            continue
        yield BadLab(message, file=lab.folder / "lab.yaml", name=name, store=datasets)


def recalled(
    lab: Lab,
    points: Mapping[str, float],
    runs: Mapping[str, Run],
    mutants: Sequence[Mutant],
    peak_mb: int,
) -> Report:
    """The report of a lab that held, from what was found then."""
    built = build(lab)
    found = Mutants(tuple(mutants), lines_kept_free(built.canonical))
    said: list[UserError] = [*remarks(lab, built), *uncaught(lab, built, found)]
    return Report(lab.id, [], points, runs, said, built, mutants=found, source=lab, peak_mb=peak_mb)


@dataclass(frozen=True)
class Half:
    """What one of the two processes runs; the names are those of `run_variants`."""

    source: NotebookNode
    language: str
    variants: Mapping[str, Mapping[str, str]]
    whole: Sequence[str] = ()
    tests: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mutants: Sequence[Mutant] = ()
    seeds: Sequence[int] = ()
    jobs: int = 1


def _run(
    run: Callable[..., Executed], first: Half, second: Half, both: bool
) -> tuple[Executed, list[Executed]]:
    """Run it all; the second half in a process whose hashes of texts differ, if it has anything."""
    with ThreadPoolExecutor(1) as pool:
        wanted = both or second.seeds
        again = [pool.submit(run, **vars(second), hash_seed=1)] if wanted else []
        if first.jobs == 1:
            wait(again)
        ran = run(**vars(first))
        return ran, [other.result() for other in again]


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


def _promising(fixtures: list[Fixture], language: str) -> dict[str, Mapping[str, str]]:
    """The answers that promise words in this language."""
    return {
        fixture.name: fixture.answers
        for fixture in fixtures
        if any(language in words for words in fixture.says.values())
    }
