"""Formulas in formgrader are typeset by a real browser that reaches nothing but the base."""

from __future__ import annotations

from pathlib import Path

import nbformat
import nbgrader.server_extensions.formgrader as stock
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import base as formgrader_base
from playwright.sync_api import Browser, Route, expect
from traitlets.config import Config

from ulab_coursework import formgrader
from ulab_portal.assets import file_of

SITE = "http://base.invalid"
STATIC = f"{SITE}/services/ulab/static/"
FORMULAS = (
    r"Inline $x^2$ and \\(y\\)"
    "\n\n"
    r"$$\sum_{i=1}^n i = \frac{n(n+1)}{2}$$"
    "\n\n"
    r"\begin{align} a &= b \\ c &= d \end{align}"
    "\n\n"
    r"$\href{javascript:document.title='acted'}{link}$"
)


def page_in_formgrader() -> str:
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    templates = Path(stock.__file__).parent / "templates"
    config.HTMLExporter.extra_template_basedirs = [str(templates)]
    config.HTMLExporter.sanitize_html = True
    exporter = HTMLExporter(config=config)
    formgrader.install(exporter)
    names = ("assignment_id", "notebook_id", "submission_id", "student", "last_name", "first_name")
    resources = dict.fromkeys((*names, "notebook_path"), "x") | {
        "index": 0, "total": 1, "base_url": "/user/t/grade-c",
    }  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(FORMULAS)])
    page: str = exporter.from_notebook_node(notebook, resources=resources)[0]
    return page


def test_formulas_are_typeset_without_the_internet(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formgrader_base, "NbGraderAPI", formgrader_base.NbGraderAPI)
    page = browser.new_page()
    elsewhere: list[str] = []

    def answer(route: Route) -> None:
        address = route.request.url.partition("?")[0]
        found = file_of(address.removeprefix(STATIC)) if address.startswith(STATIC) else None
        if address == f"{SITE}/page":
            route.fulfill(body=page_in_formgrader(), content_type="text/html; charset=utf-8")
        elif found:
            route.fulfill(path=found, content_type="text/javascript")
        else:
            if not address.startswith((f"{SITE}/user/", "data:")):
                elsewhere.append(address)
            route.abort()

    page.route("**", answer)
    page.goto(f"{SITE}/page")
    expect(page.locator("mjx-container")).to_have_count(5, timeout=30_000)
    assert elsewhere == []
    assert page.locator('a[href^="javascript"]').count() == 0
    page.close()
