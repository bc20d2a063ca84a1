"""What can be seen to be wrong with a lab's text, its links and its data sets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from nbformat import NotebookNode

from ulab_core.i18n import mark
from ulab_curricula.agreement import formulas_differ, numbers_apart, terms_apart
from ulab_curricula.build import Built
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import Lab
from ulab_curricula.parsing import parse

_LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)|(?:src|href)\s*=\s*["']([^"']+)""")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
# Within the page, within the base, or carried along.
_INSIDE = ("#", "/", "data:", "mailto:")


def inspect_prose(lab: Lab, built: Built) -> Iterator[BadLab]:
    """Links that lead nowhere, data sets that are not named, formulas that differ."""
    yield from _data(lab, built.canonical)
    for language, source in built.sources.items():
        for cell in _texts(source):
            for link in links(cell.source):
                if not _leads_somewhere(link):
                    yield BadLab(
                        mark(
                            "{file}, cell {cell} ({language}): the link {link} leads nowhere. "
                            "Students get the notebook alone: use a whole http(s) address, or put "
                            "the picture into the notebook's code."
                        ),
                        file=lab.source,
                        cell=cell.id,
                        language=language,
                        link=link,
                    )
    for zh, en in _pairs(built):
        if formulas_differ(zh.source, en.source):
            yield BadLab(
                mark("{file}, cell {cell}: Chinese and English formulas hold other numbers."),
                file=lab.source,
                cell=zh.id,
            )
        yield from _terms(lab, zh, en)


_APART = {
    "en": mark(
        "{file}, cell {cell}: the English text says “{english}”, the Chinese one not “{chinese}”. "
        "Use the glossary's word, or give the reason in lab.yaml under glossary_exceptions."
    ),
    "zh": mark(
        "{file}, cell {cell}: the Chinese text says “{chinese}”, the English one not “{english}”. "
        "Use the glossary's word, or give the reason in lab.yaml under glossary_exceptions."
    ),
}


def _terms(lab: Lab, zh: NotebookNode, en: NotebookNode) -> Iterator[BadLab]:
    excepted = {each.term for each in lab.manifest.glossary_exceptions}
    for found in terms_apart(zh.source, en.source):
        term = found.term
        if not excepted & {*term.en}:
            yield BadLab(
                _APART[found.said],
                file=lab.source,
                cell=zh.id,
                english=term.en[0],
                chinese=term.zh[0] if found.said == "zh" else "”, “".join(term.zh),
            )


def remarks_on_prose(lab: Lab, built: Built) -> Iterator[BadLab]:
    """Numbers that the two languages may not share."""
    for zh, en in _pairs(built):
        apart = numbers_apart(zh.source, en.source)
        if apart:
            yield BadLab(
                mark("{file}, cell {cell}: only one language says {numbers}."),
                file=lab.source,
                cell=zh.id,
                numbers=", ".join(apart),
            )


def links(text: str) -> list[str]:
    """Where the links and pictures of a Markdown text lead."""
    return [match[1] or match[2] for match in _LINK.finditer(_CODE.sub(" ", text))]


def _leads_somewhere(link: str) -> bool:
    if link.startswith(_INSIDE):
        return True
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in (parts.hostname or "")


def _data(lab: Lab, source: NotebookNode) -> Iterator[BadLab]:
    for name in sorted(_loaded(source) - {*lab.manifest.datasets}):
        yield BadLab(
            mark("{file} loads the data set {name}, which lab.yaml does not name."),
            file=lab.source,
            name=name,
        )


def _loaded(source: NotebookNode) -> set[str]:
    """What is given to ``ulab.load`` as a literal."""
    found = set()
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        try:
            tree = parse(cell.source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ulab.load" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def _texts(source: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in source.cells if cell.cell_type == "markdown")


def _pairs(built: Built) -> Iterator[tuple[NotebookNode, NotebookNode]]:
    both = zip(built.sources["zh"].cells, built.sources["en"].cells, strict=True)
    return ((zh, en) for zh, en in both if zh.cell_type == en.cell_type == "markdown")
