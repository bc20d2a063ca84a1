"""A lab as a page to look at before anyone has it: what students get, or with all solutions."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from ulab_core.i18n import LANGUAGES, mark, translations
from ulab_core.programs import NPM
from ulab_coursework.harmless import harmless_html
from ulab_curricula import Lab
from ulab_curricula.build import build

_TEMPLATES = Path(__file__).parent / "templates"
MATHJAX = NPM / "mathjax" / "es5" / "tex-svg-full.js"
NAMES = {"zh": "中文", "en": "English"}
WORDS = {
    "answer": mark("The student's answer"),
    "test": mark("Test"),
    "locked": mark("Given, can't be changed"),
    "points": mark("{points} points"),
}
FOR_STUDENTS = mark("As students get it")
WITH_SOLUTIONS = mark("With solutions and hidden tests: not for students")


def write_preview(lab: Lab, out: Path, *, solutions: bool = False) -> dict[str, Path]:
    """Write a page for each language; each leads to the others.

    Parameters
    ----------
    out
        The folder, made when missing.
    solutions
        Show the source, with solutions and hidden tests, rather than what students get.

    Returns
    -------
    dict
        The pages by language.

    Raises
    ------
    BadLab
        The lab can't be built.
    """
    built = build(lab)
    notebooks = built.sources if solutions else built.releases
    out.mkdir(parents=True, exist_ok=True)
    pages = {language: out / f"{lab.id}.{language}.html" for language in LANGUAGES}
    for language, page in pages.items():
        text = _page(notebooks[language], lab, language, pages, solutions)
        page.write_text(text, encoding="utf-8")
    return pages


def _page(
    notebook: nbformat.NotebookNode,
    lab: Lab,
    language: str,
    pages: dict[str, Path],
    solutions: bool,
) -> str:
    translate = translations(language).gettext
    others = [(name, page.name) for name, page in pages.items() if name != language]
    resources = {
        "ulab": {
            "title": getattr(lab.manifest.titles, language),
            "language": language,
            "words": {key: translate(word) for key, word in WORDS.items()},
            "kind": translate(WITH_SOLUTIONS if solutions else FOR_STUDENTS),
            "others": others,
            "names": NAMES,
            "mathjax": MATHJAX.as_uri(),
        }
    }
    config = Config()
    config.HTMLExporter.template_name = "ulab_preview"
    config.HTMLExporter.extra_template_basedirs = [str(_TEMPLATES)]
    # For the templates that its own is made of.
    config.HTMLExporter.extra_template_paths = [str(_TEMPLATES)]
    config.HTMLExporter.exclude_anchor_links = True
    # No preprocessor may run code or fetch anything.
    config.Exporter.default_preprocessors = ["nbconvert.preprocessors.CSSHTMLHeaderPreprocessor"]
    exporter = HTMLExporter(config=config)
    # A lab may be someone else's, and a file's page may read more than a site's.
    exporter.register_filter("clean_html", harmless_html)
    exporter.register_filter("comment_html", harmless_html)  # the look's; nothing is commented here
    page, _ = exporter.from_notebook_node(notebook, resources)
    return page
