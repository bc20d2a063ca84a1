"""Grades notebook files on the spot, as submissions are judged, with no base running."""

from __future__ import annotations

import os
import queue
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_coursework.judging import AHEAD, Judges
from ulab_coursework.marking import Marked, Marker, Narrow, Question
from ulab_coursework.notebooks import parse
from ulab_coursework.submissions import refuse_size
from ulab_curricula import BadLab, Lab, PublishedLab, build_lab, load_built
from ulab_curricula.build import DRAFT
from ulab_curricula.imports import imports_of
from ulab_curricula.source import CANONICAL
from ulab_curricula.source import notebook as source_of
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


@dataclass(frozen=True)
class Notebook:
    """A notebook to grade.

    Attributes
    ----------
    file
        What it is called.
    read
        Gives its content; called where it is graded.
    narrow
        As `Marker.mark` has it.
    """

    file: Path
    read: Callable[[], bytes]
    narrow: Narrow = lambda notebook: notebook


def grade_files(
    lab: Lab, files: Sequence[Path], settings: Settings, layout: Layout
) -> Iterator[Graded]:
    """Grade files of one lab; as `grade_notebooks`, which gives the errors too."""
    notebooks = [Notebook(file, file.read_bytes) for file in files]
    with judges_of([lab], settings, layout) as judges:
        yield from grade_notebooks(lab, notebooks, settings, judges)


def grade_notebooks(
    lab: Lab, notebooks: Sequence[Notebook], settings: Settings, judges: Judges
) -> Iterator[Graded]:
    """Grade notebooks of one lab, as many at once as there are processors, and give them in order.

    Raises
    ------
    BadLab
        The lab can't be built.
    """
    with tempfile.TemporaryDirectory(prefix="ulab-grade-") as scratch:
        build_lab(lab, Path(scratch) / "lab")
        built = load_built(Path(scratch) / "lab")
        yield from _all(notebooks, built, Marker(judges, settings.site.language), settings)


@contextmanager
def judges_of(labs: Sequence[Lab], settings: Settings, layout: Layout) -> Iterator[Judges]:
    """Judges for these labs, forked from what has imported their imports.

    Parameters
    ----------
    layout
        Where the data sets are; nothing that stays is written there.
    """
    # Other host users than the workers of a base that may be running.
    first = settings.accounts.uid_base - 500
    with _fork_server(labs, layout) as fork_server:
        judges = Judges(
            settings, layout.dataset_store, Parents(fork_server, None), first, _at_once()
        )
        try:
            yield judges
        finally:
            judges.end()


def _all(
    notebooks: Sequence[Notebook], lab: PublishedLab, marker: Marker, settings: Settings
) -> Iterator[Graded]:
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    in_hand = _at_once() * AHEAD
    for slot in range(in_hand):
        slots.put(slot)

    def one(notebook: Notebook) -> Graded:
        slot = slots.get()
        try:
            return Graded(notebook.file, _marked(notebook, lab, marker, settings, slot).questions)
        except UserError as error:
            return Graded(notebook.file, (), error)
        finally:
            slots.put(slot)

    with ThreadPoolExecutor(in_hand) as pool:
        try:
            yield from pool.map(one, notebooks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _at_once() -> int:
    return len(os.sched_getaffinity(0))


def _marked(
    notebook: Notebook, lab: PublishedLab, marker: Marker, settings: Settings, slot: int
) -> Marked:
    content = notebook.read()
    refuse_size(len(content), settings)
    return marker.mark(parse(content), lab, slot, narrow=notebook.narrow)


@contextmanager
def _fork_server(labs: Sequence[Lab], layout: Layout) -> Iterator[Path | None]:
    """The base's when it runs, else one of our own with what the labs import."""
    running = layout.fork_for_base("kernel")
    if greets(running):
        yield running
        return
    imports = dict.fromkeys(name for lab in labs for name in _imports(lab))
    with own_fork_server([*ALWAYS, *imports], REHEARSAL) as own:
        yield own


def _imports(lab: Lab) -> list[str]:
    try:
        return imports_of(source_of(lab, CANONICAL, DRAFT))
    except BadLab:
        return []  # said where it is built
