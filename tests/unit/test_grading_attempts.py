"""The table of attempts in the docs says what the attempts say of themselves."""

from __future__ import annotations

from pathlib import Path

from attacks.grading_notebooks import attempts
from attacks.grading_table import due

PAGE = Path(__file__).parents[2] / "docs" / "grading-attempts.md"


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    return [[part.strip() for part in line.strip("|").split(" | ")] for line in lines[2:]]


def test_it_has_every_attempt_and_the_score_that_each_must_get() -> None:
    said = [(name, tries, must) for name, tries, must, _, _ in rows()]
    assert said == sorted((one.name, one.tries, due(one)) for one in attempts())


def test_it_says_which_stock_nbgrader_was_not_given() -> None:
    said = {name: stock for name, _, _, stock, _ in rows() if stock.startswith("not run")}
    assert said == {one.name: f"not run: {one.stock}" for one in attempts() if one.stock}


def test_its_sentence_counts_what_is_in_it() -> None:
    found = rows()
    ran = [row for row in found if not row[3].startswith("not run")]
    wrong = sum(_is_wrong(must, stock) for _, _, must, stock, _ in ran)
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"was given {len(ran)} of them and got {wrong} wrong" in text
    assert not any(_is_wrong(must, ours) for _, _, must, _, ours in found)


def _is_wrong(must: str, got: str) -> bool:
    if must == "refused":
        return got not in ("refused", "breaks off")
    try:
        points = float(got)
    except ValueError:
        return True
    most = float(must.split()[-1])
    return points > most if must.startswith("at most") else points != most
