"""Having a submission judged: its code in one sandbox, the lab's tests in another."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import nbformat

from ulab_core.settings import Settings
from ulab_coursework.filling import fill
from ulab_coursework.notebooks import grade_id_of
from ulab_coursework.outputs import Budget, admit
from ulab_curricula.imports import imports_of
from ulab_curricula.questions import Question as Test
from ulab_curricula.questions import questions
from ulab_runtime.judge import benches, trial
from ulab_runtime.judge.benches import Bench, Benches
from ulab_runtime.judge.clocks import Clocks
from ulab_runtime.judge.parents import Parents
from ulab_runtime.judge.record import Cell, Question, Step
from ulab_runtime.judge.seat import Seat, take_seat
from ulab_runtime.judge.verdicts import Verdict
from ulab_runtime.kernel import KERNELS
from ulab_runtime.limits import Limits
from ulab_runtime.sandbox import Mount, SandboxSpec, environment_mounts

STUDENT_MODULE = "ulab_runtime.judge.student"
PACKAGES = ("ulab", "ulab_runtime", "ulab_core", "ulab_datasets", "ulab_mlflow")
DATASETS = "/srv/datasets"
AHEAD = 2
"""How many submissions to have in hand for each that runs: others get ready, or are being saved."""


@dataclass(frozen=True)
class Judged:
    """What came of judging a notebook.

    Attributes
    ----------
    notebook
        The notebook with outputs; those of test cells say what nbgrader is to make of them.
    verdicts
        By the test cell's grade id.
    started
        Whether the notebook's code ran at all; if not, it is our failure and not the student's.
    log
        What its processes wrote, for whoever looks after the base.
    """

    notebook: nbformat.NotebookNode
    verdicts: Mapping[str, Verdict]
    started: bool
    log: str


@dataclass(frozen=True)
class Tests:
    """A lab's questions in one version.

    Attributes
    ----------
    key
        The same for the same tests, and for no others.
    imports
        The modules that its cells import, answers included.
    """

    key: str
    questions: Sequence[Test]
    imports: Sequence[str] = ()

    @classmethod
    def of(cls, source: nbformat.NotebookNode, digest: str) -> Tests:
        return cls(digest, questions(source), imports_of(source))


class Judges:
    """Judges notebooks, and keeps what can be used again.

    Parameters
    ----------
    dataset_store
        The folder of data sets, shown read-only.
    parents
        What their processes are forked from.
    first_uid
        As root: the highest host user that may be used; each slot has two, downwards from there.
    at_once
        How many submissions may run at the same time, so that each has a core to itself; None
        for all that are judged. Others are got ready meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        dataset_store: Path,
        parents: Parents,
        first_uid: int | None = None,
        at_once: int | None = None,
    ) -> None:
        self._settings = settings
        self._store = dataset_store
        self._parents = parents
        self._first_uid = settings.accounts.uid_base - 1 if first_uid is None else first_uid
        self._benches = Benches()
        self._turns: AbstractContextManager[object] = (
            nullcontext() if at_once is None else threading.Semaphore(at_once)
        )

    def judge(
        self,
        notebook: nbformat.NotebookNode,
        tests: Tests,
        language: str,
        slot: int = 0,
        progress: trial.Progress = lambda question, done, of: None,
        begin: Callable[[], None] = lambda: None,
    ) -> Judged:
        """Run a notebook and its tests.

        Parameters
        ----------
        notebook
            As `template.rebuild` made it. Its outputs are filled in.
        slot
            Tells what is judged at the same time apart.
        progress
            As `trial.hold` calls it.
        begin
            Called right before the first cell runs; what it raises ends the judging.

        Raises
        ------
        BrokenTests
            The lab's own code fails.
        SandboxUnavailable
            The machine lacks what a sandbox needs.
        """
        grading = self._settings.grading
        clocks = Clocks(grading.cell_timeout_s, grading.job_timeout_s)
        parents = self._parents.of(tests.key, tests.imports)
        # Once the lab has a parent of its own, its bench is better off there too.
        key = f"{tests.key} {language} {parents}"
        bench = self._benches.borrow(key, lambda: self._bench(tests, language, parents))
        budget = Budget()
        try:
            record = trial.hold(
                trial.Seats(
                    bench.sit, lambda *lines: self._student(language, slot, parents, lines)
                ),
                steps_of(notebook, {test.id for test in tests.questions}),
                clocks,
                language,
                lambda outputs: admit(outputs, budget),
                progress,
                self._turn(begin),
            )
        finally:
            self._benches.give_back(bench)
        fill(notebook, record, self._settings, language)
        return Judged(notebook, record.verdicts, record.started, record.log)

    @contextmanager
    def _turn(self, begin: Callable[[], None]) -> Iterator[None]:
        with self._turns:
            begin()
            yield

    def end(self) -> None:
        self._benches.end()
        self._parents.end()

    def _student(
        self, language: str, slot: int, parents: Sequence[Path], lines: Sequence[socket.socket]
    ) -> Seat:
        spec = sandbox_spec(self._settings, self._store, language, self._uid(2 * slot))
        return take_seat(spec, parents, STUDENT_MODULE, lines)

    def _bench(self, tests: Tests, language: str, parents: Sequence[Path]) -> Bench:
        # Judges of all labs share a user: they run the base's code and instructors' tests.
        spec = sandbox_spec(self._settings, self._store, language, self._uid(1))
        control, theirs = socket.socketpair()
        with closing(theirs):
            bench = Bench(take_seat(spec, parents, benches.MODULE, [theirs]), control)
        try:
            bench.load([_step(test) for test in tests.questions], language)
        except BaseException:
            bench.end()
            raise
        return bench

    def _uid(self, number: int) -> int | None:
        return self._first_uid - number if os.geteuid() == 0 else None


