"""What counts as a notebook of a lab, and how a submission is put into the lab's frame."""

import json
from typing import Any

import nbformat
import pytest
from integration.coursework_support import LAB, OTHER_LAB, answer, release_notebook

from ulab_coursework.notebooks import NotANotebook, OtherAssignment, check_belongs, parse
from ulab_coursework.sanitise import into_frame
from ulab_coursework.titles import cell_titles

RELEASE = json.loads(nbformat.writes(release_notebook(LAB)))


def changed(**cells: Any) -> dict[str, Any]:
    return json.loads(answer(**cells))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"cells"',
        b'{"cells": {}}',
        b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [1], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{"cell_type": "code"}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{}], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}',
        b"[" * 100_000,
        b'{"cells": [' + b"{}," * 2000 + b'{}], "nbformat": 4, "nbformat_minor": 5}',
    ],
)
def test_what_is_no_notebook_is_refused(content: bytes) -> None:
    with pytest.raises(NotANotebook):
        parse(content)


def test_a_notebook_is_read() -> None:
    assert parse(answer())["nbformat"] == 4


def test_a_notebook_belongs_to_its_own_lab() -> None:
    check_belongs(changed(), LAB, RELEASE)
    with pytest.raises(OtherAssignment, match=OTHER_LAB):
        check_belongs(changed(lab=OTHER_LAB, body="return a * b"), LAB, RELEASE)


def test_a_notebook_whose_metadata_was_rewritten_is_known_by_its_cells() -> None:
    notebook = changed()
    del notebook["metadata"]["ulab"]
    check_belongs(notebook, LAB, RELEASE)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    with pytest.raises(OtherAssignment, match="none of the cells"):
        check_belongs(notebook, LAB, RELEASE)


def test_points_and_kind_come_from_the_lab() -> None:
    notebook = changed()
    notebook["cells"][3]["metadata"]["nbgrader"] |= {"points": 100, "grade": False}
    notebook["cells"][3]["cell_type"] = "markdown"
    framed, missing, duplicated = into_frame(notebook, RELEASE)
    assert framed["cells"][3]["metadata"] == RELEASE["cells"][3]["metadata"]
    assert framed["cells"][3]["cell_type"] == "code"
    assert (missing, duplicated) == ((), ())


def test_removed_cells_return_to_their_places() -> None:
    notebook = changed()
    kept = [notebook["cells"][index] for index in (0, 1, 2)]
    framed, missing, _ = into_frame(notebook | {"cells": kept}, RELEASE)
    assert missing == ("sums-visible", "sums-hidden")
    ids = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in framed["cells"]]
    assert ids == [None, None, "sums-solution", "sums-visible", "sums-hidden"]


def test_a_notebook_without_any_known_cell_gets_all_of_them() -> None:
    notebook = changed()
    framed, missing, _ = into_frame(notebook | {"cells": notebook["cells"][:1]}, RELEASE)
    assert len(missing) == 3
    assert len(framed["cells"]) == 4


def test_duplicates_are_told() -> None:
    notebook = changed()
    notebook["cells"].append(notebook["cells"][2])
    assert into_frame(notebook, RELEASE)[2] == ("sums-solution",)


@pytest.mark.parametrize("metadata", [{"nbgrader": 3}, {"nbgrader": {"grade_id": 4}}, {}])
def test_metadata_of_any_shape_is_survived(metadata: dict[str, Any]) -> None:
    notebook = changed()
    notebook["cells"][1]["metadata"] = metadata | {"tags": ["raises-exception"]}
    framed, _, _ = into_frame(notebook, RELEASE)
    assert framed["cells"][1]["metadata"] == {}


def test_cells_get_the_heading_they_stand_under_numbered_when_it_is_shared() -> None:
    def graded(name: str) -> dict[str, object]:
        return {
            "cell_type": "code", "source": "assert 1",
            "metadata": {"nbgrader": {"grade": True, "grade_id": name}},
        }  # fmt: skip

    def words(source: object) -> dict[str, object]:
        return {"cell_type": "markdown", "source": source, "metadata": {}}

    notebook = {
        "cells": [
            graded("first"),
            words(["# Lab\n", "text\n", "## Split #1 ##\n"]),
            graded("a"),
            graded("b"),
            words("no heading"),
            words("### Measure"),
            graded("c"),
        ]
    }
    assert cell_titles(notebook) == {
        "first": "first", "a": "Split #1 (1)", "b": "Split #1 (2)", "c": "Measure",
    }  # fmt: skip
