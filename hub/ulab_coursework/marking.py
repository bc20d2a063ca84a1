"""Marking one notebook of a lab: rebuild it, have it judged, add up. Nothing is stored here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import nbformat
from nbgrader import utils

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_coursework.grades import Score, score_of
from ulab_coursework.judging import Judges, Tests
from ulab_coursework.notebooks import check_belongs, language_of
from ulab_coursework.template import Rebuilt, rebuild
from ulab_curricula import PublishedLab
from ulab_runtime.judge import trial
from ulab_runtime.judge.verdicts import Kind, Verdict, points

Narrow = Callable[[nbformat.NotebookNode], nbformat.NotebookNode]


class NotStarted(UserError):
    """The sandbox could not even start the notebook."""

    exit_code = 4


@dataclass(frozen=True)
class Question:
    """What one marked cell earned.

    Attributes
    ----------
    points
        None for what a person has yet to grade.
    verdict
        The judge's; None for a cell that no judge sees.
    """

    id: str
    points: float | None
    max_points: float
    verdict: Verdict | None


@dataclass(frozen=True)
class Marked:
    """A notebook that was judged.

    Attributes
    ----------
    rebuilt
        The notebook with outputs, and what of it had to be mended.
    questions
        Every cell that has points, in order.
    """

    rebuilt: Rebuilt
    verdicts: Mapping[str, Verdict]
    questions: tuple[Question, ...]

    @property
    def notebook(self) -> nbformat.NotebookNode:
        return self.rebuilt.notebook

    @property
    def undecided(self) -> frozenset[str]:
        """The tests that a person is to give points for, since they could not be judged."""
        found = self.verdicts.values()
        return frozenset(one.question for one in found if one.kind is Kind.UNDECIDED)

    @property
    def score(self) -> Score:
        return score_of(self.notebook, self.undecided)


class Marker:
    """Marks notebooks of labs; a lab's files are read once.

    Parameters
    ----------
    language
        The one of a notebook that doesn't say.
    """

    def __init__(self, judges: Judges, language: str) -> None:
        self._judges = judges
        self._language = language
        self._labs: dict[str, _Lab] = {}
        self._lock = threading.Lock()

    def mark(
        self,
        submitted: dict[str, Any],
        lab: PublishedLab,
        slot: int = 0,
        progress: trial.Progress = lambda question, done, of: None,
        begin: Callable[[], None] = lambda: None,
        narrow: Narrow = lambda notebook: notebook,
    ) -> Marked:
        """Mark a notebook that `notebooks.parse` read.

        Parameters
        ----------
        slot, progress, begin
            As `Judges.judge` has them.
        narrow
            Leaves out cells of the rebuilt notebook that need not run; those are not marked.

        Raises
        ------
        OtherAssignment
            It is of another lab.
        NotStarted
            Its code could not be run at all.
        BrokenTests, SandboxUnavailable
            As `Judges.judge` says.
        """
        known = self._known(lab)
        language = language_of(submitted, self._language)
        release = known.release(language)
        check_belongs(submitted, lab.id, release)
        rebuilt = rebuild(submitted, release, known.source)
        rebuilt = replace(rebuilt, notebook=narrow(rebuilt.notebook))
        judged = self._judges.judge(rebuilt.notebook, known.tests, language, slot, progress, begin)
        if not judged.started:
            raise NotStarted(
                mark("The sandbox did not start the notebook: {log}"), log=judged.log.strip()
            )
        questions = tuple(_questions(judged.notebook, judged.verdicts))
        return Marked(rebuilt, judged.verdicts, questions)

    def _known(self, lab: PublishedLab) -> _Lab:
        with self._lock:
            if lab.digest not in self._labs:
                self._labs.clear()  # a class is graded lab by lab
                self._labs[lab.digest] = _Lab(lab)
            return self._labs[lab.digest]


class _Lab:
    """A lab's notebooks, read."""

    def __init__(self, lab: PublishedLab) -> None:
        self._lab = lab
        content = lab.source_notebook.read_text(encoding="utf-8")
        self.source: dict[str, Any] = json.loads(content)
        self.tests = Tests.of(nbformat.reads(content, as_version=4), lab.digest)
        self._releases: dict[str, dict[str, Any]] = {}

    def release(self, language: str) -> dict[str, Any]:
        if language not in self._releases:
            content = self._lab.release_notebook(language).read_bytes()
            self._releases[language] = json.loads(content)
        return self._releases[language]


def _questions(notebook: nbformat.NotebookNode, verdicts: Mapping[str, Verdict]) -> list[Question]:
    found = []
    for cell in notebook.cells:
        if not (utils.is_grade(cell) or utils.is_task(cell)):
            continue
        name, most = cell.metadata.nbgrader["grade_id"], float(cell.metadata.nbgrader["points"])
        verdict = verdicts.get(name)
        earned = points(verdict, most) if verdict is not None else None
        found.append(Question(name, earned, most, verdict))
    return found
