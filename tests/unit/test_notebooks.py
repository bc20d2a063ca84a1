"""What counts as a notebook of a lab, and how a submission is put into the lab's frame."""

import json
from typing import Any

import nbformat
import pytest
from integration.coursework_support import (
    LAB,
    OTHER_LAB,
    answer,
    release_notebook,
    source_notebook,
)

from ulab_coursework.notebooks import NotANotebook, OtherAssignment, check_belongs, parse
from ulab_coursework.template import Rebuilt, rebuild
from ulab_curricula.titles import cell_titles

RELEASE = json.loads(nbformat.writes(release_notebook(LAB)))
SOURCE = json.loads(nbformat.writes(source_notebook(LAB)))


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


def ids_of(notebook: Any) -> list[str | None]:
    return [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]


def text_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def rebuilt(notebook: dict[str, Any]) -> Rebuilt:
    return rebuild(notebook, RELEASE, SOURCE)


def test_points_and_kind_come_from_the_lab() -> None:
    notebook = changed()
    notebook["cells"][3]["metadata"]["nbgrader"] |= {"points": 100, "grade": False}
    notebook["cells"][3]["cell_type"] = "markdown"
    found = rebuilt(notebook)
    assert found.notebook["cells"][3]["metadata"] == RELEASE["cells"][3]["metadata"]
    assert found.notebook["cells"][3]["cell_type"] == "code"
    assert (found.missing, found.duplicated, found.moved) == ((), (), ())


def test_locked_cells_come_from_the_lab_and_tests_with_what_is_hidden() -> None:
    notebook = changed()
    for index in (3, 4):
        notebook["cells"][index]["source"] = "pass"
    sources = [cell["source"] for cell in rebuilt(notebook).notebook["cells"]]
    assert "pass" not in sources
    assert sources[3:5] == [text_of(cell) for cell in SOURCE["cells"][3:5]]


def test_removed_cells_return_to_their_places() -> None:
    notebook = changed()
    kept = [notebook["cells"][index] for index in (0, 1, 2)]
    found = rebuilt(notebook | {"cells": kept})
    assert found.missing == ("sums-visible", "sums-hidden")
    assert ids_of(found.notebook) == [None, None, "sums-solution", "sums-visible", "sums-hidden"]


def test_a_removed_answer_is_as_the_lab_gave_it() -> None:
    notebook = changed()
    del notebook["cells"][2]
    found = rebuilt(notebook)
    assert found.missing == ("sums-solution",)
    assert found.notebook["cells"][2]["source"] == text_of(RELEASE["cells"][2])


def test_a_notebook_without_any_known_cell_gets_all_of_them() -> None:
    notebook = changed()
    found = rebuilt(notebook | {"cells": notebook["cells"][:1]})
    assert len(found.missing) == 3
    assert len(found.notebook["cells"]) == 4


def test_of_a_duplicate_the_last_counts_and_the_other_is_a_cell_of_the_students_own() -> None:
    notebook = changed()
    again = json.loads(json.dumps(notebook["cells"][2]))
    again["source"] = "second = 2"
    notebook["cells"].append(again)
    found = rebuilt(notebook)
    assert found.duplicated == ("sums-solution",)
    assert list(filter(None, ids_of(found.notebook))) == list(filter(None, ids_of(SOURCE)))
    by_id = dict(zip(ids_of(found.notebook), found.notebook["cells"], strict=True))
    assert by_id["sums-solution"]["source"] == "second = 2"
    assert text_of(notebook["cells"][2]) in [cell["source"] for cell in found.notebook["cells"]]


def test_a_duplicated_test_is_not_run_twice() -> None:
    notebook = changed()
    notebook["cells"].append(notebook["cells"][3])
    found = rebuilt(notebook)
    assert found.duplicated == ("sums-visible",)
    assert ids_of(found.notebook).count("sums-visible") == 1
    assert len(found.notebook["cells"]) == len(SOURCE["cells"])


@pytest.mark.parametrize(
    ("order", "moved"),
    [
        ((0, 1, 2, 3, 4), ()),
        ((0, 1, 3, 2, 4), ("sums-visible",)),
        ((0, 1, 4, 2, 3), ("sums-hidden",)),
        ((3, 4, 2, 0, 1), ("sums-solution",)),
    ],
)
def test_cells_that_were_moved_stand_in_their_places(
    order: tuple[int, ...], moved: tuple[str, ...]
) -> None:
    notebook = changed()
    found = rebuilt(notebook | {"cells": [notebook["cells"][place] for place in order]})
    assert list(filter(None, ids_of(found.notebook))) == list(filter(None, ids_of(SOURCE)))
    assert found.moved == moved


@pytest.mark.parametrize("metadata", [{"nbgrader": 3}, {"nbgrader": {"grade_id": 4}}, {}])
def test_metadata_of_any_shape_is_survived(metadata: dict[str, Any]) -> None:
    notebook = changed()
    notebook["cells"][1]["metadata"] = metadata | {"tags": ["raises-exception"]}
    assert rebuilt(notebook).notebook["cells"][1]["metadata"] == {}


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
