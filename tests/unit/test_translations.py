"""Every sentence of the whole product has a Chinese translation that fits it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from ulab_core.i18n import PACKAGES, translations

KEYWORDS = {
    "_": None, "gettext": None, "mark": None, "translate": None, "say": None, "t": None,
    "ngettext": (1, 2),
}  # fmt: skip
METHODS = [
    ("**.py", "python"),
    ("**.html", "jinja2.ext:babel_extract"),
    ("**.j2", "jinja2.ext:babel_extract"),
]
OPTIONS = {"**.html": {"newstyle_gettext": "true"}, "**.j2": {"newstyle_gettext": "true"}}
PLACES = re.compile(r"%\(\w+\)s|(?<!\{)\{\w*\}(?!\})")
LABS = Path(__file__).parents[2] / "labs"
HAN = re.compile(r"[\u4e00-\u9fff]")
# The same in both languages.
NAMES = re.compile(r"Python|JupyterLab|JupyterHub|MLflow|SHA-256|U Lab|https?://\S+")


@cache
def messages() -> dict[str, str]:
    """Every marked message of the product with the first place it stands at."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        root = Path(next(iter(spec.submodule_search_locations)))
        extracted = extract_from_dir(root, METHODS, OPTIONS, keywords=KEYWORDS)  # type: ignore[arg-type]
        for file, line, message, _comments, _context in extracted:
            for text in (message,) if isinstance(message, str) else message[:1]:
                found.setdefault(text, f"{package}/{file}:{line}")
    return found


def catalogues() -> Iterator[dict[object, str]]:
    current = translations("zh")
    while current is not None:
        yield getattr(current, "_catalog", {})
        current = current._fallback  # type: ignore[attr-defined]


@cache
def translated() -> dict[str, str]:
    merged: dict[str, str] = {}
    for catalogue in catalogues():
        for key, value in catalogue.items():
            name = key if isinstance(key, str) else key[0]  # type: ignore[index]
            merged.setdefault(name, value)
    return merged


def test_the_extraction_sees_templates_and_code() -> None:
    places = " ".join(messages().values())
    assert "ulab_portal/templates/" in places
    assert "ulab_hub/templates/" in places
    assert "ulab_coursework/submissions.py" in places
    assert len(messages()) > 300


def test_every_message_is_translated() -> None:
    missing = [
        f"{place}: {message}"
        for message, place in messages().items()
        if re.search("[A-Za-z]", PLACES.sub("", message)) and not translated().get(message)
    ]
    assert not missing, "without Chinese:\n" + "\n".join(missing)


def test_every_translation_is_chinese_and_keeps_its_places() -> None:
    wrong = []
    for message, place in messages().items():
        ours = translated().get(message, "")
        prose = NAMES.sub("", PLACES.sub("", message))
        if re.search("[a-z]{3}", prose) and not HAN.search(ours):
            wrong.append(f"{place}: not Chinese: {message} -> {ours}")
        if set(PLACES.findall(message)) != set(PLACES.findall(ours)):
            wrong.append(f"{place}: other places: {message} -> {ours}")
    assert not wrong, "\n".join(wrong)


def test_template_messages_survive_their_percent_formatting() -> None:
    broken = []
    for message, place in messages().items():
        if not place.split(":")[0].endswith((".html", ".j2")):
            continue
        for text in (message, translated().get(message, "")):
            values = dict.fromkeys(re.findall(r"%\((\w+)\)", text), "1")
            try:
                text % values
            except (ValueError, TypeError, KeyError) as error:
                broken.append(f"{place}: {text}: {error}")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("number", "zh", "en"), [(1, "1 个实验", "1 lab"), (3, "3 个实验", "3 labs")]
)
def test_plurals(number: int, zh: str, en: str) -> None:
    for language, expected in (("zh", zh), ("en", en)):
        text = translations(language).ngettext("%(num)s lab", "%(num)s labs", number)
        assert text % {"num": number} == expected


def test_labs_call_the_page_of_runs_what_it_is_called() -> None:
    labs = [lab.read_text("utf-8") for lab in LABS.glob("*/*/lab.py")]
    tracking = [text for text in labs if "Compare" in text]
    assert tracking
    for text in tracking:
        assert '"My runs"' in text
        assert f"“{translations('zh').gettext('My runs')}”" in text
