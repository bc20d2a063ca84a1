"""A data set's card as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ulab_core.i18n import mark
from ulab_datasets.card import Added, Card, Column, FromPip, Split
from ulab_deploy.console import t

_ANSWERS = {"yes": mark("yes"), "no": mark("no"), "unknown": mark("unknown")}
_KINDS = {
    "integer": mark("integer"),
    "number": mark("number"),
    "text": mark("text"),
    "boolean": mark("boolean"),
}


def lines(card: Card, language: str, here: bool) -> Iterator[str]:
    """The card in one language.

    Parameters
    ----------
    here
        Whether the data is in the store.
    """
    yield f"{card.id}: {getattr(card.titles, language)}"
    yield getattr(card.summaries, language)
    yield ""
    yield t("Source: {source}", source=f"{card.source.title} {card.source.url}".rstrip())
    yield t("Cite: {citation}", citation=card.source.citation)
    checked = t("read at its source") if card.licence.verified else t("not checked")
    yield t("Licence: {licence} ({checked})", licence=card.licence.name, checked=checked)
    yield f"  {getattr(card.licence.note, language)}"
    allows = card.licence.allows
    yield "  " + t(
        "commercial use: {commercial} · passing on: {sharing} · passing on changed: {changes}",
        commercial=t(_ANSWERS[allows.commercial]),
        sharing=t(_ANSWERS[allows.sharing]),
        changes=t(_ANSWERS[allows.changes]),
    )
    yield t("Comes from: {origin}", origin=_origin(card))
    yield t("Here: {answer}", answer=t("yes") if here else t("no"))
    yield ""
    yield t("Files (SHA-256):")
    for file in card.files:
        yield f"  {file.path}  {file.sha256}"
    if card.shape.columns is not None:
        yield t("Columns ({rows} rows):", rows=card.shape.rows)
        for name, column in card.shape.columns.items():
            yield f"  {name}: {_column(column)}"
    if card.shape.arrays:
        yield t("Arrays:")
        for name, shape in card.shape.arrays.items():
            yield f"  {name}: {' × '.join(map(str, shape))}"
    if card.splits:
        yield t("Splits:")
        for name, split in card.splits.items():
            yield f"  {name}: {_split(split)}"
    if card.known_problems:
        yield t("Known problems:")
        for problem in card.known_problems:
            yield f"  - {getattr(problem, language)}"


def _origin(card: Card) -> str:
    fetch = card.fetch
    if isinstance(fetch, Added):
        return t("added by {name}", name=fetch.by)
    if isinstance(fetch, FromPip):
        return t("the Python package {package}", package=f"{fetch.package} {fetch.version}")
    return t("the Debian package {package}", package=fetch.package)


def _column(column: Column) -> str:
    said = [t(_KINDS[column.kind])]
    if column.minimum is not None and column.maximum is not None:
        said.append(f"{column.minimum:g} … {column.maximum:g}")
    if column.values:
        said.append(" | ".join(column.values))
    if column.missing:
        said.append(t("{count} missing", count=column.missing))
    return ", ".join(said)


def _split(split: Split) -> str:
    if split.rows is not None:
        return t("rows {first} to {last}", first=split.rows[0], last=split.rows[1] - 1)
    return f"{split.column} = {' | '.join(split.values or ())}"
