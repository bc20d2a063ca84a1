"""A data set's card: what it is, whose it is, how to get it, and how to know it is right."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from ulab_core.i18n import mark
from ulab_core.manifest import Strict, Words
from ulab_core.manifest_files import find_manifest
from ulab_datasets.errors import BadCard

REGISTRY = Path(__file__).resolve().parents[1] / "registry"

PAGE = "docs/datasets.md"
"""What tells authors what a card holds."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _as_word(answer: Any) -> Any:
    """YAML reads a plain ``yes`` as true."""
    return {True: "yes", False: "no"}.get(answer, answer) if isinstance(answer, bool) else answer


Answer = Annotated[Literal["yes", "no", "unknown"], BeforeValidator(_as_word)]


class Allowed(Strict):
    """What a licence lets people do."""

    commercial: Answer = Field(description="Use in a product or for pay.")
    sharing: Answer = Field(description="Passing the data on to others.")
    changes: Answer = Field(description="Passing on data that was changed.")


class Licence(Strict):
    """What may be done with the data, and how surely that is known."""

    name: str
    verified: bool = Field(description="Whether the licence was read at its source.")
    allows: Allowed
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


Transform = Literal[
    "as-is", "gunzip", "unzip", "xz-pickled-frame", "image", "listed-images", "list-column"
]
_NEEDED = {"unzip": "inner", "list-column": "column", "listed-images": "listed_sha256"}


class Added(Strict):
    """Carried by no package: someone of the base brought it, and DVC keeps it."""

    kind: Literal["added"] = "added"
    by: str
    at: AwareDatetime


class File(Strict):
    """One file of the data set and the package's member it is made from."""

    path: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$")
    member: str = Field(description="The file's path inside the package.")
    member_sha256: Sha256
    transform: Transform = "as-is"
    inner: str | None = Field(None, description="For `unzip`: the file's path in the archive.")
    column: int | None = Field(None, ge=0, description="For `list-column`: which, from 0.")
    listed_sha256: Sha256 | None = Field(
        None, description="For `listed-images`: of the images' bytes, one after the other."
    )
    sha256: Sha256

    @model_validator(mode="after")
    def _has_what_its_transform_needs(self) -> File:
        needed = _NEEDED.get(self.transform)
        for name in ("inner", "column", "listed_sha256"):
            if (getattr(self, name) is not None) != (name == needed):
                said = "needs" if name == needed else "can't have"
                raise ValueError(f"{self.path}: transform {self.transform} {said} {name}")
        return self


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


class Split(Strict):
    """A part of the data set that is meant for one use, as `ulab.load(name, split=…)` gives it.

    Either a range of rows (of a table, or along the first axis of the arrays) or the rows that
    have one of some values in a column. Sets of format `idx` have their splits in their files.
    """

    rows: tuple[int, int] | None = Field(None, description="First row, and the one after the last.")
    column: str | None = None
    values: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Split:
        if (self.rows is None) == (self.column is None or self.values is None):
            raise ValueError(mark("a split needs either rows, or column and values"))
        return self


class Classes(Strict):
    """Names of the labels 0, 1, 2, …"""

    zh: tuple[str, ...]
    en: tuple[str, ...]


class Described(Strict):
    """What people say of a data set; all else is read from its files."""

    titles: Words
    summaries: Words
    source: Source
    licence: Licence
    splits: dict[str, Split] = Field(default_factory=dict)
    known_problems: tuple[Words, ...] = Field((), description="What is known to be wrong in it.")


class Card(Described):
    """A data set."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    fetch: Annotated[FromPip | FromDebian | Added, Field(discriminator="kind")]
    format: Literal["csv", "idx", "arrays", "files"] = Field(
        description="One table; images with labels; arrays of equal length; or files as they are."
    )
    files: tuple[File, ...] = Field(min_length=1)
    shape: Schema = Schema()
    classes: Classes | None = None

    @model_validator(mode="after")
    def _complete(self) -> Card:
        if self.format == "idx" and (self.classes is None or self.shape.arrays is None):
            raise ValueError(mark("a card of format idx needs classes and shape.arrays"))
        if self.format == "csv" and (len(self.files) != 1 or self.shape.columns is None):
            raise ValueError(mark("a card of format csv needs exactly one file and shape.columns"))
        if self.format == "arrays" and (
            {f"{name}.npy" for name in self.shape.arrays or {}}
            != {file.path for file in self.files}
        ):
            raise ValueError(
                mark("a card of format arrays needs shape.arrays and NAME.npy for each")
            )
        return self


def load_card(folder: Path) -> Card:
    """Read ``card.yaml`` of a folder in the registry.

    Raises
    ------
    BadManifest
        It is missing, no YAML, or says what no card can say.
    BadCard
        It says another name than its folder's.
    """
    path = folder / "card.yaml"
    card = find_manifest(path, Card, PAGE).manifest
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
        There is none; the nearest known name is given.
    BadManifest
        It can't be used.
    """
    if (registry / name / "card.yaml").is_file():
        return load_card(registry / name)
    known = names(registry)
    near = difflib.get_close_matches(name, known, n=1)
    raise BadCard(
        mark(
            "There is no data set {name}. Known ones: {known}. One of your own is added with: "
            "ulab datasets add {name} FILE --licence … --source …"
        ),
        name=name,
        known=near[0] if near else ", ".join(known),
    )


def names(registry: Path = REGISTRY) -> list[str]:
    """The names of all data sets in the registry."""
    return sorted(card.parent.name for card in registry.glob("*/card.yaml"))
