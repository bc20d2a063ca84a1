"""Each lab earns from the judge what it promises, and its tests catch small changes."""

from __future__ import annotations

import pytest
from integration.coursework_support import Base

from ulab_curricula import Lab, find_labs
from ulab_curricula.mutants import SHARE_CAUGHT
from ulab_datasets.store import ensure
from ulab_deploy.prove import How, prove

HOW = How("zh", mutants=True, repeat=4, both=True)


@pytest.mark.timeout(1200)  # several trainings; the machine may be busy with other tests
@pytest.mark.parametrize("lab", find_labs(), ids=lambda lab: lab.id)
def test_every_lab_is_proved(base: Base, lab: Lab) -> None:
    results = ensure(base.layout.datasets, [*lab.manifest.datasets])
    assert [str(result.error) for result in results if result.error] == []
    [found] = prove([lab], base.settings, base.layout, HOW)
    report = found.report
    assert [str(problem) for problem in report.problems] == []
    assert found.judged == 2 + len(report.fixtures)
    assert 4 <= len(report.points) <= 10
    assert {name.split("/")[0] for name in report.other_runs} == {"reference", "wrong"}
    assert report.mutants.run >= 20
    assert report.mutants.share >= SHARE_CAUGHT
