"""What a model version's card must say before the version is promoted: decisions from its tags."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Mapping

from ulab_core.errors import Titles, UserError
from ulab_core.i18n import mark

PREFIX = "ulab.card."
MOST_CHARACTERS = 2000


class CardField(enum.StrEnum):
    """What a card says; the value is the end of the tag's name in MLflow."""

    DATA_REVISION = "data_revision"
    CODE_SHA256 = "code_sha256"
    LICENCE = "licence"
    OWNER = "owner"
    INTENDED_USE = "intended_use"

    @property
    def tag(self) -> str:
        """The tag of a model version that holds it."""
        return PREFIX + self.value


WORDS: Mapping[CardField, str] = {
    CardField.DATA_REVISION: mark("data revision"),
    CardField.CODE_SHA256: mark("code hash"),
    CardField.LICENCE: mark("licence"),
    CardField.OWNER: mark("model owner"),
    CardField.INTENDED_USE: mark("intended use"),
}
# Offered, and no other is refused: a base may have terms of its own.
LICENCES = (
    "Apache-2.0", "MIT", "BSD-3-Clause", "MulanPSL-2.0", "GPL-3.0-only", "CC-BY-4.0",
    "CC-BY-NC-4.0", "CC-BY-SA-4.0", "CC0-1.0", "OpenRAIL", "Proprietary",
)  # fmt: skip
# Stages of MLflow in which a version serves nobody.
_RESTING_STAGES = frozenset({"None", "Archived"})
_CODE_HASH = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}", re.IGNORECASE)


class _FieldNames(Titles):
    """Names of fields, in the language of the sentence they stand in."""

    def __init__(self, fields: Collection[CardField]) -> None:
        self._fields = tuple(fields)

    def said(self, translate: Callable[[str], str]) -> str:
        return translate(mark(", ")).join(translate(WORDS[field]) for field in self._fields)


class IncompleteCard(UserError):
    """A version can't be promoted, or stay promoted, with this card."""


def field_of(tag: str) -> CardField | None:
    """The field that a version's tag holds; None when the tag is no part of the card."""
    return next((field for field in CardField if field.tag == tag), None)


def card_of(tags: Mapping[str, str]) -> dict[CardField, str]:
    """The fields that are filled in."""
    said = {field: tags.get(field.tag, "").strip() for field in CardField}
    return {field: text for field, text in said.items() if text}


def missing(tags: Mapping[str, str]) -> tuple[CardField, ...]:
    """The fields that a version with these tags lacks."""
    filled = card_of(tags)
    return tuple(field for field in CardField if field not in filled)


def promoted(aliases: Collection[str], stage: str | None) -> bool:
    """Whether a version is in use, by an alias or by MLflow's older stages."""
    return bool(aliases) or serving(stage)


def serving(stage: str | None) -> bool:
    """Whether versions of this stage are in use."""
    return stage is not None and stage not in _RESTING_STAGES


def check_field(field: CardField, text: str, workers: Collection[str]) -> None:
    """Refuse what a field can't be.

    Parameters
    ----------
    workers
        The names of the team's owners and members.

    Raises
    ------
    IncompleteCard
        It is empty, far too long, no hash, or nobody of the team.
    """
    text = text.strip()
    if not text:
        raise IncompleteCard(mark("The card needs: {field}."), field=_FieldNames((field,)))
    if len(text) > MOST_CHARACTERS:
        raise IncompleteCard(
            mark("This is too long for the card ({field}); {most} characters are the most."),
            field=_FieldNames((field,)),
            most=MOST_CHARACTERS,
        )
    if field is CardField.CODE_SHA256 and not _CODE_HASH.fullmatch(text):
        raise IncompleteCard(
            mark(
                "The card's code hash must be a SHA-256 (64 hexadecimal digits) or a Git commit "
                "(40), and “{text}” is neither."
            ),
            text=text[:80],
        )
    if field is CardField.OWNER and text not in workers:
        raise IncompleteCard(
            mark(
                "The card's model owner must be the account of an owner or member of the team, "
                "and “{text}” is not."
            ),
            text=text[:80],
        )


def check_card(tags: Mapping[str, str], workers: Collection[str]) -> None:
    """Refuse a version whose card isn't complete.

    Raises
    ------
    IncompleteCard
        The sentence names what is missing and how to set it, or what can't be right.
    """
    lacking = missing(tags)
    if lacking:
        raise IncompleteCard(
            mark(
                "This version can't be promoted yet. Its card lacks: {fields}. Fill the card in "
                "on the team's models page, or set these tags of the version: {tags}."
            ),
            fields=_FieldNames(lacking),
            tags=", ".join(field.tag for field in lacking),
        )
    if found := wrong(card_of(tags), workers):
        raise found


def wrong(card: Mapping[CardField, str], workers: Collection[str]) -> IncompleteCard | None:
    """What is filled in and can't be right, or not any more: its owner may have left the team."""
    for field, text in card.items():
        try:
            check_field(field, text, workers)
        except IncompleteCard as error:
            return error
    return None


def refuse_removal(field: CardField) -> None:
    """Refuse to take a field out of a promoted version's card.

    Raises
    ------
    IncompleteCard
    """
    raise IncompleteCard(
        mark(
            "This version is promoted, so its card must keep: {field}. It may be changed; to "
            "remove it, take the version's aliases and stage away first."
        ),
        field=_FieldNames((field,)),
    )
