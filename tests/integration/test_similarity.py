"""Similar passages in a class's work: found in a sandbox, and read by the course's instructors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from integration.coursework_support import COURSE, LAB, answer, hand_in, make_base, release_notebook

from ulab_core.errors import UserError
from ulab_coursework.ownwork import own_cells
from ulab_coursework.similarity import BeingMade, _locked, document, make_report, read_report
from ulab_runtime.similarity import compare

LONG = """total = a
    for step in range(10):
        if step % 2 == 0 and total > step * 3:
            total += b / 10 - step
        elif total < -step:
            total = total * step - b
    print(total, "is not what is asked")
    return a + b"""
RENAMED = LONG.replace("total", "summe").replace("step", "i")
OTHER = """import functools
    numbers = [x for x in (a, b) if x is not None]
    with open('/dev/null') as nowhere:
        text = nowhere.read().strip().split(',')
    return functools.reduce(lambda p, q: p + q, numbers, len(text) - 1)"""


def test_renamed_code_is_similar_and_other_code_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_base(tmp_path, monkeypatch)
    hand_in(base, answer(LONG), "alice")
    hand_in(base, answer(RENAMED, language="en"), "bob")
    made = make_report(base.db, base.layout, base.settings, COURSE, LAB)
    [pair] = made.pairs
    assert pair.people == ("alice", "bob")
    assert pair.similarity > 0.8
    shown = document(made.cells["alice"]).split("\n")
    similar = [shown[number].strip() for number in pair.lines[0]]
    assert "if step % 2 == 0 and total > step * 3:" in similar
    assert read_report(base.db, base.layout, COURSE, LAB, "carol") == made
    for stranger in ("alice", "dave"):
        with pytest.raises(UserError):
            read_report(base.db, base.layout, COURSE, LAB, stranger)
    with _locked(base.layout, COURSE, LAB), pytest.raises(BeingMade):
        make_report(base.db, base.layout, base.settings, COURSE, LAB)


def test_different_work_is_not_similar_and_what_was_given_counts_for_nothing() -> None:
    template = "def helper(values):\n    " + LONG
    found = compare({"a": LONG, "b": OTHER, "c": template}, template)
    assert [pair["similarity"] for pair in found["pairs"]] == [0, 0, 0]


def test_what_most_of_a_class_wrote_counts_for_nothing() -> None:
    documents = {f"s{number}": LONG for number in range(6)}
    found = compare(documents, "")
    assert {pair["similarity"] for pair in found["pairs"]} == {0}


def test_only_what_a_student_wrote_is_looked_at() -> None:
    release = json.loads(json.dumps(release_notebook(LAB)))
    notebook = json.loads(answer(LONG))
    notebook["cells"][3]["source"] = "changed_test = 1"
    notebook["cells"].append({"cell_type": "code", "source": "mine = 1", "metadata": {}})
    found = own_cells(notebook, [release])
    assert [cell.name for cell in found] == ["sums-solution", ""]
    assert found[1].source == "mine = 1"
    assert own_cells(release, [release]) == []
