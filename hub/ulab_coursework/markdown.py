"""Markdown as HTML that can't act, with its formulas as MathML."""

from __future__ import annotations

import html
import re
import secrets
from typing import Any, ClassVar

from mistune import BlockParser, InlineParser
from nbconvert.filters.markdown_mistune import (
    IPythonRenderer,
    MarkdownWithMath,
    MathBlockParser,
    MathInlineParser,
)

from ulab_coursework.formulas import LEAST, MOST_CHARACTERS, MOST_ON_A_PAGE, Formulas
from ulab_coursework.harmless import harmless_html

# Beyond it no formula is looked for: looking takes longer than in proportion.
MOST_TEXT = 100_000


def _within(opening: str, closing: str, group: str) -> str:
    """A formula: as in JupyterLab it ends before an empty line, and code is not part of it."""
    body = rf"(?:(?!\n[ \t]*\n|(?<!\\){opening})[^`]){{1,{MOST_CHARACTERS}}}?"
    return rf"(?<!\\){opening}(?P<{group}>{body})(?<!\\){closing}"


_ENVIRONMENT = (
    r"\\begin\{(?P<math_env_name>[a-z]{1,20}\*?)\}"
    rf"(?P<math_env_body>(?:(?!\n[ \t]*\n)[^`]){{1,{MOST_CHARACTERS}}}?)"
    r"\\end\{(?P=math_env_name)\}"
)
_DOLLARS = _within(r"\$\$", r"\$\$", "math_block_tex")
_BRACKETS = _within(r"\\\\\[", r"\\\\\]", "math_block_latex")


class _Blocks(MathBlockParser):
    SPECIFICATION: ClassVar[dict[str, str]] = {
        **MathBlockParser.SPECIFICATION,
        "multiline_math": f"{_DOLLARS}|{_BRACKETS}|{_ENVIRONMENT}",
    }


class _Inlines(MathInlineParser):
    SPECIFICATION: ClassVar[dict[str, str]] = {
        **MathInlineParser.SPECIFICATION,
        "block_math_tex": _DOLLARS,
        "block_math_latex": _BRACKETS,
        "inline_math_tex": _within(r"(?<!\$)\$", r"(?<!\$)\$", "math_inline_tex"),
        "inline_math_latex": _within(r"\\\\\(", r"\\\\\)", "math_inline_latex"),
        "latex_environment": _ENVIRONMENT,
    }


class _Renderer(IPythonRenderer):
    """Leaves each formula's source where it stands, marked by a word that no one can guess."""

    def __init__(self, mark: str, **options: Any) -> None:
        super().__init__(**options)
        self._mark = mark
        self._count = 0

    def block_math(self, body: str) -> str:
        return self._marked("d", f"$${body}$$")

    def inline_math(self, body: str) -> str:
        return self._marked("i", f"${body}$")

    def latex_environment(self, name: str, body: str) -> str:
        return self._marked("e", f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def _marked(self, kind: str, source: str) -> str:
        text = html.escape(source, quote=False)
        self._count += 1
        if self._count > MOST_ON_A_PAGE // LEAST:
            return text
        return f'<span class="{self._mark}{kind}">{text}</span>'


def harmless_markdown(source: str, formulas: Formulas, **options: Any) -> str:
    """Markdown as HTML without anything that acts, and with formulas that are read.

    Parameters
    ----------
    formulas
        The page's.
    options
        For nbconvert's renderer.
    """
    mark = f"formula-{secrets.token_hex(16)}-"
    renderer = _Renderer(mark, **options)
    few = len(source) <= MOST_TEXT
    block, inline = (_Blocks(), _Inlines()) if few else (BlockParser(), InlineParser())
    page = MarkdownWithMath(renderer, block=block, inline=inline).render(source)
    cleaned = harmless_html(page)

    # Only now, and never within an attribute, whose "<" is escaped: what was cleaned may hold
    # none of MathML's elements, with which browsers read HTML by other rules.
    def typeset(found: re.Match[str]) -> str:
        kind, kept = found.groups()
        tex = html.unescape(kept)
        tex = tex if kind == "e" else tex[2:-2] if kind == "d" else tex[1:-1]
        made = formulas.mathml(tex, display=kind != "i")
        if made is None:
            return kept
        return made if kind == "i" else f'<span class="formula">{made}</span>'

    return re.sub(rf'<span class="{mark}([die])">([^<]*)</span>', typeset, cleaned)
