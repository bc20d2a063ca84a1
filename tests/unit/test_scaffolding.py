"""A lab that was only just started holds already, and says what to write in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ulab_core.i18n import translations
from ulab_core.manifest import Words
from ulab_curricula import check_lab, load_curriculum, load_lab
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import find_curricula
from ulab_curricula.scaffolding import LEVELS, NewLab, start_lab
from ulab_deploy.cli import build

FARMING = Words(zh="智慧农业", en="Agriculture")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_new_lab_passes_its_check(tmp_path: Path, language: str) -> None:
    start_lab(NewLab("crops", "farming", area_titles=FARMING), tmp_path)
    lab = load_lab(tmp_path / "labs" / "farming" / "crops")
    report = check_lab(lab, tmp_path, language=language)
    assert [str(problem) for problem in report.problems] == []
    assert len(report.runs) == 9
    text = lab.source.read_text(encoding="utf-8")
    assert text.count("写：") > 10
    assert text.count("Write: ") > 10
    assert "@" not in text


def test_a_new_curriculum_and_area_are_there_for_the_next_lab(tmp_path: Path) -> None:
    titles = Words(zh='数"穗"', en="Ears: counted")
    first = NewLab("ears", "farming", titles=titles, area_titles=FARMING, curriculum="farms")
    start_lab(first, tmp_path)
    for level in LEVELS:
        start_lab(NewLab(f"lab-{level}", "farming", level=level), tmp_path)
    [found] = find_curricula(tmp_path / "curricula")
    assert found.focus_area.titles == FARMING
    assert [lab.id for lab in found.labs] == ["ears"]
    assert found.labs[0].manifest.titles.en == "Ears: counted"
    start_lab(NewLab("seen", "mining", area_titles=FARMING), tmp_path)
    assert load_curriculum(found.folder).id == "farms"


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (NewLab("Crops", "farming"), "lower-case letters"),
        (NewLab("../crops", "farming"), "lower-case letters"),
        (NewLab("crops", "farming", curriculum="a b"), "lower-case letters"),
        (NewLab("crops", "farming", level="hard"), "A level is one of foundation"),
        (NewLab("crops", "faming"), "no focus area faming. Known: farming"),
        (NewLab("ears", "farming"), "is there already"),
        (NewLab("crops", "farming", curriculum="farms"), "is there already"),
    ],
)
def test_what_cannot_be_started_leaves_nothing(tmp_path: Path, new: NewLab, sentence: str) -> None:
    start_lab(NewLab("ears", "farming", area_titles=FARMING, curriculum="farms"), tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadLab, match=sentence) as refused:
        start_lab(new, tmp_path)
    assert refused.value.sentence(translations("zh").gettext) != str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_folder_says_what_lies_there_and_what_comes_next(tmp_path: Path) -> None:
    start_lab(NewLab("crops", "farming", area_titles=FARMING, curriculum="farms"), tmp_path)
    readme = tmp_path / "README.md"
    text = readme.read_text(encoding="utf-8")
    for said in (
        "curricula check FOLDER/labs/farming/crops", "curricula preview FOLDER/labs/farming/crops",
        "curricula check --from FOLDER", "curricula publish --from FOLDER", "错误答案",
    ):  # fmt: skip
        assert said in text
    assert "@" not in text
    for place in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE):
        assert list(tmp_path.glob(re.sub("<[^>]+>", "*", place))), place
    readme.write_text("ours", encoding="utf-8")
    start_lab(NewLab("seeds", "farming"), tmp_path)
    assert readme.read_text(encoding="utf-8") == "ours"


def test_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    made = ["new", "crops", "--area", "farming", "--into", str(tmp_path)]
    titled = [*made, "--area-zh", "农业", "--area-en", "Farming"]
    one_title = CliRunner().invoke(build(), ["--language", "en", "curricula", *titled[:-2]])
    assert "both languages" in one_title.output
    shown = CliRunner().invoke(build(), ["--language", "en", "curricula", *titled])
    assert shown.exit_code == 0, shown.output
    assert "labs/farming/crops" in shown.output.splitlines()[-1]
