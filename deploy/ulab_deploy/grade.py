"""Grades notebook files on the spot, as submissions are judged, with no base running."""

from __future__ import annotations

import os
import queue
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat

from ulab_core.errors import UserError
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_coursework.judging import AHEAD, Judges
from ulab_coursework.marking import Marked, Marker, Question
from ulab_coursework.notebooks import parse
from ulab_coursework.submissions import refuse_size
from ulab_curricula import Lab, PublishedLab, build_lab, load_built
from ulab_curricula.imports import imports_of
from ulab_runtime.forkserver.client import greets
from ulab_runtime.forkserver.own import own_fork_server
from ulab_runtime.judge.parents import ALWAYS, REHEARSAL, Parents


@dataclass(frozen=True)
class Graded:
    """How one file did.

    Attributes
    ----------
    problem
        Why it was not graded; None when it was.
    """

    file: Path
    questions: tuple[Question, ...]
    problem: UserError | None = None

    @property
    def points(self) -> float:
        return sum(question.points or 0.0 for question in self.questions)

    @property
    def max_points(self) -> float:
        return sum(question.max_points for question in self.questions)


def grade_files(
    lab: Lab, files: Sequence[Path], settings: Settings, layout: Layout
) -> Iterator[Graded]:
    """Grade files of one lab, as many at once as there are processors, and give them in order.

    Parameters
    ----------
    layout
        Where the data sets are; nothing that stays is written there.

    Raises
    ------
    BadLab
        The lab can't be built.
    """
    with tempfile.TemporaryDirectory(prefix="ulab-grade-") as scratch:
        build_lab(lab, Path(scratch) / "lab")
        built = load_built(Path(scratch) / "lab")
        with _fork_server(built, layout) as asked, _judges(settings, layout, asked) as judges:
            yield from _all(files, built, Marker(judges, settings.site.language), settings)


def _all(
    files: Sequence[Path], lab: PublishedLab, marker: Marker, settings: Settings
) -> Iterator[Graded]:
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    in_hand = _at_once() * AHEAD
    for slot in range(in_hand):
        slots.put(slot)

    def one(file: Path) -> Graded:
        slot = slots.get()
        try:
            return Graded(file, _marked(file, lab, marker, settings, slot).questions)
        except UserError as error:
            return Graded(file, (), error)
        finally:
            slots.put(slot)

    with ThreadPoolExecutor(in_hand) as pool:
        try:
            yield from pool.map(one, files)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _at_once() -> int:
    return len(os.sched_getaffinity(0))


def _marked(file: Path, lab: PublishedLab, marker: Marker, settings: Settings, slot: int) -> Marked:
    content = file.read_bytes()
    refuse_size(len(content), settings)
    return marker.mark(parse(content), lab, slot)


@contextmanager
def _judges(settings: Settings, layout: Layout, fork_server: Path | None) -> Iterator[Judges]:
    # Other host users than the workers of a base that may be running.
    first = settings.accounts.uid_base - 500
    judges = Judges(settings, layout.dataset_store, Parents(fork_server, None), first, _at_once())
    try:
        yield judges
    finally:
        judges.end()


@contextmanager
def _fork_server(lab: PublishedLab, layout: Layout) -> Iterator[Path | None]:
    """The base's when it runs, else one of our own with what the lab imports."""
    running = layout.fork_for_base("kernel")
    if greets(running):
        yield running
        return
    source = nbformat.read(lab.source_notebook, as_version=4)
    with own_fork_server([*ALWAYS, *imports_of(source)], REHEARSAL) as own:
        yield own
