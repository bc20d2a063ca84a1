"""The example of the authoring guide: from a Git repository with data of its own to a course."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from integration.coursework_support import Base
from integration.git_server import git, serving

from ulab_core.manifest_files import find_manifest
from ulab_core.models import FeedbackPolicy
from ulab_core.programs import CHECKOUT
from ulab_coursework.courses import create_course, find_course
from ulab_coursework.releases import publish_assignment
from ulab_curricula import find_labs, load_published
from ulab_datasets import adding
from ulab_datasets.adding import Told
from ulab_datasets.card import PAGE, Described
from ulab_datasets.errors import BadCard
from ulab_deploy.base import Base as DeployedBase
from ulab_deploy.outside import publish_others

EXAMPLE = CHECKOUT / "examples" / "agriculture"
DATA = EXAMPLE / "datasets" / "soybean-growth.csv"
# One for each task; all of them would take the suite twice as long.
WRONG = {
    "years-in-one-group", "curve-goes-down", "loss-without-gradient", "test-year-leaks",
    "one-model-for-all-folds", "sum-of-folds",
}  # fmt: skip


def test_it_is_published_from_git_once_its_data_is_there_and_a_course_runs_it(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repositories" / "agriculture"
    shutil.copytree(EXAMPLE, repository)
    [lab] = find_labs(repository / "labs")
    for answer in lab.folder.glob("fixtures/wrong/*.py"):
        if answer.stem not in WRONG:
            answer.unlink()
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=first")
    deployed = DeployedBase(base.settings, base.layout)
    with serving(repository.parent, tmp_path) as (url, certificate):
        monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
        address = f"{url}/agriculture/.git"
        with pytest.raises(BadCard, match="ulab datasets add soybean-growth"):
            list(publish_others(deployed, address, actor="tester"))
        told = Told(find_manifest(DATA.with_suffix(".yaml"), Described, PAGE).manifest, "tester")
        with DATA.open("rb") as file:
            adding.add(base.layout.datasets, "soybean-growth", {DATA.name: file}, told)
        [made] = publish_others(deployed, address, actor="tester")
    assert [str(p) for one in made.proved for p in one.report.problems] == []
    answers = len(WRONG) + 2 + 2  # the right ones, the reference and the release
    assert [one.judged for one in made.proved] == [answers, answers]
    assert load_published(base.layout, "farm-foundations", made.version).labs[0].max_score == 18
    with base.db.write() as session:
        create_course(
            session, base.layout, "farm-2026", "farm-foundations", made.version, None, "", "tester"
        )
    publish_assignment(
        base.db, base.layout, "farm-2026", lab.id, None, FeedbackPolicy.AT_ONCE, "tester"
    )
    with base.db.read() as session:
        assert find_course(session, "farm-2026").curriculum_version == made.version


def test_its_schemas_are_those_of_the_checkout() -> None:
    theirs = {path.name: path.read_text() for path in (EXAMPLE / "curricula/schemas").iterdir()}
    ours = {path.name: path.read_text() for path in (CHECKOUT / "curricula/schemas").iterdir()}
    assert theirs == ours
