"""A graded notebook as a page for its student: scores and comments in, hidden tests out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.preprocessors import GetGrades
from traitlets.config import Config

from ulab_core.i18n import mark, translations
from ulab_coursework.assign import resources_of
from ulab_coursework.harmless import harmless_html
from ulab_coursework.notebooks import grade_id_of
from ulab_coursework.outputs import hidden_lines, without_hidden
from ulab_coursework.shown_grades import grade_stamps
from ulab_coursework.titles import cell_titles

_NBGRADERS_NO_RESPONSE = "No response."
_TEMPLATES = Path(__file__).parent / "templates"

WORDS = {
    "answer": mark("Your answer"),
    "test": mark("Test"),
    "comment": mark("Comment:"),
    "part": mark("Part"),
    "points": mark("Points"),
    "waiting": mark("to be graded by your instructor"),
}
NO_RESPONSE = mark("No answer was given.")
NOTICE = mark("(An output that quotes a hidden test is not shown.)")
MISSING = mark("The cell {cell} was missing from your notebook and was put back for grading.")
DUPLICATED = mark("The cell {cell} was there more than once; the last one was graded.")


def notes(
    missing: Sequence[str], duplicated: Sequence[str], release: dict[str, Any], language: str
) -> list[str]:
    """Sentences about what had to be mended before grading."""
    translate, titles = translations(language).gettext, cell_titles(release)
    return [
        translate(sentence).format(cell=titles.get(cell, cell))
        for sentence, cells in ((MISSING, missing), (DUPLICATED, duplicated))
        for cell in cells
    ]


def render(
    autograded: nbformat.NotebookNode,
    release: dict[str, Any],
    gradebook: str,
    assignment: str,
    student: str,
    title: str,
    language: str,
    remarks: Sequence[str] = (),
) -> str:
    """Write the page with nbgrader's grades and nbconvert's exporter.

    Parameters
    ----------
    autograded
        The executed notebook, hidden tests included; it is not changed.
    release
        What the student had been given: locked cells are shown as they stand there.
    gradebook
        Where scores and comments are read.
    remarks
        Sentences to show at the top.
    """
    notebook = redacted(autograded, release, language)
    resources = resources_of(gradebook, assignment, student)
    notebook, resources = GetGrades().preprocess(notebook, resources)
    translate = translations(language).gettext
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("comment") == _NBGRADERS_NO_RESPONSE:
            cell.metadata.nbgrader["comment"] = translate(NO_RESPONSE)
    resources["ulab"] = {
        "waiting": _waiting(gradebook, assignment, student),
        "grades": grade_stamps(gradebook, assignment, student).get(student, ""),
        "title": title,
        "cell_titles": cell_titles(release),
        "language": language,
        "notes": list(remarks),
        "words": {key: translate(word) for key, word in WORDS.items()},
    }
    config = Config()
    config.HTMLExporter.template_name = "ulab_feedback"
    config.HTMLExporter.extra_template_basedirs = [str(_TEMPLATES)]
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.exclude_anchor_links = True
    # No preprocessor may run code or fetch anything.
    config.Exporter.default_preprocessors = ["nbconvert.preprocessors.CSSHTMLHeaderPreprocessor"]
    exporter = HTMLExporter(config=config)
    exporter.register_filter("clean_html", harmless_html)
    page, _ = exporter.from_notebook_node(notebook, resources)
    return page


def _waiting(url: str, assignment: str, student: str) -> set[str]:
    """The cells that a person has yet to give points for."""
    with Gradebook(url) as gradebook:
        submission = gradebook.find_submission(assignment, student)
        return {
            grade.name
            for notebook in submission.notebooks
            for grade in notebook.grades
            if grade.needs_manual_grade and grade.auto_score is None and grade.manual_score is None
        }


def redacted(
    autograded: nbformat.NotebookNode, release: dict[str, Any], language: str
) -> nbformat.NotebookNode:
    """A copy without hidden tests, neither in sources nor in what the outputs quote of them."""
    notice = translations(language).gettext(NOTICE)
    public = {i: cell for cell in release["cells"] if (i := grade_id_of(cell)) is not None}
    hidden = hidden_lines(cell.source for cell in autograded.cells)
    notebook = nbformat.from_dict(autograded)
    notebook.cells = [nbformat.from_dict(dict(cell)) for cell in autograded.cells]
    for cell in notebook.cells:
        original = public.get(grade_id_of(cell) or "")
        if original is not None and not cell.metadata.nbgrader.get("solution"):
            source = original["source"]
            cell.source = source if isinstance(source, str) else "".join(source)
        if cell.cell_type == "code":
            cell.outputs = without_hidden(cell.outputs, hidden, notice)
    return notebook
