"""Grades notebook files on the spot, as a submission would be, with no base running."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader import utils

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_coursework.assign import fill_gradebook
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.execution import execute
from ulab_coursework.grades import stderr_is_no_error
from ulab_coursework.notebooks import check_belongs, language_of, parse
from ulab_coursework.sanitise import sanitise
from ulab_coursework.submissions import refuse_size
from ulab_curricula import Lab, PublishedLab, build_lab, load_built

_COURSE = "grade"


class NotRun(UserError):
    """The sandbox could not even start the notebook."""

    exit_code = 4


@dataclass(frozen=True)
class GradedCell:
    """What one test cell earned, and what it said when it failed.

    Attributes
    ----------
    points
        None for a cell that a person grades.
    """

    cell: str
    points: float | None
    max_points: float
    said: str


@dataclass(frozen=True)
class Graded:
    """How one file did.

    Attributes
    ----------
    problem
        Why it was not graded; None when it was.
    """

    file: Path
    cells: tuple[GradedCell, ...]
    problem: UserError | None = None

    @property
    def points(self) -> float:
        return sum(cell.points or 0.0 for cell in self.cells)

    @property
    def max_points(self) -> float:
        return sum(cell.max_points for cell in self.cells)


def grade_files(
    lab: Lab, files: Sequence[Path], settings: Settings, layout: Layout
) -> Iterator[Graded]:
    """Grade files of one lab, one after the other.

    Parameters
    ----------
    layout
        Where the data sets are; nothing that stays is written there.

    Raises
    ------
    BadLab
        The lab can't be built.
    """
    with tempfile.TemporaryDirectory(dir=layout.root, prefix=".grade-") as scratch:
        bench = Layout(Path(scratch))
        bench.prepare()
        folder = bench.root / "lab"
        build_lab(lab, folder)
        built = load_built(folder)
        fill_gradebook(bench, _COURSE, 1, built, None)
        for file in files:
            try:
                cells = _grade(built, file, settings, bench, layout.dataset_store)
                yield Graded(file, tuple(cells))
            except UserError as error:
                yield Graded(file, (), error)


def _grade(
    lab: PublishedLab, file: Path, settings: Settings, bench: Layout, dataset_store: Path
) -> list[GradedCell]:
    content = file.read_bytes()
    refuse_size(len(content), settings)
    submitted = parse(content)
    language = language_of(submitted, settings.site.language)
    release = json.loads(lab.release_notebook(language).read_bytes())
    check_belongs(submitted, lab.id, release)
    prepared = sanitise(submitted, release, gradebook_url(bench, _COURSE), lab.id)
    done = execute(prepared.notebook, settings, dataset_store, bench.root / "scratch", language)
    if not done.started:
        raise NotRun(mark("The sandbox did not start the notebook: {log}"), log=done.log.strip())
    return [_graded(cell) for cell in _test_cells(stderr_is_no_error(done.notebook))]


def _test_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    return (cell for cell in notebook.cells if utils.is_grade(cell))


def _graded(cell: nbformat.NotebookNode) -> GradedCell:
    points, max_points = utils.determine_grade(cell)
    errors = [
        f"{output.ename}: {output.evalue}".removesuffix(": ")
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]
    return GradedCell(cell.metadata.nbgrader["grade_id"], points, max_points, " ".join(errors))
