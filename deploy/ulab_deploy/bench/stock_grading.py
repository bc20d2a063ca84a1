"""A throw-away nbgrader course, graded as its own command does it: the stock kernel, no sandbox."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import die_with_parent
from ulab_curricula.build import Built
from ulab_deploy.bench.hub_process import without_own_variables
from ulab_deploy.supervisor import last_words

CELL_S = 60
FILE_BYTES = 1 << 28
LOG = "nbgrader.log"


class StockFailed(UserError):
    """An nbgrader command of the throw-away course failed."""

    exit_code = 4


class StockCourse:
    """A course in a folder, with one assignment.

    Parameters
    ----------
    folder
        Empty; everything is written in it.
    cell_s
        Seconds a cell may run.
    memory_mb
        Address space of each process in MiB; None for no bound.
    within
        A command that runs nbgrader's, to hold what it does.

    Raises
    ------
    StockFailed
    """

    def __init__(
        self,
        folder: Path,
        lab: str,
        built: Built,
        cell_s: int = CELL_S,
        memory_mb: int | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self.folder, self.lab, self._within = folder, lab, within
        self._cell_s, self._memory_mb = cell_s, memory_mb
        (folder / "home").mkdir(parents=True)
        (folder / "tmp").mkdir()
        (folder / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            f"c.CourseDirectory.root = {str(folder)!r}\n"
            f"c.ExecutePreprocessor.timeout = {cell_s}\n"
            f"c.Execute.timeout = {cell_s}\n"
        )
        source = folder / "source" / lab / f"{lab}.ipynb"
        source.parent.mkdir(parents=True)
        nbformat.write(built.canonical, str(source))
        self._nbgrader("generate_assignment", lab)

    def submit(self, student: str, content: bytes) -> None:
        """Put a notebook where nbgrader collects what a student handed in."""
        path = self.folder / "submitted" / student / self.lab / f"{self.lab}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)

    def autograde(self, student: str | None = None, timeout_s: float | None = None) -> None:
        """Grade one student's or everybody's submission, one after the other.

        Raises
        ------
        StockFailed
        subprocess.TimeoutExpired
        """
        chosen = [f"--student={student}"] if student else []
        self._nbgrader("autograde", self.lab, *chosen, timeout_s=timeout_s)

    def grades(self, student: str) -> dict[str, float] | None:
        """Points by the grade id of the test cell; None when nbgrader did not grade it."""
        url = f"sqlite:///{self.folder / 'gradebook.db'}"
        with Gradebook(url) as gradebook:
            try:
                found = gradebook.find_submission(self.lab, student)
            except MissingEntry:
                return None
            scores = [grade for book in found.notebooks for grade in book.grades]
            if not scores or any(
                grade.auto_score is None and grade.needs_manual_grade for grade in scores
            ):
                return None
            return {grade.cell.name: float(grade.score) for grade in scores}

    def _nbgrader(self, *words: str, timeout_s: float | None = None) -> None:
        log = self.folder / LOG
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*self._within, sys.executable, "-m", "nbgrader", *words],
                cwd=self.folder,
                env=self._environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=self._prepare,
            )
            try:
                status = process.wait(timeout_s)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if status:
            said = log.read_text(errors="replace")
            raise StockFailed(
                mark("nbgrader {command} failed. It said at last:\n{said}"),
                command=words[0],
                said="\n".join(last_words(said)),
            )

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        # Its kernel is the program that is called python.
        programs = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
        return without_own_variables(environ) | {
            "PATH": programs,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "OMP_NUM_THREADS": "1",
        }

    def _prepare(self) -> None:
        die_with_parent()
        if self._memory_mb is not None:
            size = self._memory_mb << 20
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
