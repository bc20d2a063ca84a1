"""Formgrader in an instructor's server: grading is the base's, never this server's.

Stock formgrader runs the student's code right here, beside the gradebook.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, pass_context
from markupsafe import escape
from nbconvert.exporters import HTMLExporter
from nbgrader.apps.api import NbGraderAPI
from nbgrader.server_extensions.formgrader import base

from ulab_core.errors import UserError
from ulab_core.i18n import mark, translations
from ulab_coursework.exchange import sentence
from ulab_coursework.harmless import harmless_html
from ulab_coursework.portal_client import PortalClient, language

WAIT_S = 30.0
LOOK_AGAIN_S = 0.5
QUEUED = mark("Grading was asked for and goes on; reload this page in a moment to see the score.")
GRADED = mark("Graded.")
WAY_BACK = mark("Back to the course")
_MENU = '<ul class="nav nav-pills nav-stacked">'
TEMPLATES = Path(__file__).parent / "templates" / "formgrader"
MATHJAX = "static/vendor/mathjax/tex-svg-full.js"


class DelegatingAPI(NbGraderAPI):
    """nbgrader's API whose autograding asks the portal."""

    def autograde(
        self, assignment_id: str, student_id: str, force: bool = True, create: bool = True
    ) -> dict[str, Any]:
        """Have a submission graded, and wait a while, because the page reads the score next."""
        course = self.coursedir.course_id
        try:
            return _autograde(PortalClient(), course, assignment_id, student_id)
        except UserError as error:
            return {"success": False, "error": sentence(error), "log": ""}


def _autograde(client: PortalClient, course: str, assignment: str, student: str) -> dict[str, Any]:
    translate = translations(language()).gettext
    where = ("courses", course, "assignments", assignment)
    client.post(*where, "grade", body={"student": student})
    newest = next((s["id"] for s in client.get(*where, "inbound") if s["entry"] == student), None)
    until = time.monotonic() + WAIT_S
    while newest is not None and time.monotonic() < until:
        found = client.get("submissions", newest)
        if found["state"] == "graded":
            return {"success": True, "log": translate(GRADED)}
        if found["state"] == "failed":
            return {"success": False, "error": found["problem"], "log": ""}
        time.sleep(LOOK_AGAIN_S)
    return {"success": True, "log": translate(QUEUED)}


def install(exporter: HTMLExporter) -> None:
    """Have formgrader's handlers use `DelegatingAPI`, and its pages show no student's scripts.

    Its formulas are typeset by the portal's MathJax, without the internet.

    Parameters
    ----------
    exporter
        Formgrader's own, which writes its pages.
    """
    base.NbGraderAPI = DelegatingAPI
    # Its template writes the text of cells as it is, though the exporter was told to clean.
    exporter.register_filter("clean_html", harmless_html)
    exporter.register_filter("markdown2html", harmless_markdown(exporter))
    environment = exporter.environment
    loaders = [FileSystemLoader(TEMPLATES), environment.loader]
    environment.loader = ChoiceLoader([loader for loader in loaders if loader is not None])
    # The page comes from the same origin, whatever name the browser knows it by.
    portal = urlsplit(os.environ.get("ULAB_PORTAL_URL", "/services/ulab/")).path
    environment.globals["mathjax_from_the_portal"] = f"{portal.rstrip('/')}/{MATHJAX}"


def add_way_back(pages: Environment, course: str) -> None:
    """Put a link to the course on U Lab on top of formgrader's menu.

    Parameters
    ----------
    pages
        Formgrader's own templates.
    """
    stock = pages.loader
    assert stock is not None
    site = os.environ.get("JUPYTERHUB_BASE_URL", "/")
    link = f"{site}services/ulab/courses/{course}/teach"
    words = translations(language()).gettext(WAY_BACK)
    item = f'<li role="presentation"><a href="{escape(link)}">← {escape(words)}</a></li>'

    def with_link(name: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        text, file, is_fresh = stock.get_source(pages, name)
        return text.replace(_MENU, _MENU + item), file, is_fresh

    pages.loader = FunctionLoader(with_link)


def harmless_markdown(exporter: HTMLExporter) -> Any:
    """The exporter's filter from Markdown to HTML, with all taken out that could act."""

    @pass_context
    def convert(context: Any, source: str) -> str:
        return harmless_html(exporter.markdown2html(context, source))

    return convert
