"""The page of a lab before anyone has it: what is on it, and what can't act from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.curricula_support import SOURCE, write_lab

from ulab_coursework.previewpage import MATHJAX, write_preview
from ulab_curricula import load_lab

ACTING = """\
# %% [markdown]
# [x](javascript:act)
#
# <script>ACTS = 1</script> <img src="https://elsewhere.invalid/x.png">

"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_lab(tmp_path / "labs", source=ACTING + SOURCE)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_students_see_no_solution_and_whoever_asks_for_them_does(
    folder: Path, tmp_path: Path, language: str
) -> None:
    lab = load_lab(folder)
    shown = write_preview(lab, tmp_path / "shown")[language].read_text("utf-8")
    whole = write_preview(lab, tmp_path / "whole", solutions=True)[language].read_text("utf-8")
    for secret in ("secret_total", "HIDDEN"):
        assert secret not in shown
        assert secret in whole
    here, there = {"zh": ("求和", "Sums"), "en": ("Sums", "求和")}[language]
    assert f"<title>{here}</title>" in shown
    assert there not in shown
    assert ("2 分" if language == "zh" else "2 points") in shown
    assert f'href="sums.{"en" if language == "zh" else "zh"}.html"' in shown


def test_what_a_lab_holds_cannot_act_on_its_page(folder: Path, tmp_path: Path) -> None:
    page = write_preview(load_lab(folder), tmp_path / "out")["en"].read_text("utf-8")
    assert "ACTS" not in page
    assert "elsewhere.invalid" not in page
    assert 'href="javascript' not in page
    # Its own formulas are typeset by what is installed here.
    assert MATHJAX.is_file()
    assert page.count("<script") == 2
