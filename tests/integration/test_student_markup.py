"""What a student wrote, in the pages where others read it: it may look, and may not act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import nbgrader.server_extensions.formgrader as stock
import pytest
from bs4 import BeautifulSoup
from integration.coursework_support import (
    answer,
    grade_all,
    hand_in,
    make_base,
    newest,
)
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import base as formgrader_base
from traitlets.config import Config

from ulab_coursework import formgrader
from ulab_coursework.feedback import feedback_html

EVIL = '"\'><script>steal()</script><img src=x onerror="steal()"><iframe src=/hub/token></iframe>'
MARKDOWN = f"**bold** [a](javascript:steal())\n\n{EVIL}\n\n${EVIL}$\n\n```x{EVIL}\nq\n```"
MIME_TYPES = ("image/png", "image/jpeg", "text/html", "text/latex", "text/markdown", "text/plain")


def acts(page: str) -> list[str]:
    """Everything on a page that a student made and that could run in the reader's browser."""
    found = BeautifulSoup(page, "html.parser")
    return [
        str(tag)[:200]
        for tag in found.find_all(True)
        if (tag.name == "script" and "steal" in tag.text)
        or tag.name == "iframe"
        or any(name.startswith("on") and "steal" in str(tag[name]) for name in tag.attrs)
        or str(tag.get("href", "")).startswith("javascript:")
    ]


def hostile_notebook() -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("display_data", {kind: EVIL}) for kind in MIME_TYPES]
    outputs += [
        nbformat.v4.new_output("error", ename=EVIL, evalue=EVIL, traceback=[EVIL]),
        nbformat.v4.new_output("stream", name="stdout", text=EVIL),
    ]
    cells = []
    kinds: tuple[dict[str, Any], ...] = ({}, {"solution": True}, {"grade": True})
    for number, flags in enumerate(kinds):
        about = {
            "grade": False, "solution": False, "locked": False, "task": False,
            "schema_version": 3, "grade_id": f"c{number}", "points": 1, "score": 0, **flags,
        }  # fmt: skip
        for cell in (
            nbformat.v4.new_code_cell(EVIL, outputs=outputs),
            nbformat.v4.new_markdown_cell(MARKDOWN),
            nbformat.v4.new_raw_cell(EVIL, metadata={"raw_mimetype": "text/html"}),
        ):
            if flags:
                cell.metadata["nbgrader"] = about
            cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def test_formgraders_page_of_a_hostile_notebook_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(formgrader_base, "NbGraderAPI", formgrader_base.NbGraderAPI)
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    templates = Path(stock.__file__).parent / "templates"
    config.HTMLExporter.extra_template_basedirs = [str(templates)]
    config.HTMLExporter.sanitize_html = True
    exporter = HTMLExporter(config=config)
    resources = dict.fromkeys(
        ("assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name",
         "first_name", "notebook_path"), "x",
    ) | {"index": 0, "total": 1}  # fmt: skip

    def page() -> str:
        return str(exporter.from_notebook_node(hostile_notebook(), resources=dict(resources))[0])

    assert acts(page()), "nbgrader cleans by itself now, so our filter can go"
    formgrader.install(exporter)
    assert acts(page()) == []
    assert "<strong>bold</strong>" in page()


def test_the_feedback_page_of_a_hostile_notebook_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_base(tmp_path, monkeypatch)
    notebook = nbformat.reads(answer().decode(), as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(MARKDOWN))
    shown = f"from IPython.display import HTML, Markdown\nHTML({EVIL!r})"
    notebook.cells.append(nbformat.v4.new_code_cell(shown))
    hand_in(base, nbformat.writes(notebook).encode())
    grade_all(base)
    page = feedback_html(base.db, base.layout, newest(base).id, "alice")
    assert acts(page) == []
    assert "<strong>bold</strong>" in page
