"""Reads checked YAML files; what is wrong is said with the line, and the key that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.marked_yaml import BadYaml, Marked, read_marked
from ulab_core.value_problems import said_of

Manifest = TypeVar("Manifest", bound=BaseModel)


class BadManifest(UserError):
    """A file that says what something is can't be used."""


@dataclass(frozen=True)
class Found(Generic[Manifest]):
    """A manifest and where its values stand."""

    path: Path
    manifest: Manifest
    marked: Marked

    def place(self, *keys: str | int) -> str:
        """The file and the line of a value; editors open it."""
        return f"{self.path}:{self.marked.line_of(keys)}"


class UnusableManifest(BadManifest):
    """A manifest whose values don't fit.

    Parameters
    ----------
    marked
        What the file holds.
    errors
        As pydantic reports them.
    kind
        The manifest it should be.
    patterns
        As `ulab_core.value_problems.said_of` takes them.
    """

    def __init__(
        self,
        path: Path,
        marked: Marked,
        errors: Sequence[ErrorDetails],
        kind: type[BaseModel],
        patterns: Mapping[str, str],
    ) -> None:
        super().__init__(mark("{file} can't be used: {problems}."), file=path)
        self._marked = marked
        self._errors = sorted(errors, key=lambda error: marked.line_of(error["loc"]))
        self._kind = kind
        self._patterns = patterns

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """All that is wrong, each with its line."""
        problems = "; ".join(self._problem(error, translate) for error in self._errors)
        return translate(self.message).format(file=self.values["file"], problems=problems)

    def _problem(self, error: ErrorDetails, translate: Callable[[str], str]) -> str:
        loc = self._written(error["loc"])
        key = ".".join(map(str, loc))
        if error["type"] == "extra_forbidden":
            near = difflib.get_close_matches(
                str(loc[-1]), _keys_at(self._kind, loc[:-1]), n=1, cutoff=0.5
            )
            if near:
                said = translate(mark("unknown key {key}; did you mean {near}?")).format(
                    key=key, near=".".join(map(str, (*loc[:-1], near[0])))
                )
            else:
                said = translate(mark("unknown key {key}")).format(key=key)
        elif error["type"] == "missing":
            said = translate(mark("the key {key} is missing")).format(key=key)
        elif not loc and error["type"] == "model_type":
            said = translate(mark("it holds no keys"))
        else:
            said = said_of(error, translate, self._patterns)
            said = f"{key}: {said}" if key else said
        return translate(mark("line {line}: {problem}")).format(
            line=self._marked.line_of(loc), problem=said
        )

    def _written(self, loc: Sequence[str | int]) -> tuple[str | int, ...]:
        """A place without the names that pydantic gives to the kinds of a union."""
        place: tuple[str | int, ...] = ()
        for step in loc[:-1]:
            if (*place, step) in self._marked.lines:
                place = (*place, step)
        return (*place, *loc[-1:])


def find_manifest(
    path: Path, kind: type[Manifest], page: str, patterns: Mapping[str, str] = MappingProxyType({})
) -> Found[Manifest]:
    """Read a manifest.

    Parameters
    ----------
    page
        What tells authors what the file holds.
    patterns
        As `ulab_core.value_problems.said_of` takes them.

    Raises
    ------
    BadManifest
        The file is missing or no YAML, a key is unknown (the nearest known one is named) or
        missing, or a value can't be used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadManifest(
            mark("{file} is missing; {page} says what it holds."), file=path, page=page
        ) from None
    except OSError as error:
        raise BadManifest(
            mark("{file} can't be read: {reason}."), file=path, reason=error.strerror or error
        ) from None
    except UnicodeDecodeError as error:
        raise BadManifest(
            mark("{file} can't be read: {reason}."), file=path, reason=error
        ) from None
    return understood(path, text, kind, patterns)


def understood(
    path: Path, text: str, kind: type[Manifest], patterns: Mapping[str, str] = MappingProxyType({})
) -> Found[Manifest]:
    """Understand the YAML of a file, or what of it is YAML, line by line as it stands there.

    Raises
    ------
    BadManifest
        As `find_manifest` does of a file that is there.
    """
    try:
        marked = read_marked(text)
    except BadYaml as error:
        place = f"{path}:{error.line}"
        raise BadManifest(mark("{file}: {reason}."), file=place, reason=error) from None
    try:
        return Found(path, kind.model_validate(marked.content), marked)
    except ValidationError as error:
        raise UnusableManifest(path, marked, error.errors(), kind, patterns) from None


def _keys_at(kind: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a manifest knows at a place."""
    kinds = [kind]
    for step in loc:
        fields = [model.model_fields[step] for model in kinds if step in model.model_fields]
        # A step that is no field is a position, or a name of the author's own.
        if fields:
            kinds = [inner for field in fields for inner in _models(field.annotation)]
    return [key for model in kinds for key in model.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
