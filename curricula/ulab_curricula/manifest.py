"""The schemas of `lab.yaml`, `curriculum.yaml` and `focus-areas.yaml`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from ulab_core.i18n import mark
from ulab_core.manifest import Strict, Words
from ulab_curricula.errors import BadManifest

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Level = Literal["foundation", "core", "advanced", "capstone"]


class LabManifest(Strict):
    """What `lab.yaml` says of a lab."""

    id: Id
    focus_area: Id
    level: Level
    titles: Words
    summaries: Words
    minutes: int = Field(gt=0, le=1000, description="A student's time.")
    profile: Literal["cpu", "gpu"]
    datasets: tuple[Id, ...]
    outcomes: tuple[Words, ...] = Field(min_length=1)
    prerequisites: tuple[Words, ...]
    grading_seconds: int = Field(
        gt=0, le=600, description="The longest the whole notebook may take on one core."
    )
    licence: Words


class CurriculumManifest(Strict):
    """What `curriculum.yaml` says of a curriculum."""

    id: Id
    focus_area: Id
    edition: str = Field(pattern=r"^[0-9A-Za-z.]{1,20}$")
    titles: Words
    summaries: Words
    labs: tuple[Id, ...] = Field(min_length=1)
    outcomes: tuple[Words, ...] = Field(min_length=1)
    prerequisites: tuple[Words, ...]


class FocusArea(Strict):
    """One of the areas that organise everything."""

    id: Id
    titles: Words


class FocusAreas(Strict):
    """What `focus-areas.yaml` says."""

    focus_areas: tuple[FocusArea, ...] = Field(min_length=1)


Manifest = TypeVar("Manifest", LabManifest, CurriculumManifest, FocusAreas)


def read_manifest(path: Path, kind: type[Manifest]) -> Manifest:
    """Read a manifest.

    Raises
    ------
    BadManifest
        The file is missing or no YAML, a key is unknown (the nearest known one is named) or
        missing, or a value can't be used.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadManifest(
            mark("{file} is missing; docs/curricula.md says what it holds."), file=path
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadManifest(
            mark("{file} can't be read: {reason}."), file=path, reason=error
        ) from None
    except yaml.YAMLError as error:
        raise BadManifest(
            mark("{file} is not YAML: {reason}."), file=path, reason=" ".join(str(error).split())
        ) from None
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise BadManifest(
            mark("{file} can't be used: {problems}."),
            file=path,
            problems="; ".join(_problems(error, kind)),
        ) from None


def _problems(error: ValidationError, kind: type[BaseModel]) -> Iterator[str]:
    for item in error.errors():
        where = ".".join(map(str, item["loc"])) or "the file"
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(where, kind.model_fields, n=1, cutoff=0.5)
            yield f"unknown key {where}" + (f", did you mean {near[0]}?" if near else "")
        elif item["type"] == "missing":
            yield f"the key {where} is missing"
        else:
            yield f"{where}: {item['msg']}"
