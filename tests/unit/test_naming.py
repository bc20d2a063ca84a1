"""Whose the names of curricula, labs and focus areas are, as a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.curricula_support import write_curriculum

from ulab_core.publishing_models import NameKind
from ulab_curricula import load_curriculum
from ulab_curricula.naming import Known, Name, holders_of_new, names_in, refusal

CURRICULUM = Name(NameKind.CURRICULUM, "adding")
LAB = Name(NameKind.LAB, "sums")
AREA = Name(NameKind.FOCUS_AREA, "image-recognition")
NAMES = (CURRICULUM, LAB, AREA)


@pytest.mark.parametrize("name", NAMES, ids=[name.kind.value for name in NAMES])
@pytest.mark.parametrize(
    ("brought", "published", "holders", "may"),
    [
        (False, False, [], True),
        (False, True, [], False),
        (True, False, [], False),
        (False, True, ["carol"], True),
        (False, True, ["erin"], False),
        (False, True, ["erin", "carol"], True),
        # Claimed, and about to be published.
        (False, False, ["erin"], False),
        (False, False, ["carol"], True),
        # The base has come to bring what was carol's.
        (True, True, ["carol"], False),
    ],
)
def test_who_may_publish_under_a_name(
    name: Name, brought: bool, published: bool, holders: list[str], may: bool
) -> None:
    known = Known(
        {name} if brought else set(),
        {name} if published else set(),
        {name: holders} if holders else {},
    )
    problem = refusal(NAMES, "carol", known)
    assert (problem is None) is may
    if problem is not None:
        assert f"{name.kind.value.replace('_', ' ')} {name.id} already" in str(problem)


@pytest.mark.parametrize(
    ("titles", "gives_a_meaning"),
    [
        (None, True),
        (("图像识别", "Image recognition"), False),
        (("图像识别", "Pictures"), True),
    ],
)
def test_a_focus_area_may_be_used_as_it_is(
    tmp_path: Path, titles: tuple[str, str] | None, gives_a_meaning: bool
) -> None:
    curriculum = load_curriculum(write_curriculum(tmp_path))
    known = Known(areas={"image-recognition": {titles}} if titles else {})
    assert set(names_in(curriculum, known)) == {CURRICULUM, LAB, *([AREA] * gives_a_meaning)}


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (Known(), {CURRICULUM: ["root"], LAB: ["root"]}),
        (Known(published={LAB}), {CURRICULUM: ["root"]}),
        # An administrator adds a lab to a curriculum of others, who go on with both.
        (
            Known(published={CURRICULUM}, holders={CURRICULUM: ["carol", "erin"]}),
            {LAB: ["carol", "erin"]},
        ),
        (Known(brought={CURRICULUM, LAB}), {}),
    ],
)
def test_whose_new_names_become(known: Known, new: dict[Name, list[str]]) -> None:
    assert holders_of_new((CURRICULUM, LAB), "root", known) == new
