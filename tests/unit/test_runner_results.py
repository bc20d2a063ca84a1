"""What a runner tells is read as a stranger's words; labs of others are named as they have them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from unit.curricula_support import write_lab

from ulab_core.errors import NotFound, UserError
from ulab_core.manifest_files import BadManifest
from ulab_core.settings import Settings
from ulab_curricula.build import build
from ulab_curricula.check import Report
from ulab_curricula.errors import BadLab, BadTest
from ulab_curricula.execute import Run
from ulab_curricula.labs import load_lab
from ulab_curricula.places import Place
from ulab_curricula.results import LONGEST_SAID, Results, read_results
from ulab_curricula.theirs import named_as_theirs
from ulab_deploy.prove import too_slow

CELL = {"name": "add", "error": None, "line": 0, "value": None, "seconds": 0.5}


def test_what_a_runner_tells_is_read() -> None:
    told = {
        "reference": [CELL],
        "variant-0": [{**CELL, "error": "ValueError: x", "line": 3, "value": 2.0}],
        "mutants": {"k": {"fate": "caught", "by": "add-test"}},
        "repeat-4": [None, "AssertionError: luck"],
        "peak_mb": 120,
    }
    found = read_results({name: json.dumps(text) for name, text in told.items()})
    runs = {name: [cell.model_dump() for cell in cells] for name, cells in found.runs.items()}
    assert runs == {"reference": [CELL], "variant-0": told["variant-0"]}
    assert {key: fate.model_dump() for key, fate in found.fates.items()} == told["mutants"]
    assert found.repeats == {"repeat-4": told["repeat-4"]}
    assert found.peak_mb == 120


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reference", "no JSON"),
        ("reference", "[" * 100_000),
        ("reference", json.dumps({"name": "add"})),
        ("reference", json.dumps([{**CELL, "seconds": -1}])),
        ("reference", json.dumps([{**CELL, "seconds": "0"}])),
        ("reference", '[{"name": "a", "error": null, "line": 0, "value": null, "seconds": NaN}]'),
        ("mutants", json.dumps({"k": {"fate": "excellent", "by": ""}})),
        ("mutants", json.dumps([1])),
        ("peak_mb", "-5"),
        ("peak_mb", '"none"'),
    ],
)
def test_what_makes_no_sense_counts_as_not_told(name: str, text: str) -> None:
    assert read_results({name: text}) == Results()


def test_an_error_without_end_is_cut() -> None:
    said = "x" * 5_000_000
    found = read_results(
        {
            "reference": json.dumps([{**CELL, "error": said}]),
            "repeat-1": json.dumps([said, None]),
        }
    )
    assert found.runs["reference"][0].error == "x" * LONGEST_SAID
    assert found.repeats == {"repeat-1": ["x" * LONGEST_SAID, None]}


def test_repeats_that_can_not_be_read_count_as_a_failure() -> None:
    assert read_results({"repeat-1": "[]"}).repeats == {"repeat-1": [""]}
    assert read_results({"repeat-1": "[1]"}).repeats == {"repeat-1": [""]}


@pytest.mark.parametrize(
    ("seconds", "grading_seconds", "said"),
    [
        ({"setup": 59.0, "add": 3.0}, 600, []),
        ({"setup": 3.0}, 601, ["grading_seconds says 601 s, but this base ends grading after 600"]),
        ({"setup": 3.0, "add": 61.0}, 600, ["This cell takes 61 s, but this base ends a cell"]),
    ],
)
def test_what_the_base_would_cut_off_is_said(
    tmp_path: Path, seconds: dict[str, float], grading_seconds: int, said: list[str]
) -> None:
    lab = load_lab(write_lab(tmp_path))
    manifest = lab.manifest.model_copy(update={"grading_seconds": grading_seconds})
    lab = dataclasses.replace(lab, manifest=manifest)
    run = Run("reference", {}, sum(seconds.values()), cells=seconds)
    report = Report("sums", [], {}, {"reference": run}, built=build(lab), source=lab)
    found = [str(problem) for problem in too_slow(report, Settings())]
    assert len(found) == len(said)
    assert all(words in sentence for words, sentence in zip(said, found, strict=True))


ROOT = Path("/tmp/ulab-outside-x/curricula-of-others")
LAB = ROOT / "labs/image-recognition/sums/lab.py"
PROBLEMS: list[tuple[UserError, str]] = [
    (BadLab("{file} is bad.", file=LAB), "labs/image-recognition/sums/lab.py is bad."),
    (BadManifest("{file}: {why}", file=str(LAB), why=3), "labs/image-recognition/sums/lab.py: 3"),
    (BadLab("{why}", why=OSError(f"no {LAB}")), "no labs/image-recognition/sums/lab.py"),
    (NotFound("{why}", why=BadLab("{file}!", file=LAB)), "labs/image-recognition/sums/lab.py!"),
    (
        BadTest("Wrong.", Place(LAB, "add-test", 12)),
        "labs/image-recognition/sums/lab.py:12, cell add-test: Wrong.",
    ),
    (BadLab("{file} stays.", file=Path("/elsewhere/lab.py")), "/elsewhere/lab.py stays."),
]


@pytest.mark.parametrize(("problem", "said"), PROBLEMS)
def test_files_of_others_are_named_as_they_have_them(problem: UserError, said: str) -> None:
    named_as_theirs(problem, ROOT)
    assert str(problem) == said
