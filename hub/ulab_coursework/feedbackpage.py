"""A graded notebook as a page for its student: what came of each question, and no hidden test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from ulab_core.i18n import mark, translations
from ulab_coursework.formulas import Formulas
from ulab_coursework.graded import Marks
from ulab_coursework.harmless import harmless_html
from ulab_coursework.markdown import harmless_markdown
from ulab_coursework.notebooks import grade_id_of
from ulab_coursework.outputs import hidden_lines, without_hidden
from ulab_coursework.questions import comment_of, questions, sentences
from ulab_runtime.judge.verdicts import Verdict

_TEMPLATES = Path(__file__).parent / "templates"

WORDS = {
    "answer": mark("Your answer"),
    "test": mark("Test"),
    "comment": mark("Comment:"),
    "questions": mark("Question by question"),
    "tested": mark("What is tested:"),
    "sum": mark("All questions together, before points are taken off for being late:"),
    "own_code": mark("In your code"),
    "notebook": mark("Your notebook"),
    "waiting": mark("to be graded by your instructor"),
}
NOTICE = mark("(An output that quotes a hidden test is not shown.)")


def render_feedback(
    graded: nbformat.NotebookNode,
    release: dict[str, Any],
    verdicts: Sequence[Verdict],
    marks: Marks,
    title: str,
    language: str,
) -> str:
    """Write the page: a summary of each question, then the notebook by nbconvert's exporter.

    Parameters
    ----------
    graded
        The executed notebook, hidden tests included; it is not changed.
    release
        What the student had been given: locked cells are shown as they stand there.
    verdicts
        What the judge found.
    marks
        Points and comments, and what had to be mended.
    title
        The lab's.
    """
    hidden = hidden_lines(cell.source for cell in graded.cells)
    translate = translations(language).gettext
    told = questions(release, verdicts, marks, hidden, language)
    shown = {question.cell: question for question in told}
    in_questions = {line for question in told for line in question.warnings}
    warnings = sentences(marks.remarks, release, language).values()
    resources = {
        "ulab": {
            "title": title,
            "language": language,
            "words": {key: translate(word) for key, word in WORDS.items()},
            "questions": told,
            "by_cell": shown,
            "comments": {
                name: comment_of(found, translate)
                for name, found in marks.cells.items()
                if found.comment
            },
            "notes": [line for lines in warnings for line in lines if line not in in_questions],
            "points": sum(question.points or 0.0 for question in told),
            "max_points": sum(question.max_points for question in told),
        }
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
    formulas = Formulas()

    @pass_context
    def markdown(context: Any, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        return harmless_markdown(
            source, formulas, escape=False, exclude_anchor_links=True, attachments=attachments
        )

    exporter.register_filter("markdown2html", markdown)
    exporter.register_filter("comment_html", comment_html)
    page, _ = exporter.from_notebook_node(redacted(graded, release, language), resources)
    return page


def comment_html(comment: str) -> str:
    """A comment, which formgrader offers to write in Markdown; HTML in it stays text."""
    return harmless_markdown(comment, Formulas(), escape=True)


def redacted(
    graded: nbformat.NotebookNode, release: dict[str, Any], language: str
) -> nbformat.NotebookNode:
    """A copy without hidden tests, neither in sources nor in what the outputs quote of them."""
    notice = translations(language).gettext(NOTICE)
    public = {i: cell for cell in release["cells"] if (i := grade_id_of(cell)) is not None}
    hidden = hidden_lines(cell.source for cell in graded.cells)
    notebook = nbformat.from_dict(graded)
    notebook.cells = [nbformat.from_dict(dict(cell)) for cell in graded.cells]
    for cell in notebook.cells:
        original = public.get(grade_id_of(cell) or "")
        if original is not None and not cell.metadata.nbgrader.get("solution"):
            source = original["source"]
            cell.source = source if isinstance(source, str) else "".join(source)
        if cell.cell_type == "code":
            cell.outputs = without_hidden(cell.outputs, hidden, notice)
    return notebook
