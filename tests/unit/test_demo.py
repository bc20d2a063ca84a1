"""The demonstration's courses: any curriculum gives one that may be called so."""

from __future__ import annotations

import pytest

from ulab_core.models import COURSE_ID
from ulab_deploy.demo import course_id


@pytest.mark.parametrize(
    ("curriculum", "starts"),
    [
        ("vision-foundations", "vision-foundations"),
        ("a-curriculum-of-24-letter", "a-curriculum-of-"),
        ("a-long-curricul-um-with-more-to-it", "a-long-curricul-"),
        ("3d-vision", "c3d-vision-"),
        ("x", "x-"),
        ("default", "default-"),
    ],
)
def test_a_course_can_be_called_as_its_curriculum_or_nearly(curriculum: str, starts: str) -> None:
    found = course_id(curriculum)
    assert COURSE_ID.fullmatch(found)
    assert found.startswith(starts)
    assert "--" not in found


def test_what_begins_alike_does_not_end_up_in_one_course() -> None:
    alike = [f"foundations-of-machine-learning-{part}" for part in range(5)]
    assert len({course_id(one) for one in alike}) == 5
