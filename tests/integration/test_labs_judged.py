"""The answers that come with labs earn from the judge what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from integration.coursework_support import Base

from ulab_curricula import execute
from ulab_curricula.build import build
from ulab_curricula.fixtures import Fixture, load_fixtures
from ulab_datasets.store import ensure
from ulab_deploy.catalogue import lab_of_checkout
from ulab_deploy.grade import Graded, grade_files

MOST = 8


def some_of(fixtures: list[Fixture]) -> list[Fixture]:
    """All right answers, and wrong ones from all over the lab."""
    wrong = [fixture for fixture in fixtures if fixture.loses]
    step = max(1, len(wrong) // MOST)
    return [*wrong[::step], *(fixture for fixture in fixtures if not fixture.loses)]


def write(path: Path, source: nbformat.NotebookNode, answers: Mapping[str, str]) -> Path:
    notebook = json.loads(nbformat.writes(source))
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(name, cell["source"])
    path.write_text(json.dumps(notebook))
    return path


def lost(graded: Graded) -> dict[str, float]:
    assert graded.problem is None
    return {
        one.id: one.max_points - one.points
        for one in graded.questions
        if one.points is not None and one.points < one.max_points
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["heart-hospitals", "tomorrows-load"])
def test_listed_answers_lose_the_points_they_should(base: Base, tmp_path: Path, name: str) -> None:
    lab = lab_of_checkout(name)
    assert [one.error for one in ensure(base.layout.datasets, [*lab.manifest.datasets])] == [None]
    source = build(lab).canonical
    fixtures = some_of(
        load_fixtures(lab, execute.answer_cells(source), execute.test_points(source))
    )
    expected = {"reference": {}} | {one.name: dict(one.loses) for one in fixtures}
    given = {"reference": {}} | {one.name: one.answers for one in fixtures}
    files = [
        write(tmp_path / f"{place}.ipynb", source, given[each])
        for place, each in enumerate(expected)
    ]
    grading = base.settings.grading.model_copy(update={"cell_timeout_s": 120, "memory_mb": 2048})
    settings = base.settings.model_copy(update={"grading": grading})
    graded = grade_files(lab, files, settings, base.layout)
    assert {each: lost(one) for each, one in zip(expected, graded, strict=True)} == expected
