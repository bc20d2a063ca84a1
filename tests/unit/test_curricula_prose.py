"""Numbers, terms, links and data sets of a lab's text."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.curricula_support import MANIFEST, SOURCE, write_lab

from ulab_curricula import Lab, find_labs, load_lab
from ulab_curricula.agreement import formulas_differ, glossary, numbers_apart, terms_apart
from ulab_curricula.build import build
from ulab_curricula.check import look
from ulab_curricula.prose import inspect_prose, links, remarks_on_prose

NUMBERS = {
    ("7 万张图", "70,000 images"): [],
    ("三个", "3 of them"): [],
    ("MAPE 是 6.66%", "MAPE is 6.66 %"): [],
    ("MAPE 是 6.66%", "MAPE is 6.6 %"): ["6.6", "6.66"],
    ("有 920 个病人", "There are 902 patients"): ["902", "920"],
    ("用 `x[100]`", "use `x[200]`"): [],
    ("写 150–300 字", "Write 100 to 200 words"): [],
    ("150-300字", "100–200 words"): [],
    ("1.5 亿", "150 million"): [],
}


@pytest.mark.parametrize(("zh", "en"), NUMBERS)
def test_numbers_that_one_language_alone_has(zh: str, en: str) -> None:
    assert numbers_apart(zh, en) == NUMBERS[zh, en]


@pytest.mark.parametrize(
    ("zh", "en", "differ"),
    [
        ("$x = 3$ 个", "$x = 3$", False),
        ("两个 $x$", "2 of $x$", False),
        ("$x = 3$", "$x = 4$", True),
    ],
)
def test_formulas_hold_the_same_numbers(zh: str, en: str, differ: bool) -> None:
    assert formulas_differ(zh, en) is differ


@pytest.mark.parametrize(
    ("zh", "en", "apart"),
    [
        ("看混淆矩阵", "Look at the confusion matrix", []),
        ("看错误表", "Look at the confusion matrix", ["en confusion matrix"]),
        ("看", "Gradients", ["en gradient"]),
        ("看", "`gradient` is a name", []),
        # The other way round, by the first Chinese word alone.
        ("看混淆矩阵", "Look at the table of errors", ["zh confusion matrix"]),
        ("看混淆矩阵", "Look at the matrix", []),
        ("名字叫 `混淆矩阵`", "It is called so", []),
        ("测准确率", "Measure precision", ["zh accuracy"]),
        ("更准确的准确率", "It is more accurate", []),
        ("精度", "How fine it is", []),
        # Words of everyday life.
        ("叶轮后面", "Behind the rotor", []),
        ("三轮", "Three epochs", []),
        ("三次", "Three epochs", ["en epoch"]),
    ],
)
def test_terms_are_called_what_the_glossary_says(zh: str, en: str, apart: list[str]) -> None:
    assert [f"{found.said} {found.term.en[0]}" for found in terms_apart(zh, en)] == apart


def test_the_glossary_names_each_term_once_in_both_languages() -> None:
    words = [word for term in glossary() for word in term.en]
    assert len(words) == len(set(words)) >= 100
    assert all(term.zh and all(term.zh) for term in glossary())
    assert all(len(term.one_way.split()) >= 3 for term in glossary() if term.one_way)


EXCEPTION = "glossary_exceptions: [{term: gradient, reason: It is a slope of a hill here.}]\n"


@pytest.mark.parametrize(
    ("manifest", "said"), [(MANIFEST, ["“gradient”"]), (MANIFEST + EXCEPTION, [])]
)
def test_other_words_than_the_glossarys_need_a_reason(
    tmp_path: Path, manifest: str, said: list[str]
) -> None:
    source = SOURCE.replace("# # Sums", "# # Sums\n# A gradient.")
    lab = load_lab(write_lab(tmp_path, manifest, source))
    found = [str(problem) for problem in inspect_prose(lab, build(lab))]
    assert len(found) == len(said)
    assert all(words in problem for words, problem in zip(said, found, strict=True))


def test_links_of_text_and_of_html_are_found_and_not_those_of_code() -> None:
    text = '[a](https://a.org/x) ![b](b.png) <img src="c.png"> `[d](d.png)` <a href="#e">'
    assert links(text) == ["https://a.org/x", "b.png", "c.png", "#e"]


WRONG = {
    "picture": (SOURCE.replace("# # Sums", "# # Sums\n# ![x](sums.png)"), "sums.png leads nowhere"),
    "address": (
        SOURCE.replace("# # 求和", "# # 求和\n# [x](https://y)"),
        "https://y leads nowhere",
    ),
    "formula": (
        SOURCE.replace("# # Sums", "# # Sums\n# $1 + 2$").replace("# # 求和", "# # 求和\n# $1$"),
        "formulas hold other numbers",
    ),
    "data set": (
        SOURCE.replace("import ulab\n", 'import ulab\nulab.load("rain")\n'),
        "loads the data set rain, which lab.yaml does not name",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_certainly_wrong_is_a_problem(tmp_path: Path, what: str) -> None:
    source, sentence = WRONG[what]
    lab = load_lab(write_lab(tmp_path, source=source))
    [problem] = inspect_prose(lab, build(lab))
    assert sentence in str(problem)


def test_a_data_set_needs_a_card(tmp_path: Path) -> None:
    lab = load_lab(write_lab(tmp_path, MANIFEST.replace("datasets: []", "datasets: [rain]")))
    [problem] = look(lab, tmp_path / "store").problems
    assert "rain, which has no card" in str(problem)


def test_what_may_be_wrong_is_a_remark(tmp_path: Path) -> None:
    source = SOURCE.replace("# # Sums", "# # Sums\n# A slope of 12.5")
    lab = load_lab(write_lab(tmp_path, source=source))
    assert [str(one).split(": ", 1)[1] for one in remarks_on_prose(lab, build(lab))] == [
        "only one language says 12.5.",
    ]


@pytest.mark.parametrize("lab", find_labs(), ids=lambda lab: lab.id)
def test_nothing_is_wrong_with_the_text_of_our_labs(lab: Lab) -> None:
    assert [str(problem) for problem in inspect_prose(lab, build(lab))] == []
