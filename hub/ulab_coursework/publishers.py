"""Who published each version, and whose the names are, as the base's database has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotAllowed, NotFound
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import Person
from ulab_core.publishing_models import NameHolder, NameKind, Publication
from ulab_core.rights import may_publish_curricula
from ulab_coursework.courses import courses_of, find_person
from ulab_curricula.labs import CURRICULA, LABS, Curriculum, load_focus_areas
from ulab_curricula.naming import Known, Name, holders_of_new, names_in, refusal, titles_of
from ulab_curricula.publication import published


def known_names(session: Session, layout: Layout) -> Known:
    """The names that the base has.

    Raises
    ------
    BadManifest
        The base's own focus areas can't be read.
    """
    areas: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for area in load_focus_areas():
        areas[area.id].add(titles_of(area))
    names = set()
    for one in published(layout):
        names |= {Name(NameKind.CURRICULUM, one.id), Name(NameKind.FOCUS_AREA, one.focus_area)}
        names |= {Name(NameKind.LAB, lab.id) for lab in one.labs}
        areas[one.focus_area].add((one.focus_area_titles["zh"], one.focus_area_titles["en"]))
    holders: dict[Name, list[str]] = {}
    for row in session.scalars(select(NameHolder).options(joinedload(NameHolder.person))):
        holders.setdefault(Name(row.kind, row.name), []).append(row.person.name)
    return Known(_brought(), names, holders, areas)


def _brought() -> set[Name]:
    """What lies in the checkout, also where it was never published."""
    curricula = {path.parent.name for path in CURRICULA.glob("*/curriculum.yaml")}
    labs = {path.parent.name for path in LABS.glob("*/*/lab.yaml")}
    return (
        {Name(NameKind.CURRICULUM, name) for name in curricula}
        | {Name(NameKind.LAB, name) for name in labs}
        | {Name(NameKind.FOCUS_AREA, area.id) for area in load_focus_areas()}
    )


def require_publisher(session: Session, person: str, *, administers: bool) -> None:
    """Refuse whoever may not publish curricula.

    Raises
    ------
    NotAllowed
    """
    roles = [role for _, role in courses_of(session, person)]
    if not may_publish_curricula(administers, roles):
        raise NotAllowed(mark("Only administrators and instructors of a course publish curricula."))


def require_own_names(
    session: Session, layout: Layout, curricula: Iterable[Curriculum], person: str
) -> None:
    """Refuse someone who is no administrator what would be another version of others' work.

    Raises
    ------
    NotAllowed
        By now they may not publish at all.
    NameTaken
    """
    require_publisher(session, person, administers=False)
    known = known_names(session, layout)
    for curriculum in curricula:
        problem = refusal(names_in(curriculum, known), person, known)
        if problem is not None:
            raise problem


def claim(session: Session, layout: Layout, curriculum: Curriculum, publisher: str) -> None:
    """Write down who is about to publish a version, and whose its new names are.

    Done before the version is there: a name that is published and has no holder is the base's.
    A publisher who is no person, as the base's operator, holds nothing.
    """
    known = known_names(session, layout)
    new = holders_of_new(names_in(curriculum, known), publisher, known)
    wanted = {person for people in new.values() for person in people}
    found = session.scalars(select(Person).where(Person.name.in_(wanted)))
    ids = {person.name: person.id for person in found}
    session.add_all(
        NameHolder(kind=name.kind, name=name.id, person_id=ids[person])
        for name, people in new.items()
        for person in people
        if person in ids
    )
    if not layout.curriculum_version(curriculum.id, curriculum.version).exists():
        # What is left of one that broke off here is nobody's work yet.
        session.merge(
            Publication(curriculum=curriculum.id, version=curriculum.version, publisher=publisher)
        )


def publishers(session: Session) -> dict[tuple[str, str], str]:
    """Who published what, by curriculum and version; the base's own versions are not there."""
    found = session.scalars(select(Publication))
    return {(row.curriculum, row.version): row.publisher for row in found}


def held_by(session: Session, person: str) -> set[str]:
    """The curricula that someone may publish without being an administrator."""
    return set(
        session.scalars(
            select(NameHolder.name)
            .join(Person, Person.id == NameHolder.person_id)
            .where(Person.name == person, NameHolder.kind == NameKind.CURRICULUM)
        )
    )


def holders(session: Session, layout: Layout, curriculum: str) -> list[str]:
    """Who may publish a curriculum besides administrators, by name.

    Raises
    ------
    NotFound
        Nothing of that name is published.
    """
    known = known_names(session, layout)
    _require_published(known, curriculum)
    return sorted(known.holders.get(Name(NameKind.CURRICULUM, curriculum), ()))


def let(session: Session, layout: Layout, curriculum: str, person: str, actor: str) -> None:
    """Let one more person publish a curriculum and the labs of its versions.

    Raises
    ------
    NotFound, Conflict
        There is no such curriculum or person, or the base itself brings it.
    """
    known = known_names(session, layout)
    _require_published(known, curriculum)
    if Name(NameKind.CURRICULUM, curriculum) in known.brought:
        raise Conflict(
            mark("The base itself brings {curriculum}; only administrators publish it."),
            curriculum=curriculum,
        )
    found = find_person(session, person)
    for name in _names_of(layout, curriculum):
        if name not in known.brought and person not in known.holders.get(name, ()):
            session.add(NameHolder(kind=name.kind, name=name.id, person_id=found.id))
    record(session, actor, "curriculum.let", f"{curriculum}/{person}")
    session.flush()


def unlet(session: Session, layout: Layout, curriculum: str, person: str, actor: str) -> None:
    """Take from someone what `let` gives, but labs of other curricula of theirs.

    Raises
    ------
    NotFound
        There is no such curriculum or person, or they may not publish it anyway.
    """
    if person not in holders(session, layout, curriculum):
        raise NotFound(
            mark("{name} is not among those who publish {curriculum}."),
            name=person,
            curriculum=curriculum,
        )
    kept = {
        name
        for other in held_by(session, person) - {curriculum}
        for name in _names_of(layout, other)
    }
    for name in _names_of(layout, curriculum) - kept:
        key = (name.kind, name.id, find_person(session, person).id)
        row = session.get(NameHolder, key)
        if row is not None:
            session.delete(row)
    record(session, actor, "curriculum.unlet", f"{curriculum}/{person}")
    session.flush()


def _names_of(layout: Layout, curriculum: str) -> set[Name]:
    labs = {lab.id for one in published(layout) if one.id == curriculum for lab in one.labs}
    return {Name(NameKind.CURRICULUM, curriculum)} | {Name(NameKind.LAB, lab) for lab in labs}


def _require_published(known: Known, curriculum: str) -> None:
    if Name(NameKind.CURRICULUM, curriculum) not in known.published:
        raise NotFound(
            mark("There is no published curriculum {curriculum}."), curriculum=curriculum
        )
