"""A document in two languages has the same parts in both, and the same examples of tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from guide_pictures import CHECKOUT

PAIRS = [
    pytest.param(chinese.with_name(chinese.name.replace(".zh.md", ".md")), chinese, id=chinese.stem)
    for chinese in sorted((CHECKOUT / "docs").rglob("*.zh.md"))
]
MESSAGE = re.compile(r'zh="[^"]*", en="[^"]*"')


def parts(page: str) -> list[str]:
    """Its headings' depths, its tables' rows and its blocks of code, in their order."""
    found, in_code = [], False
    for line in page.splitlines():
        if line.startswith("```"):
            in_code = not in_code
            found.append(line)
        elif not in_code and (start := re.match(r"#+ |\|", line)):
            found.append(start[0])
    return found


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_parts(english: Path, chinese: Path) -> None:
    assert parts(chinese.read_text("utf-8")) == parts(english.read_text("utf-8"))


def test_both_languages_show_the_same_tests() -> None:
    chinese, english = (
        [MESSAGE.sub("", block) for block in re.findall(r"```python\n(.*?)```", page, re.S)]
        for page in (
            (CHECKOUT / "docs" / name).read_text("utf-8")
            for name in ("writing-tests.zh.md", "writing-tests.md")
        )
    )
    assert len(english) > 5
    assert chinese == english
