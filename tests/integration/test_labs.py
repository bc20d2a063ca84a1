"""Every lab is proved by running it, and a bad lab is told what is wrong with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.curricula_support import MANIFEST, SOURCE, write_lab

from ulab_curricula import Report, check_lab, load_lab
from ulab_curricula.mutants import Fate


def check(folder: Path, store: Path, language: str = "zh", whole: bool = False) -> Report:
    return check_lab(load_lab(folder), store, language=language, whole=whole)


def test_a_small_lab_is_sound_in_both_ways_of_running(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    quick, whole = check(folder, tmp_path), check(folder, tmp_path, whole=True)
    assert [str(problem) for problem in quick.problems + whole.problems] == []
    scores = {name: run.score(quick.points) for name, run in quick.runs.items()}
    assert scores == {name: run.score(whole.points) for name, run in whole.runs.items()}
    assert scores["reference"] == 3
    assert scores["wrong/absolute"] == 1


def test_a_lab_may_track_a_run_while_it_is_checked(tmp_path: Path) -> None:
    tracked = """
    import mlflow

    with mlflow.start_run():
        mlflow.log_metric("a", a)
    return add(a, a)
"""
    source = SOURCE.replace("\n    return add(a, a)\n", tracked)
    assert source != SOURCE
    report = check(write_lab(tmp_path, source=source), tmp_path)
    assert [str(problem) for problem in report.problems] == []


def bad_sources() -> Iterator[tuple[str, str, str]]:
    """Name, the changed `lab.py`, and words of the sentence it must give."""
    change = SOURCE.replace
    yield (
        "wrong reference",
        change("secret_total = a + b", "secret_total = a"),
        ("The reference solution fails this test: AssertionError: 1 加 2 等于 3。"),
    )
    yield (
        "free points",
        change("assert double(4) == 8", "assert 4 + 4 == 8"),
        ("the empty release scores 1 of 3: double-test"),
    )
    yield (
        "misspelt marker",
        change("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS").replace(
            "### END HIDDEN TESTS", "### END HIDEN TESTS"
        ),
        "the release still holds a solution or a hidden test",
    )
    yield "open region", change("### END HIDDEN TESTS\n", ""), "can't be released by nbgrader"
    yield (
        "untagged comment",
        change("# en: return", "# 返回 return"),
        ("the English notebook holds Chinese"),
    )
    yield (
        "untranslated message",
        change('ulab.say(zh="4 的两倍是 8。", en="Twice 4 is 8.")', '"错"'),
        ("the English notebook holds Chinese"),
    )
    yield "one language", change('# %% [markdown] lang="en"\n# # Sums\n', ""), "pair them"
    yield (
        "points apart",
        change(
            'lang="en" nbgrader={"grade_id": "open", "grade": true, "solution": true, "points": 3}',
            'lang="en" nbgrader={"grade_id": "open", "grade": true, "solution": true, "points": 4}',
        ),
        "Chinese and English differ in points",
    )
    yield (
        "one name twice",
        change('"grade_id": "double"', '"grade_id": "add"'),
        ("two cells are called add"),
    )
    yield "no points", change(', "points": 2', ""), "is graded and needs points above 0"
    yield "points that are no number", change('"points": 2', '"points": NaN'), "points above 0"
    yield "unknown metadata", change('"points": 2', '"point": 2'), "nbgrader's metadata holds point"
    yield "no Python", change("return add(a, a)", "return add(a, a"), "not Python"
    yield (
        "endless",
        change("import ulab\n", "import ulab\nwhile True: pass\n"),
        ("not done within grading_seconds"),
    )
    yield (
        "slow",
        change(
            "import ulab\n",
            "import ulab, time\n_until = time.process_time() + 2.5\n"
            "while time.process_time() < _until: pass\n",
        ),
        "grading takes",
    )


@pytest.mark.parametrize(
    ("source", "sentence"), [case[1:] for case in bad_sources()], ids=[c[0] for c in bad_sources()]
)
def test_a_bad_lab_is_told_what_is_wrong(tmp_path: Path, source: str, sentence: str) -> None:
    assert source != SOURCE
    seconds = "1" if "while" in source else "20"
    manifest = MANIFEST.replace("grading_seconds: 20", f"grading_seconds: {seconds}")
    report = check(write_lab(tmp_path, manifest, source), tmp_path)
    assert not report.ok
    assert sentence in "\n".join(map(str, report.problems))


def fixture(header: str, cell: str, code: str) -> str:
    return f"# ---\n# {header}\n# ---\n\n# %% {cell}\n{code}\n"


LOSES_ADD = "loses: {add-test: 2}"
COUNTING = """
    ### BEGIN SOLUTION
    total = 0
    while b > 0:
        total += 1
        b -= 1
    secret_total = a + total
    return secret_total
    ### END SOLUTION"""
SOLUTION = """
    ### BEGIN SOLUTION
    secret_total = a + b
    return secret_total
    ### END SOLUTION"""


def tried(folder: Path) -> Report:
    return check_lab(load_lab(folder), folder, listed=False, mutants=True, repeat=20)


def test_tests_that_catch_all_small_changes_hold(tmp_path: Path) -> None:
    report = tried(write_lab(tmp_path))
    assert [str(one) for one in report.problems + report.remarks] == []
    # `a + b`: `a - b`, None; `add(a, a)`: None. Arguments that are alike aren't swapped.
    assert (report.mutants.run, report.mutants.caught) == (3, 3)
    assert {one.by for one in report.mutants.all} == {"add-test", "double-test"}


