"""What the listed answers of a lab may say of themselves, and what of it is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.curricula_support import write_lab

from ulab_core.errors import UserError
from ulab_core.i18n import translations
from ulab_curricula import load_lab
from ulab_curricula.conversion import read_cells
from ulab_curricula.fixtures import Fixture, load_fixtures

CODE = "\n# %% add\ndef add(a, b):\n    return a - b\n"


def laughs(first: str) -> list[str]:
    """YAML of a few lines that aliases make ten thousand million entries of."""
    merged = (f"  a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 11))
    return [first, "  a0: &a0 {x: 1}", *merged]


def head(*lines: str) -> str:
    return "\n".join(["# ---", *(f"# {line}" for line in lines), "# ---", ""])


def fixtures(tmp_path: Path, text: str | bytes, kind: str = "wrong") -> list[Fixture]:
    folder = write_lab(tmp_path)
    path = folder / "fixtures" / kind / "zz.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    cells = {"add": "", "double": ""}
    return load_fixtures(load_lab(folder), cells, {"add-test": 2.0, "double-test": 1.0})


def test_words_said_once_are_of_both_languages_unless_they_are_chinese(tmp_path: Path) -> None:
    said = head("mistake: none", "loses: {add-test: 2}", "says: {add-test: 1 and 2}")
    found = {one.name: one for one in fixtures(tmp_path, said + CODE)}
    assert found["wrong/zz"].loses == {"add-test": 2.0}
    assert found["wrong/zz"].says == {"add-test": {"zh": "1 and 2", "en": "1 and 2"}}
    assert found["wrong/first"].says == {"add-test": {"zh": "1 加 2"}}
    assert found["right/times"].answers == {"double": "def double(a):\n    return 2 * a"}


@pytest.mark.parametrize(
    ("text", "sentence", "chinese"),
    [
        (head("loses: [add-test]") + CODE, "line 2: loses: must be a section", "第 2 行"),
        (head("loses: {add-test: all}") + CODE, "loses.add-test: must be a number", "数"),
        (head("loses: {add-test: -1}") + CODE, "must be greater than 0", "大于"),
        (head("loses: {add-test: 2}", "says: no") + CODE, "line 3: says: must be", "第 3 行"),
        (head("loss: {add-test: 2}") + CODE, "unknown key loss; did you mean loses?", "loses"),
        (head("loses: {") + CODE, "it is not YAML", "YAML"),
        (
            head("loses: {subtract: 2}") + CODE,
            "has no test cell subtract; it has add",
            "测试单元格",
        ),
        (head("loses: {add-test: 2}"), "it replaces no cell", "没有替换"),
        (head("loses: {add-test: 2}") + CODE.replace("add", "sub"), "no answer cell sub", "作答"),
        (CODE, "a wrong answer must say in `loses`", "错误答案"),
        (b"# \xff" + CODE.encode(), "zz.py can't be read", "zz.py"),
        (head(*laughs("loses:")) + CODE, r"zz.py:4: an alias \(\*\) may not be used", "别名"),
    ],
)
def test_a_head_that_can_not_be_used_is_said(
    tmp_path: Path, text: str | bytes, sentence: str, chinese: str
) -> None:
    with pytest.raises(UserError, match=sentence) as refused:
        fixtures(tmp_path, text)
    assert chinese in refused.value.sentence(translations("zh").gettext)


def test_a_right_answer_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a right answer loses nothing"):
        fixtures(tmp_path, head("loses: {add-test: 2}") + CODE, "right")


@pytest.mark.parametrize(
    "first", ["", "#!/usr/bin/python\n", " # coding: utf-8\n", "# coding: utf-8\n"]
)
def test_what_a_script_tells_jupytext_is_not_read(tmp_path: Path, first: str) -> None:
    path = tmp_path / "lab.py"
    path.write_text(first + head("mine: yes", *laughs("jupyter:"), "more: 1") + CODE)
    # Reading it would take an hour.
    kept, code = read_cells(path)
    assert kept.source == "---\nmine: yes\nmore: 1\n---"
    assert code.source.startswith("def add")
