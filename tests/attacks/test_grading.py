"""Cheats and accidents: whatever is handed in gets the score it must, and grading goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks.grading_notebooks import Attempt, attempts, lab, notebook, points

from ulab_core.layout import Layout
from ulab_core.settings import Grading, Server, Settings
from ulab_deploy.grade import Graded, grade_files

ATTEMPTS = attempts()
LEFT = "left-by-an-attempt"
CELL_S, JOB_S = 5, 40


class Grader:
    """Grades the notebooks that were asked for, in their order, each when it is wanted.

    Parameters
    ----------
    folder
        Empty; state and files are written in it.
    """

    def __init__(self, folder: Path, wanted: list[Attempt]) -> None:
        self.wanted = wanted
        self._folder = folder
        self._settings = Settings(
            server=Server(state_dir=folder / "state"),
            grading=Grading(cell_timeout_s=CELL_S, job_timeout_s=JOB_S, memory_mb=1024),
        )
        self._layout = Layout.of(self._settings)
        self._layout.prepare()
        self._done: dict[str, Graded] = {}
        self._running: dict[str, Iterator[Graded]] = {}
        self._files: dict[str, list[Path]] = {}
        for attempt in wanted:
            file = self._file(attempt)
            file.write_bytes(notebook(attempt))
            self._files.setdefault(attempt.lab, []).append(file)

    def _file(self, attempt: Attempt) -> Path:
        return self._folder / f"{attempt.name}.ipynb"

    def graded(self, attempt: Attempt) -> Graded:
        name = attempt.lab
        while attempt.name not in self._done:
            if name not in self._running:
                left = [file for file in self._files[name] if file.stem not in self._done]
                self._running[name] = iter(
                    grade_files(lab(name), left, self._settings, self._layout)
                )
            try:
                result = next(self._running[name])
            except BaseException:
                # Whatever one file does to the grader, the ones after it are graded.
                del self._running[name]
                self._files[name].remove(self._file(attempt))
                raise
            self._done[result.file.stem] = result
        return self._done[attempt.name]


@pytest.fixture(scope="module")
def grader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grader:
    found = [
        item.callspec.params["attempt"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.fspath == request.fspath
        and hasattr(item, "callspec")
    ]
    return Grader(tmp_path_factory.mktemp("graded"), found or ATTEMPTS)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_it_gets_the_score_it_must(grader: Grader, attempt: Attempt) -> None:
    result = grader.graded(attempt)
    if attempt.refused:
        assert result.problem is not None
        return
    assert result.problem is None, result.problem
    most = {cell.id: cell.max_points for cell in result.questions}
    assert most == points(attempt.lab)
    bounds = attempt.bounds(most)
    wrong = {
        cell.id: (cell.points, cell.verdict)
        for cell in result.questions
        if cell.points is None or not bounds[cell.id][0] <= cell.points <= bounds[cell.id][1]
    }
    assert not wrong, wrong


def test_none_leaves_a_process(grader: Grader) -> None:
    # Not after each: the one that tries may be graded at that moment, beside others.
    for attempt in grader.wanted:
        grader.graded(attempt)
    assert not left_processes()


def left_processes() -> list[str]:
    """Processes that an attempt started and that outlived its grading."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if LEFT.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_there_are_attempts_of_each_kind() -> None:
    """So that a folder that was not read is no success."""
    kinds = [attempt.kind for attempt in ATTEMPTS]
    assert kinds.count("cheat") >= 40
    assert kinds.count("accident") >= 20
    assert kinds.count("honest") >= 10
