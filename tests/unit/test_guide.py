"""The reader's guide has each lab of each curriculum, in both languages, with its pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from guide_pictures import (
    CHECKOUT,
    GUIDE,
    IMAGES,
    LARGEST,
    measured,
    printed,
    prints,
    proved,
    section,
    wanted,
)
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ulab_core.i18n import LANGUAGES
from ulab_curricula.labs import Curriculum, find_curricula

NAMES = {"zh": "{}.zh.md", "en": "{}.md"}
MINUTES = {"zh": "{} 分钟", "en": "{} minutes"}
GUIDED = [
    pytest.param(curriculum, language, id=f"{curriculum.id}-{language}")
    for curriculum in find_curricula()
    for language in LANGUAGES
]


def read(area: str, language: str) -> str:
    return (GUIDE / NAMES[language].format(area)).read_text("utf-8")


def pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^]]+\]\((?:\.\./)?images/guide/([^)]+)\)", text)


@pytest.mark.parametrize(("curriculum", "language"), GUIDED)
def test_each_lab_has_its_section_in_the_curriculums_order(
    curriculum: Curriculum, language: str
) -> None:
    page = read(curriculum.focus_area.id, language)
    labs = [lab.id for lab in curriculum.labs]
    assert re.findall(r'^<a id="(.+)"></a>$', page, re.M) == labs
    assert re.findall(r"\]\(#([^)]+)\)", page) == labs
    for lab in curriculum.labs:
        text = section(page, lab.id)
        assert getattr(lab.manifest.titles, language).partition("：")[0].partition(":")[0] in text
        assert MINUTES[language].format(lab.manifest.minutes) in text
        assert "```" not in text
        assert 2 <= len(pictures(text)) <= 3
        assert pictures(text) == [
            f"{lab.id}-{number}-{language}.png"
            for number in range(1, 1 + len(wanted().get(lab.id, [])))
        ]
    together = sum(lab.manifest.minutes for lab in curriculum.labs)
    assert MINUTES[language].format(together) in page


def test_the_languages_say_the_same_was_measured() -> None:
    for curriculum in find_curricula():
        for lab in curriculum.labs:
            chinese, english = (
                sorted(measured(section(read(curriculum.focus_area.id, language), lab.id)))
                for language in ("zh", "en")
            )
            assert chinese == english, lab.id


@pytest.mark.parametrize(("curriculum", "language"), GUIDED)
def test_each_number_in_bold_was_printed_by_its_lab(curriculum: Curriculum, language: str) -> None:
    page = read(curriculum.focus_area.id, language)
    assert measured(page.partition("<a id=")[0]) == [], "a number in bold needs a lab"
    for lab in curriculum.labs:
        assert set(measured(section(page, lab.id))) <= set(proved()[lab.id]), lab.id


def test_every_picture_is_there_small_and_used() -> None:
    pages = [*GUIDE.glob("*.md"), *(CHECKOUT / "docs").glob("authoring*.md")]
    named = {name for page in pages for name in pictures(page.read_text("utf-8"))}
    assert named == {path.name for path in IMAGES.glob("*")}
    for path in IMAGES.glob("*"):
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert path.stat().st_size <= LARGEST, path.name


def test_one_gets_from_each_page_to_the_others() -> None:
    pages = set(GUIDE.glob("*.md"))
    areas = {curriculum.focus_area.id for curriculum in find_curricula()}
    assert {path.name for path in pages} == {
        name.format(area) for area in areas for name in NAMES.values()
    }
    for page in (CHECKOUT / "README.md", CHECKOUT / "docs" / "curricula.md", *pages):
        led_to = {
            (page.parent / target).resolve()
            for target in re.findall(r"\]\(([^)#:]+\.md)", page.read_text("utf-8"))
        }
        language = "zh" if page.name.endswith(".zh.md") else "en"
        assert {GUIDE / NAMES[language].format(area) for area in areas} - {page} <= led_to, page
        if page in pages:
            twin = NAMES["en" if language == "zh" else "zh"].format(page.name.partition(".")[0])
            assert Path(GUIDE / twin) in led_to
    assert pages <= {
        (CHECKOUT / target).resolve()
        for target in re.findall(r"\]\(([^)#:]+\.md)", (CHECKOUT / "README.md").read_text("utf-8"))
    }


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("**0.593** and 0.756", ["0.593"]),
        ("**13,400** MWh, **Grading.**", ["13400"]),
        ("from **0.34** to **0.76**", ["0.34", "0.76"]),
        ("**0.5\nand 7** of 9", ["0.5", "7"]),
    ],
)
def test_what_is_in_bold_counts_as_measured(text: str, numbers: list[str]) -> None:
    assert measured(text) == numbers


def test_what_a_notebook_prints_and_shows_is_found() -> None:
    cell = new_code_cell(
        outputs=[
            new_output("stream", text="AUC 0.737\n"),
            new_output("execute_result", data={"text/plain": "0.593", "image/png": ""}),
        ]
    )
    assert printed(new_notebook(cells=[cell])) == "AUC 0.737\n\n0.593"


@pytest.mark.parametrize(
    ("number", "text", "found"),
    [
        ("0.593", "accuracy 0.593\n", True),
        ("6096", "a bag: 6,096 of 10,000", True),
        ("12", "12.0", True),
        ("12", "12.5 and 312 and 120", False),
        ("0.59", "0.593", False),
        ("593", "0.593", False),
    ],
)
def test_a_number_is_printed_with_all_its_digits(number: str, text: str, found: bool) -> None:
    cell = new_code_cell(outputs=[new_output("stream", text=text)])
    assert prints(new_notebook(cells=[cell]), number) is found
