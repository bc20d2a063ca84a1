"""`ulab curricula check` has the judge prove a lab, and tells its author where to mend what."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.coursework_support import Base
from unit.curricula_support import SOURCE, write_lab

from ulab_core.i18n import translations
from ulab_curricula import load_lab
from ulab_deploy.prove import How, Proved, prove
from ulab_deploy.remembered import Remembered

TEST = "assert double(4) == 8"
GIVEN = "import ulab\n"


def proved(base: Base, folder: Path, language: str = "en") -> Proved:
    [found] = prove([load_lab(folder)], base.settings, base.layout, How(language))
    return found


def test_a_sound_lab_is_proved_by_the_judge(base: Base, tmp_path: Path) -> None:
    found = proved(base, write_lab(tmp_path / "labs"))
    assert [str(problem) for problem in found.report.problems] == []
    assert found.judged == 9


def test_labs_are_proved_side_by_side_and_not_again_until_they_change(
    base: Base, tmp_path: Path
) -> None:
    good, bad = write_lab(tmp_path / "good"), write_lab(tmp_path / "bad")
    source = bad / "lab.py"
    source.write_text(SOURCE.replace("assert add(-4, 4) == 0", "assert add(-4, 4) == 1"))
    memory = Remembered(tmp_path / "checked", base.settings)

    def once() -> list[tuple[Path, bool, bool]]:
        found = prove(
            [load_lab(good), load_lab(bad)], base.settings, base.layout, How("en"), memory=memory
        )
        return sorted(
            (one.report.source.folder, one.report.ok, one.remembered)
            for one in found
            if one.report.source
        )

    assert once() == [(bad, False, False), (good, True, False)]
    assert once() == [(bad, False, False), (good, True, True)]


BROKEN = {
    "a proxy compared with a value": (
        SOURCE.replace(
            "    return add(a, a)",
            "    class Total(int):\n        pass\n    return Total(add(a, a))",
        ),
        "double-test, reference solution",
        TEST,
        "compare what its attributes or methods give",
    ),
    "a lambda for the student's function": (
        SOURCE.replace("def double(a):", "def double(a, f=None):").replace(
            TEST, "assert double(4, lambda a: a) == 8"
        ),
        "double-test, reference solution",
        "lambda a: a",
        "helper marked @ulab.at_student",
    ),
    "a locked cell with a star import": (
        SOURCE.replace(GIVEN, GIVEN + "from math import *\n"),
        "cell setup",
        "from math import *",
        "import them by name",
    ),
    "a locked cell that fails": (
        SOURCE.replace(GIVEN, GIVEN + "import no_such_library\n"),
        "cell setup",
        "import no_such_library",
        "The lab's own cell fails: ModuleNotFoundError",
    ),
    "a name that only a test defines": (
        SOURCE.replace(
            '# %% nbgrader={"grade_id": "double", "solution": true}',
            '# %% nbgrader={"grade_id": "later", "locked": true}\nprint(_three)\n\n'
            '# %% nbgrader={"grade_id": "double", "solution": true}',
        ).replace("assert add(1, 2) == 3", "_three = 3\nassert add(1, 2) == 3"),
        "cell later",
        "print(_three)",
        "define it in a locked cell",
    ),
    "a hidden test that the reference fails": (
        SOURCE.replace("assert add(-4, 4) == 0", "assert add(-4, 4) == 1"),
        "cell add-test",
        "assert add(-4, 4) == 1",
        "The reference solution fails this test",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_an_author_is_told_where_and_what_to_do(base: Base, tmp_path: Path, name: str) -> None:
    source, cell, code, advice = BROKEN[name]
    folder = write_lab(tmp_path / "labs", source=source)
    problems = [str(problem) for problem in proved(base, folder).report.problems]
    assert len(problems) == 1, problems
    for words in ("lab.py", cell, code, advice):
        assert words in problems[0]
    number = next(at for at, line in enumerate(source.splitlines(), 1) if code in line)
    assert f"lab.py:{number}," in problems[0]


def test_what_the_judge_says_is_said_in_chinese_too(base: Base, tmp_path: Path) -> None:
    source = BROKEN["a lambda for the student's function"][0]
    found = proved(base, write_lab(tmp_path / "labs", source=source), "zh")
    [problem] = found.report.problems
    said = problem.sentence(translations("zh").gettext)
    assert "测试自己的函数 <lambda> 不能交给学生的代码" in said
    assert "请把用到它的代码写成标了 @ulab.at_student 的辅助函数" in said
