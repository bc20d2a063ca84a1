"""`ulab grade` takes and refuses what the portal does."""

from __future__ import annotations

from pathlib import Path

from integration.coursework_support import Base

from ulab_deploy.catalogue import lab_of_checkout
from ulab_deploy.grade import grade_files


def test_a_notebook_over_the_limit_is_refused_as_the_portal_does(
    base: Base, tmp_path: Path
) -> None:
    large = tmp_path / "large.ipynb"
    with large.open("wb") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    [result] = grade_files(lab_of_checkout("garments"), [large], base.settings, base.layout)
    assert "This notebook is larger than 20 MB." in str(result.problem)
