"""Similar passages in a class's work: found in a sandbox, and read by the course's instructors."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from integration.coursework_support import COURSE, LAB, answer, hand_in, make_base, release_notebook

from ulab_core.errors import UserError
from ulab_coursework.forming import locked_assignment, place
from ulab_coursework.grouping import Placed
from ulab_coursework.ownwork import own_cells
from ulab_coursework.similarity import _compared, document, make_report, read_report
from ulab_coursework.similarity_lock import BeingMade, locked
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
    with locked(base.layout, COURSE, LAB), pytest.raises(BeingMade):
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


def test_members_of_a_group_are_one_submission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_base(tmp_path, monkeypatch)
    with base.db.write() as session:
        rows = [Placed(1, "alice", "Ours"), Placed(2, "bob", "Ours")]
        locked_assignment(session, COURSE, LAB).group_size = 2
        place(session, COURSE, LAB, rows, "carol")
    hand_in(base, answer(LONG), "alice")
    made = make_report(base.db, base.layout, base.settings, COURSE, LAB)
    assert made.pairs == ()
    [(entry, called)] = made.called.items()
    assert entry.startswith("_group-")
    assert called.count(",") == 1


def test_copies_in_a_class_of_sixty_rank_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_base(tmp_path, monkeypatch)
    chance = random.Random(60)
    documents = {f"s{number:02}": _program(chance) for number in range(60)}
    copies = [(f"s{number:02}", f"s{number + 30:02}") for number in range(4)]
    for first, second in copies:
        copied = documents[first].replace("alpha", "zeta").replace("rows", "lines")
        documents[second] = f"# my own work\n{copied}\n"
    found = _compared(base.layout, base.settings, documents, "")
    assert {tuple(pair["people"]) for pair in found["pairs"][:4]} == set(copies)
    assert len(found["pairs"]) == 60 * 59 // 2
    assert found["pairs"][3]["similarity"] > 0.9
    assert found["pairs"][4]["similarity"] < 0.3


def _program(chance: random.Random) -> str:
    """Forty statements that nobody else writes."""

    def expression(depth: int = 0) -> str:
        kind = chance.randrange(5) if depth < 3 else 0
        if kind == 0:
            return chance.choice(["alpha", "beta", "rows", "count", "left"])
        inner = [expression(depth + 1) for _ in range(2)]
        if kind == 1:
            return f"{inner[0]} {chance.choice('+-*/%')} {inner[1]}"
        if kind == 2:
            return f"rows[{inner[0]}]"
        if kind == 3:
            return f"max({inner[0]}, {inner[1]})"
        return f"({inner[0]} if {inner[1]} > {chance.randrange(99)} else {expression(depth + 1)})"

    forms = ("count = {}", "for left in {}:\n    beta += 1", "if {}:\n    alpha = 2", "print({})")
    return "\n".join(chance.choice(forms).format(expression()) for _ in range(40))