def _step(test: Test) -> dict[str, object]:
    return {
        "id": test.id,
        "source": test.source,
        "given": list(test.given),
        "asks": list(test.asks),
        "defines": list(test.defines),
    }


def steps_of(notebook: nbformat.NotebookNode, tests: set[str]) -> list[Step]:
    """A rebuilt notebook's code cells in order; tests are the judge's to run."""
    steps: list[Step] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        name = grade_id_of(cell)
        if name in tests:
            steps.append(Question(name))
        elif cell.source.strip():
            steps.append(Cell(cell.id, cell.source))
    return steps


def sandbox_spec(
    settings: Settings, dataset_store: Path, language: str, uid: int | None
) -> SandboxSpec:
    """The sandbox of a submission's code, and of a judge: no network, and nothing that stays."""
    grading = settings.grading
    mounts = [*environment_mounts(PACKAGES)]
    if dataset_store.is_dir():
        mounts.append(Mount(dataset_store, DATASETS))
    return SandboxSpec(
        command=[sys.executable],
        mounts=mounts,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "JUPYTER_PATH": str(KERNELS.parent),
            "ULAB_MEMORY_MB": str(grading.memory_mb),
            "ULAB_GRADING": "1",
            "ULAB_LANGUAGE": language,
            "ULAB_DATASETS": DATASETS,
            "NBGRADER_EXECUTION": "autograde",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            # A notebook that tracks a run must not fail for want of the server.
            "MLFLOW_TRACKING_URI": "file:///tmp/mlruns",
            "MLFLOW_ALLOW_FILE_STORE": "true",
        },
        # In memory, so that files count as memory and nothing has to be removed.
        cwd="/tmp",
        network=False,
        limits=Limits(
            memory_mb=grading.memory_mb,
            # A lab's grading time is promised for one core, whatever the machine has.
            cpus=1.0,
            processes=settings.limits.processes,
            file_mb=256,
        ),
        uid=uid,
        gid=uid,
        user="grader",
    )
