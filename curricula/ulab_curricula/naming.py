"""Whose the names of curricula, labs and focus areas are: decisions on plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.publishing_models import NameKind

if TYPE_CHECKING:
    from ulab_curricula.labs import Curriculum, FocusArea


class NameTaken(Conflict):
    """A name is someone else's."""


@dataclass(frozen=True, order=True)
class Name:
    """What a curriculum, a lab or a focus area is called."""

    kind: NameKind
    id: str


@dataclass(frozen=True)
class Known:
    """The names that a base has.

    Attributes
    ----------
    brought
        What the base itself brings: nobody but administrators publishes under these.
    published
        What has been published, by anyone.
    holders
        Who may publish under a name. One that is published and has none is the base's.
    areas
        The focus areas as people know them, by id: the titles of all their versions.
    """

    brought: Collection[Name] = frozenset()
    published: Collection[Name] = frozenset()
    holders: Mapping[Name, Collection[str]] = field(default_factory=dict)
    areas: Mapping[str, Collection[tuple[str, str]]] = field(default_factory=dict)

    def is_new(self, name: Name) -> bool:
        """Whether nobody has it."""
        return not any(name in names for names in (self.brought, self.published, self.holders))

    def may_use(self, person: str, name: Name) -> bool:
        """Whether someone who is no administrator may publish under it."""
        if name in self.brought:
            return False
        return self.is_new(name) or person in self.holders.get(name, ())


def names_in(curriculum: Curriculum, known: Known) -> list[Name]:
    """The names that publishing a curriculum gives a meaning.

    A focus area that is known by the same titles is only used, as anyone may.
    """
    names = [Name(NameKind.CURRICULUM, curriculum.id)]
    names += [Name(NameKind.LAB, lab.id) for lab in curriculum.labs]
    area = curriculum.focus_area
    if titles_of(area) not in known.areas.get(area.id, ()):
        names.append(Name(NameKind.FOCUS_AREA, area.id))
    return names


def titles_of(area: FocusArea) -> tuple[str, str]:
    """What an area is called, Chinese first."""
    return area.titles.zh, area.titles.en


def refusal(names: Iterable[Name], person: str, known: Known) -> NameTaken | None:
    """Why someone who is no administrator can't publish under these names."""
    for name in names:
        if not known.may_use(person, name):
            return NameTaken(_TAKEN[name.kind], name=name.id)
    return None


def holders_of_new(names: Iterable[Name], publisher: str, known: Known) -> dict[Name, list[str]]:
    """Whose names become that nobody had: the holders' of their curriculum, or the publisher's."""
    names = list(names)
    of_curriculum = [
        person
        for name in names
        if name.kind is NameKind.CURRICULUM
        for person in known.holders.get(name, ())
    ]
    return {name: of_curriculum or [publisher] for name in names if known.is_new(name)}


_TAKEN = {
    NameKind.CURRICULUM: mark(
        "There is a curriculum {name} already, and it isn't yours. Give yours another id, or ask "
        "an administrator to publish it."
    ),
    NameKind.LAB: mark(
        "There is a lab {name} already, and it isn't yours. Give yours another id, or ask an "
        "administrator to publish it."
    ),
    NameKind.FOCUS_AREA: mark(
        "There is a focus area {name} already, with other titles. Use the titles it has, give "
        "yours another id, or ask an administrator to publish it."
    ),
}
