"""Asterisks make bold in every text: after a full-width sign they may stay what they are."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from ulab_curricula import Lab, find_labs
from ulab_curricula.build import build

CHECKOUT = Path(__file__).parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.S)
RENDERER = MarkdownIt("commonmark").enable("table")


def left_over(text: str) -> list[str]:
    """The lines of what a reader sees that still hold two asterisks, formulas and code aside."""
    page = RENDERER.render(FORMULA.sub("x", text))
    seen = re.sub(r"<(code|pre).*?</\1>", "", page, flags=re.S)
    return [line for line in html.unescape(seen).splitlines() if "**" in line]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("人人都对。**以后只看白天。** 另外", False),
        ("人人都对。**以后只看白天。**另外", True),
        ("写成 `2**3`，或者 $2**3$", False),
    ],
)
def test_bold_needs_a_space_after_a_full_width_sign(text: str, seen: bool) -> None:
    assert bool(left_over(text)) is seen


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_asterisk_is_left_on_a_page(path: Path) -> None:
    assert left_over(path.read_text("utf-8")) == []


@pytest.mark.parametrize("lab", find_labs(), ids=lambda lab: lab.id)
def test_no_asterisk_is_left_in_a_lab(lab: Lab) -> None:
    for notebook in build(lab).sources.values():
        texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        assert [line for text in texts for line in left_over(text)] == []
