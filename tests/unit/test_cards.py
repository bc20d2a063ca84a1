"""A model's card: what is missing, what can't be right, and when a version is in use."""

from __future__ import annotations

import pytest

from ulab_core.i18n import translations
from ulab_mlflow.cards import (
    CardField,
    IncompleteCard,
    card_of,
    check_card,
    check_field,
    field_of,
    missing,
    promoted,
)

FULL = {
    "ulab.card.data_revision": "elecdemand@v1",
    "ulab.card.code_sha256": "a" * 64,
    "ulab.card.licence": "Apache-2.0",
    "ulab.card.owner": "lin",
    "ulab.card.intended_use": "day-ahead forecasts",
}
WORKERS = ("lin", "wang")


def test_a_full_card_is_accepted() -> None:
    check_card(FULL | {"other": ""}, WORKERS)
    assert missing(FULL) == ()


@pytest.mark.parametrize("field", list(CardField))
@pytest.mark.parametrize("blank", [None, "", "  \n"])
def test_each_field_is_missed_by_name(field: CardField, blank: str | None) -> None:
    tags = {tag: text for tag, text in FULL.items() if tag != field.tag}
    if blank is not None:
        tags[field.tag] = blank
    assert missing(tags) == (field,)
    assert field not in card_of(tags)
    with pytest.raises(IncompleteCard, match=field.tag.replace(".", r"\.")):
        check_card(tags, WORKERS)


def test_all_that_is_missing_is_said_at_once_in_both_languages() -> None:
    with pytest.raises(IncompleteCard) as refused:
        check_card({}, WORKERS)
    english = refused.value.sentence()
    assert "data revision, code hash, licence, model owner, intended use" in english
    chinese = refused.value.sentence(translations("zh").gettext)
    assert "数据版本、代码哈希、许可证、模型负责人、预期用途" in chinese
    for field in CardField:
        assert field.tag in english
        assert field.tag in chinese


@pytest.mark.parametrize(
    ("field", "text", "fits"),
    [
        (CardField.CODE_SHA256, "a" * 64, True),
        (CardField.CODE_SHA256, "0123456789ABCDEF" * 4, True),
        (CardField.CODE_SHA256, "b" * 40, True),
        (CardField.CODE_SHA256, "a" * 63, False),
        (CardField.CODE_SHA256, "a" * 41, False),
        (CardField.CODE_SHA256, "g" * 64, False),
        (CardField.CODE_SHA256, "main", False),
        (CardField.OWNER, "lin", True),
        (CardField.OWNER, " wang ", True),
        (CardField.OWNER, "Lin", False),
        (CardField.OWNER, "stranger", False),
        (CardField.LICENCE, "MIT", True),
        (CardField.LICENCE, "仅限本校教学使用", True),
        (CardField.INTENDED_USE, "x" * 2000, True),
        (CardField.INTENDED_USE, "x" * 2001, False),
        (CardField.DATA_REVISION, "", False),
    ],
)
def test_what_a_field_can_be(field: CardField, text: str, fits: bool) -> None:
    if fits:
        check_field(field, text, WORKERS)
    else:
        with pytest.raises(IncompleteCard):
            check_field(field, text, WORKERS)
        with pytest.raises(IncompleteCard):
            check_card(FULL | {field.tag: text}, WORKERS)


@pytest.mark.parametrize(
    ("aliases", "stage", "used"),
    [
        ([], "None", False),
        ([], "Archived", False),
        ([], "Staging", True),
        ([], "Production", True),
        (["champion"], "None", True),
        (["champion"], "Archived", True),
    ],
)
def test_when_a_version_is_in_use(aliases: list[str], stage: str, used: bool) -> None:
    assert promoted(aliases, stage) is used


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        ("ulab.card.licence", CardField.LICENCE),
        ("ulab.card.Licence", None),
        ("ulab.card.", None),
        ("licence", None),
    ],
)
def test_which_tags_are_the_card(tag: str, field: CardField | None) -> None:
    assert field_of(tag) is field
