"""The schemas of `lab.yaml`, `curriculum.yaml` and `focus-areas.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ulab_core.i18n import mark
from ulab_core.manifest import Strict, Words

ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
EDITION_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z.]{0,19}$"
PATTERNS = {
    ID_PATTERN: mark("may hold lower-case letters, digits and single hyphens only"),
    EDITION_PATTERN: mark("may hold letters, digits and dots only, 20 at most, no dot first"),
}

Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=60)]
Level = Literal["foundation", "core", "advanced", "capstone"]


class OtherWords(Strict):
    """A term that a lab says otherwise than the glossary does."""

    term: str = Field(
        min_length=1, description=mark("The English term, as curricula/glossary.yaml has it.")
    )
    reason: str = Field(
        min_length=10, description=mark("Why the lab has to say it otherwise, for its reviewers.")
    )


class LabManifest(Strict):
    """What `lab.yaml` says of a lab."""

    id: Id = Field(description=mark("The lab's name, the same as its folder's."))
    focus_area: Id = Field(
        description=mark(
            "An id of focus-areas.yaml; the lab's folder lies in a folder of that name."
        )
    )
    level: Level = Field(description=mark("How far a student has to be."))
    titles: Words = Field(description=mark("What students know the lab as."))
    summaries: Words = Field(description=mark("What it is about, in a sentence."))
    minutes: int = Field(gt=0, le=1000, description=mark("How long a student takes, in minutes."))
    profile: Literal["cpu", "gpu"] = Field(
        description=mark("The server that students do it on; grading never needs a GPU.")
    )
    datasets: tuple[Id, ...] = Field(
        description=mark("What `ulab.load` is asked for, as `ulab datasets list` names it.")
    )
    outcomes: tuple[Words, ...] = Field(
        min_length=1, description=mark("What a student can do afterwards, one thing each.")
    )
    prerequisites: tuple[Words, ...] = Field(
        description=mark("What a student must know before; may be empty.")
    )
    grading_seconds: int = Field(
        gt=0,
        le=600,
        description=mark("The longest the whole notebook may take while graded, on one core."),
    )
    memory_mb: int = Field(
        default=2048,
        gt=0,
        le=65536,
        description=mark("The most memory the notebook may take on a CPU, in MiB."),
    )
    licence: Words = Field(
        description=mark("What the lab and its data may be used for, and whose they are.")
    )
    glossary_exceptions: tuple[OtherWords, ...] = Field(
        default=(),
        description=mark("Terms that the lab says otherwise than the glossary does, and why."),
    )


class CurriculumManifest(Strict):
    """What `curriculum.yaml` says of a curriculum."""

    id: Id = Field(description=mark("The curriculum's name, the same as its folder's."))
    focus_area: Id = Field(description=mark("An id of focus-areas.yaml."))
    edition: str = Field(
        pattern=EDITION_PATTERN,
        description=mark(
            "The beginning of the version's name; what follows is made from the content."
        ),
    )
    titles: Words = Field(description=mark("What people know the curriculum as."))
    summaries: Words = Field(description=mark("What it is about, in a sentence."))
    labs: tuple[Id, ...] = Field(
        min_length=1, description=mark("Ids of labs, in the order students meet them.")
    )
    outcomes: tuple[Words, ...] = Field(
        min_length=1, description=mark("What a student can do afterwards, one thing each.")
    )
    prerequisites: tuple[Words, ...] = Field(
        description=mark("What a student must know before; may be empty.")
    )


class FocusArea(Strict):
    """One of the areas that organise everything."""

    id: Id = Field(description=mark("The focus area's name; its labs lie in a folder of labs/."))
    titles: Words = Field(description=mark("What people know the focus area as."))


class FocusAreas(Strict):
    """What `focus-areas.yaml` says."""

    focus_areas: tuple[FocusArea, ...] = Field(
        min_length=1, description=mark("In the order people see them.")
    )
