"""What two versions have other than each other, said in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.curricula_support import MANIFEST, SOURCE, write_curriculum, write_lab

from ulab_core.i18n import translations
from ulab_curricula import PublishedCurriculum, load_curriculum
from ulab_curricula.differences import Difference, differences
from ulab_curricula.publication import build_version, load_version


def version(root: Path, source: str = SOURCE, manifest: str = MANIFEST) -> PublishedCurriculum:
    folder = write_curriculum(root)
    write_lab(root / "labs", manifest=manifest, source=source)
    build_version(load_curriculum(folder), root / "out")
    return load_version(root / "out")


def changed(tmp_path: Path, *changes: tuple[str, str]) -> list[Difference]:
    source, manifest = SOURCE, MANIFEST
    for before, after in changes:
        assert before in source + manifest
        source, manifest = source.replace(before, after, 1), manifest.replace(before, after, 1)
    old = version(tmp_path / "old")
    return differences(old, version(tmp_path / "new", source, manifest))


def test_the_same_content_has_no_difference(tmp_path: Path) -> None:
    assert changed(tmp_path) == []


EXTRA = """\
# %% nbgrader={"grade_id": "more", "grade": true, "points": 4}
assert add(2, 2) == 4

# %% nbgrader={"grade_id": "double", "solution": true}"""


@pytest.mark.parametrize(
    ("change", "said", "tests"),
    [
        (
            ('"add-test", "grade": true, "points": 2', '"add-test", "grade": true, "points": 3'),
            [
                "All questions together are worth 7 points; it was 6.",
                "add-test is worth 3 points; it was 2.",
            ],
            True,
        ),
        (
            ("assert add(1, 2) == 3", "assert add(1, 1) == 2"),
            ["The tests of add-test that students see are other than before."],
            True,
        ),
        (
            ("assert add(-4, 4) == 0", "assert add(-5, 5) == 0"),
            ["The hidden tests of add-test are other than before."],
            True,
        ),
        (
            ("secret_total = a + b", "secret_total = b + a"),
            ["The reference answer of add is other than before."],
            False,
        ),
        (
            ("    # zh: 返回两个数的和\n", "    # zh: 返回和\n"),
            ["What students are given in add is other than before."],
            False,
        ),
        (
            ("    # en: return the sum of two numbers\n", "    # en: return the sum\n"),
            ["The comments of add are worded differently in English."],
            False,
        ),
        (
            ("import ulab\n", "import ulab, math\n"),
            ["The lab's own cell setup is other than before."],
            True,
        ),
        (
            ("# # Sums\n", "# # Sums\n# More words.\n"),
            ["Under “Sums” the text in English is worded differently."],
            False,
        ),
        (("# 要点\n", "# 另一个要点\n"), ["The rubric of open is worded differently."], False),
        (("minutes: 5", "minutes: 50"), ["A student needs 50 minutes; it was 5."], False),
        (
            ("en: Sums}", "en: Adding up}"),
            ["The title in English is now “Adding up”; it was “Sums”."],
            False,
        ),
        (
            ('# %% nbgrader={"grade_id": "double", "solution": true}', EXTRA),
            [
                "All questions together are worth 10 points; it was 6.",
                "The question more is new, worth 4 points.",
            ],
            True,
        ),
        (("# %% nbgrader", "# %%\nfree = 1\n\n# %% nbgrader"), ["Code that students may"], True),
        (("datasets: []", "datasets: [iris]"), ["It now uses the data iris."], True),
    ],
)
def test_a_difference_is_said(
    tmp_path: Path, change: tuple[str, str], said: list[str], tests: bool
) -> None:
    found = changed(tmp_path, change)
    assert len(found) == len(said)
    for one, sentence in zip(found, said, strict=True):
        assert one.said().startswith(sentence)
        chinese = one.said(translations("zh").gettext)
        assert chinese not in ("", one.said())
    assert any(one.tests for one in found) is tests


def test_comments_of_free_code_are_compared_too(tmp_path: Path) -> None:
    cell = "# %%\n# zh: 一\n# en: one\nfree = 1\n\n# %% nbgrader"
    first = SOURCE.replace("# %% nbgrader", cell, 1)
    old = version(tmp_path / "old", first)
    found = differences(old, version(tmp_path / "new", first.replace("# en: one", "# en: once")))
    assert [one.said() for one in found] == [
        "Comments in code that students may change are worded differently in English."
    ]
    assert not found[0].tests


def test_labs_that_come_go_and_move_are_said(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for root, labs in ((old, ("sums", "first", "gone")), (new, ("first", "sums", "fresh"))):
        folder = write_curriculum(root)
        sums = root / "labs" / "image-recognition" / "sums"
        for name in set(labs) - {"sums"}:
            other = sums.parent / name
            other.mkdir()
            (other / "lab.py").write_text(SOURCE, "utf-8")
            (other / "lab.yaml").write_text(MANIFEST.replace("id: sums", f"id: {name}"), "utf-8")
        file = folder / "curriculum.yaml"
        file.write_text(file.read_text("utf-8").replace("[sums]", f"[{', '.join(labs)}]"), "utf-8")
        build_version(load_curriculum(folder), root / "out")
    said = [one.said() for one in differences(load_version(old / "out"), load_version(new / "out"))]
    assert said == [
        "The lab fresh is new, with 6 points.",
        "The lab gone is gone.",
        "The labs come in another order: first, sums.",
    ]
