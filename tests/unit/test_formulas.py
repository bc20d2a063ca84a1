"""Formulas on pages without scripts: which are read, which stay text, and that none can act."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup

from ulab_core.i18n import LANGUAGES
from ulab_coursework.feedbackpage import comment_html
from ulab_coursework.formulas import LEAST, MOST_CHARACTERS, MOST_ON_A_PAGE, Formulas
from ulab_coursework.markdown import MOST_TEXT, harmless_markdown
from ulab_curricula.build import build
from ulab_curricula.labs import Lab, find_labs


def shown(source: str, **options: Any) -> str:
    return harmless_markdown(source, Formulas(), escape=False, exclude_anchor_links=True, **options)


def texts(page: str) -> list[str]:
    """What each formula on a page says."""
    return [tag.get_text() for tag in BeautifulSoup(page, "html.parser").find_all("math")]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("Loss $x^2$.", ["x2"]),
        (r"Loss \\(x^2\\).", ["x2"]),
        ("$$\n\\frac{a}{b}\n$$", ["ab"]),
        (r"\\[ \sqrt{a} \\]", ["a"]),
        (r"\begin{align} a &= b \\ c &= d \end{align}", ["a=bc=d"]),
        (r"$\hat{y}_i = \sum_{i=1}^{n} \alpha_i$", ["y^i=∑i=1nαi"]),
        (r"$\text{准确率} = \frac{\text{对的}}{n}$", ["准确率=对的n"]),
        ("- $a$\n- $b$ and **$c$**", ["a", "b", "c"]),
        ("| $a$ | b |\n|---|---|\n| 1 | $c$ |", ["a", "c"]),
        (r"$a < b$ & $\text{a<b & c}$", ["a<b", "a<b\xa0&\xa0c"]),
        (r"$\$5$", ["$5"]),
        # As in JupyterLab, which takes it for a formula too.
        ("It costs $5 and $6.", ["5and"]),
        ("It costs $5.", []),
        (r"It costs \$5 and \$6.", []),
        ("$a\n\nb$", []),
        ("`$a$` and `x = $b`, $HOME", []),
        ("```\n$a$\n```", []),
        ("    $$a$$", []),
        (r"\(a\) and \[b\]", []),
    ],
)
def test_what_is_a_formula(source: str, says: list[str]) -> None:
    assert texts(shown(source)) == says


@pytest.mark.parametrize(
    "tex",
    [
        r"\unknown x",
        r"\frac{a",
        "a_b_c",
        r"\left( a",
        r"\begin{align} a",
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{bb}\a",
        "x" * (MOST_CHARACTERS + 1),
        "{" * 500 + "x" + "}" * 500,
        r"\sqrt" * 390 + " x",
        r"\begin{matrix}" * 60 + "x" + r"\end{matrix}" * 60,
    ],
    ids=lambda tex: tex[:24],
)
def test_what_cannot_be_read_stays_as_it_was_written(tex: str) -> None:
    page = shown(f"before ${tex}$ **after**")
    assert "<strong>after</strong>" in page
    assert "<math" not in page
    assert f"${tex}$" in page


EVIL = [
    r"\href{javascript:steal()}{x}",
    r"\class{steal}{x}",
    r"\style{position:fixed}{x}",
    r"\text{<script>steal()</script>}",
    r"\text{<img src=x onerror=steal()>}",
    r"<script>steal()</script>",
    r'\text{" onmouseover="steal()}',
    r"\color{red;position:fixed}{x}",
    r"\hspace{-90em}x",
    r"\hspace{9999em}x",
    r"\text{</math><iframe src=x>}",
    r"&lt;script&gt;steal()&lt;/script&gt;",
    r"\text{&lt;script&gt;steal()}",
]


@pytest.mark.parametrize("tex", EVIL)
@pytest.mark.parametrize(
    "around",
    [
        "${}$",
        "$${}$$",
        "![${}$](data:image/png;base64,AA==)",
        "[a](x '${}$')",
        "<b title='${}$'>b</b>",
    ],
)
def test_a_formula_cannot_act(tex: str, around: str) -> None:
    page = shown(around.replace("{}", tex, 1))
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        assert tag.name not in ("script", "iframe"), page
        assert tag.name != "img" or tag["src"].startswith("data:"), page
        assert not {"style", "onerror", "onmouseover", "mathcolor"} & set(tag.attrs), page
        assert not str(tag.get("href", "")).startswith("javascript"), page
        assert "steal" not in tag.get("class", []), page
        assert not re.search(r"-\d|\d\d", str(tag.get("width", ""))), page


def test_only_what_a_formula_made_is_mathml() -> None:
    page = shown("<math><mtext><b>x</b></mtext></math> <span class='formula-0-i'>$y$</span> $z$")
    assert texts(page) == ["y", "z"]
    assert page.count("<math") == 2


@pytest.mark.parametrize(
    "source",
    ["$" * 90_000, r"\\(" * 30_000, r"\begin{a}" * 5_000, "$a " * 9_000, "$$a" * 9_000],
    ids=lambda source: source[:8],
)
def test_a_great_many_delimiters_are_no_burden(source: str) -> None:
    assert len(texts(shown(source))) <= MOST_ON_A_PAGE // LEAST


def test_a_page_has_its_share_of_formulas_and_the_rest_is_text() -> None:
    formulas = Formulas()
    tex = "x" * 1000
    made = [formulas.mathml(tex, display=False) for _ in range(MOST_ON_A_PAGE // 1000 + 1)]
    assert made[-1] is None
    assert None not in made[:-1]
    assert texts(shown("$x$" + " " * MOST_TEXT)) == []


def test_a_comment_may_hold_formulas() -> None:
    assert texts(comment_html("try $x^2$ <b>")) == ["x2"]
    assert "&lt;b&gt;" in comment_html("try $x^2$ <b>")


@pytest.mark.parametrize("lab", find_labs(), ids=lambda lab: lab.id)
def test_each_formula_of_a_lab_is_read(lab: Lab) -> None:
    releases = build(lab).releases
    for language in LANGUAGES:
        formulas = Formulas()
        for cell in releases[language].cells:
            if cell.cell_type == "markdown":
                page = harmless_markdown(cell.source, formulas, escape=False)
                soup = BeautifulSoup(page, "html.parser")
                for tag in soup.find_all(["math", "code", "pre"]):
                    tag.decompose()
                assert "$" not in soup.get_text(), cell.source
