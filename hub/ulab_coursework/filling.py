"""What came of a submission's cells, put into its notebook as nbgrader reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import nbformat
from nbgrader import utils

from ulab_core.i18n import mark, translations
from ulab_core.settings import Settings
from ulab_coursework.notebooks import grade_id_of
from ulab_runtime.judge.record import Record
from ulab_runtime.judge.verdicts import Kind, Verdict

SENTENCES: Mapping[str, str] = {
    "timed_out": mark("This cell ran longer than {seconds} seconds and was stopped."),
    "died": mark(
        "The kernel ended while this cell ran. It may have used more memory than there is."
    ),
    "out_of_memory": mark("This cell used more memory than the {memory} MB there are."),
    "not_run": mark(
        "This cell was not run, because an earlier one ended the kernel or used up the time."
    ),
}


def fill(
    notebook: nbformat.NotebookNode, record: Record, settings: Settings, language: str
) -> None:
    """Put outputs into the notebook's code cells.

    nbgrader gives full points to a test cell that shows no error, so each gets what its verdict
    says and nothing else.
    """
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        verdict = record.verdicts.get(grade_id_of(cell) or "")
        if verdict is not None:
            cell.outputs = [
                nbformat.from_dict(output) for output in shown(verdict, settings, language)
            ]
            continue
        run = record.cells.get(cell.id)
        cell.outputs = list(run.outputs) if run is not None else []
        if run is not None and run.status in SENTENCES:
            cell.outputs.append(_error("ULab", sentence(run.status, settings, language)))
        elif utils.is_grade(cell) and not utils.is_solution(cell):
            raise ValueError(f"no verdict on {grade_id_of(cell)}")


def shown(verdict: Verdict, settings: Settings, language: str) -> list[nbformat.NotebookNode]:
    """A verdict as the outputs of its cell, from which nbgrader takes the points."""
    if verdict.kind is Kind.PASSED:
        return []
    if verdict.kind is Kind.PARTIAL:
        data = {"text/plain": repr(verdict.value)}
        return [nbformat.v4.new_output("execute_result", data=data)]
    if verdict.kind in SENTENCES:
        return [_error("ULab", sentence(verdict.kind, settings, language))]
    name, _, message = verdict.reason.partition(": ")
    return [_error(name, message, verdict.student_traceback)]


def sentence(how: str, settings: Settings, language: str) -> str:
    """Why a cell did not come to a good end."""
    return (
        translations(language)
        .gettext(SENTENCES[how])
        .format(seconds=settings.grading.cell_timeout_s, memory=settings.grading.memory_mb)
    )


def _error(name: str, message: str, traceback: Sequence[str] = ()) -> nbformat.NotebookNode:
    last = f"{name}: {message}" if name != "ULab" else message
    return nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[*traceback, last])
