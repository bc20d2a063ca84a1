"""A real lab with its real data, graded as a student's submission is."""

from pathlib import Path

import pytest
from integration.coursework_support import make_base
from nbformat import reads
from nbgrader import utils

from ulab_core.models import Role
from ulab_coursework.courses import create_course, enrol
from ulab_coursework.releases import publish_assignment
from ulab_coursework.standing import history
from ulab_coursework.submissions import receive
from ulab_coursework.worker import Worker
from ulab_curricula import publish
from ulab_curricula.labs import CURRICULA, load_curriculum
from ulab_datasets.store import ensure


@pytest.mark.timeout(900)  # it trains a network; the machine may be busy with other tests
def test_the_reference_of_garments_earns_all_points_a_machine_can_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_base(tmp_path, monkeypatch, publish=False)
    assert [result.error for result in ensure(base.layout.datasets, ["fashion-mnist"])] == [None]
    version = publish(load_curriculum(CURRICULA / "vision-foundations"), base.layout)
    with base.db.write() as session:
        create_course(
            session, base.layout, "vision", "vision-foundations", version, None, "2026", "carol"
        )
        enrol(session, "vision", "alice", Role.STUDENT, "carol")
    publish_assignment(base.db, base.layout, "vision", "garments", None, "at_once", "carol")
    lab = base.layout.curriculum_version("vision-foundations", version) / "labs" / "garments"
    reference = (lab / "source" / "garments.ipynb").read_bytes()
    receive(base.db, base.layout, base.settings, "vision", "garments", "alice", reference, "portal")
    grading = base.settings.grading.model_copy(
        update={"cell_timeout_s": 400, "job_timeout_s": 800, "memory_mb": 2048}
    )
    Worker(base.settings.model_copy(update={"grading": grading})).work_once()

    by_machine = sum(
        cell.metadata.nbgrader.points
        for cell in reads(reference.decode(), as_version=4).cells
        if utils.is_grade(cell) and not utils.is_solution(cell)
    )
    with base.db.read() as session:
        [found] = history(session, "vision", "garments", "alice")
    assert (found.score, found.problem) == (by_machine, None)
    assert by_machine > 10