def test_what_tests_let_pass_is_listed_and_what_never_ends_is_caught(tmp_path: Path) -> None:
    source = SOURCE.replace(SOLUTION, COUNTING)
    source = source.replace("assert add(1, 2) == 3,", "assert add(1, 2) > 1,").replace(
        "assert add(-4, 4) == 0,", "assert add(0, 4),"
    )
    source = source.replace("assert double(4) == 8,", "assert double(4) > 1,")
    report = tried(write_lab(tmp_path, source=source))
    said = [str(problem) for problem in report.problems]
    assert "fewer than 90%" in said[0]
    line = source.splitlines().index("        total += 1") + 1
    assert (
        [each for each in said if f"lab.py:{line}, cell add" in each]
        == [each for each in said if "`total += 1`" in each]
        != []
    )
    endless = [one for one in report.mutants.all if one.mutation.after == "b += 1"]
    assert [(one.fate, one.by) for one in endless] == [(Fate.CAUGHT, "")]


HASH_OF_A = subprocess.run(
    [sys.executable, "-c", "print(hash('a'))"],
    env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True,
).stdout.strip()  # fmt: skip
LUCK = {
    "numbers": ("import random; assert random.random() != random.Random(3).random()", "1 times of"),
    "hashes": (f"assert hash('a') == {HASH_OF_A}", "11 times of 21"),
}


@pytest.mark.parametrize("luck", LUCK)
def test_a_test_that_luck_decides_is_reported(tmp_path: Path, luck: str) -> None:
    test, sentence = LUCK[luck]
    source = SOURCE.replace("assert double(4) == 8", f"{test}\nassert double(4) == 8")
    [problem] = tried(write_lab(tmp_path, source=source)).problems
    assert "cell double-test" in str(problem)
    assert sentence in str(problem)


BAD_FIXTURES = {
    "wrong/new": (
        fixture(LOSES_ADD, "add", "def add(a, b):\n    return b + a"),
        "wrong/new: loses 0 points in add-test, not 2",
    ),
    "wrong/minus": (
        fixture(LOSES_ADD, "add", "def add(a, b):\n    return a - b"),
        "wrong/minus: loses 1 points in double-test, not 0",
    ),
    "wrong/typo": (
        fixture(LOSES_ADD, "ad", "def ad(a):\n    return a"),
        "the lab has no answer cell ad; it has add, double",
    ),
    "wrong/free": (
        fixture("mistake: none named", "add", "def add(a, b):\n    return a"),
        "must say in `loses` what it loses",
    ),
    "wrong/same": (
        "# ---\n# loses: {double-test: 1}\n# says: {double-test: 三倍}\n# ---\n\n"
        "# %% double\ndef double(a):\n    return a\n",
        "not “三倍”",
    ),
    "right/times": (
        "# %% double\ndef double(a):\n    return 3 * a\n",
        "right/times: loses 1 points in double-test, not 0",
    ),
}


@pytest.mark.parametrize("name", BAD_FIXTURES)
def test_a_fixture_that_does_not_hold_is_reported(tmp_path: Path, name: str) -> None:
    text, sentence = BAD_FIXTURES[name]
    folder = write_lab(tmp_path)
    (folder / "fixtures" / f"{name}.py").write_text(text, encoding="utf-8")
    report = check(folder, tmp_path)
    assert sentence in "\n".join(map(str, report.problems))


def test_messages_are_checked_in_the_language_asked_for(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    assert check(folder, tmp_path, "zh").ok
    # Its one Chinese string without a language is no promise about the English notebook.
    assert check(folder, tmp_path, "en").ok
    answer = folder / "fixtures" / "wrong" / "minus.py"
    answer.write_text(answer.read_text().replace("en: 1 and 2", "en: one and two"))
    assert check(folder, tmp_path, "zh").ok
    english = check(folder, tmp_path, "en")
    assert "1 and 2 make 3" in "\n".join(map(str, english.problems))


def test_both_languages_are_checked_where_that_is_asked(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)

    def both() -> tuple[Report, str]:
        report = check_lab(load_lab(folder), tmp_path, both=True)
        return report, "\n".join(map(str, report.problems))

    report, said = both()
    assert said == ""
    assert report.other_runs["reference"].score(report.points) == 3
    # Whoever says something of one test meets no other.
    assert set(report.other_runs) == {"reference", "wrong/minus"}
    assert set(report.other_runs["wrong/minus"].errors) == {"add-test"}
    answer = folder / "fixtures" / "wrong" / "minus.py"
    promised = answer.read_text()
    answer.write_text(promised.replace("en: 1 and 2", "en: one and two"))
    assert "1 and 2 make 3" in both()[1]
    answer.write_text(promised)
    # Right in one language alone.
    source = SOURCE.replace("return add(a, a)", "return int(ulab.say(zh=str(add(a, a)), en='7'))")
    assert source != SOURCE
    (folder / "lab.py").write_text(source)
    assert check_lab(load_lab(folder), tmp_path).ok
    assert "cell double-test" in both()[1]


def test_a_lab_needs_answers_to_prove_its_tests(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    shutil.rmtree(folder / "fixtures" / "wrong")
    report = check(folder, tmp_path)
    assert "holds 0 answers; a lab needs 5" in "\n".join(map(str, report.problems))


def test_missing_data_is_named(tmp_path: Path) -> None:
    folder = write_lab(tmp_path, MANIFEST.replace("datasets: []", "datasets: [rain]"))
    report = check(folder, tmp_path / "nowhere")
    assert "names the data set rain" in "\n".join(map(str, report.problems))
