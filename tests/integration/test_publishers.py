"""Whose curricula are over a base: their first publisher's, and whom administrators add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from integration.coursework_support import COURSE, Base, make_base
from unit.curricula_support import write_other

from ulab_core.errors import Conflict, NotAllowed, NotFound
from ulab_core.models import Role
from ulab_coursework.courses import create_course, enrol, ensure_person, remove
from ulab_coursework.publishers import claim, holders, let, require_own_names, unlet
from ulab_curricula import Curriculum, load_curriculum, publish
from ulab_curricula.naming import NameTaken
from ulab_deploy import listings
from ulab_deploy.base import Base as Opened


def with_teachers(base: Base) -> Base:
    """Erin teaches a course of her own, and Tara assists in Carol's."""
    with base.db.write() as session:
        for name in ("erin", "tara"):
            ensure_person(session, name, display_name=name.title())
        create_course(session, base.layout, "other", "sums-foundations", "1", None, "", "erin")
        enrol(session, "other", "erin", Role.INSTRUCTOR, "erin")
        enrol(session, COURSE, "tara", Role.ASSISTANT, "carol")
    return base


@pytest.fixture
def teachers(base: Base) -> Base:
    return with_teachers(base)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """The same for all who only ask, where Carol has published."""
    with pytest.MonkeyPatch.context() as patch:
        made = with_teachers(make_base(tmp_path_factory.mktemp("base"), patch))
        publish_as(made, "carol", written(tmp_path_factory.mktemp("first"), *NEW))
        yield made


NEW = ("adding", "additions", "Image recognition")


def written(root: Path, *names: str) -> Curriculum:
    return load_curriculum(write_other(root, *names))


def publish_as(base: Base, person: str, curriculum: Curriculum) -> str:
    with base.db.write() as session:
        claim(session, base.layout, curriculum, person)
    return publish(curriculum, base.layout)


def refused(base: Base, person: str, curriculum: Curriculum) -> str:
    with base.db.read() as session:
        try:
            require_own_names(session, base.layout, [curriculum], person)
        except (NameTaken, NotAllowed) as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    ("publisher", "names", "said"),
    [
        # Carol's, once she has published them.
        ("carol", NEW, ""),
        ("carol", ("adding", "quotients", "Image recognition"), ""),
        ("carol", ("multiplying", "additions", "Image recognition"), ""),
        ("erin", NEW, "curriculum adding already"),
        ("erin", ("adding", "quotients", "Image recognition"), "curriculum adding already"),
        ("erin", ("multiplying", "additions", "Image recognition"), "lab additions already"),
        ("erin", ("multiplying", "quotients", "Image recognition"), ""),
        # The base's: published without a publisher, or in the checkout and never published here.
        (
            "carol",
            ("sums-foundations", "quotients", "Image recognition"),
            "sums-foundations already",
        ),
        (
            "carol",
            ("vision-foundations", "quotients", "Image recognition"),
            "vision-foundations al",
        ),
        ("carol", ("multiplying", "garments", "Image recognition"), "lab garments already"),
        ("carol", ("multiplying", "quotients", "Pictures"), "focus area image-recognition already"),
        # Not those who teach a course and may change it.
        ("alice", ("multiplying", "quotients", "Image recognition"), "Only administrators and"),
        ("tara", ("multiplying", "quotients", "Image recognition"), "Only administrators and"),
        ("dave", ("multiplying", "quotients", "Image recognition"), "Only administrators and"),
    ],
)
def test_names_are_whose_they_were_first(
    unchanged: Base, tmp_path: Path, publisher: str, names: Sequence[str], said: str
) -> None:
    found = refused(unchanged, publisher, written(tmp_path / "next", *names))
    assert said in found
    assert bool(found) is bool(said)


def test_who_no_longer_teaches_publishes_no_more(teachers: Base, tmp_path: Path) -> None:
    curriculum = written(tmp_path / "theirs")
    assert refused(teachers, "carol", curriculum) == ""
    with teachers.db.write() as session:
        enrol(session, COURSE, "erin", Role.INSTRUCTOR, "carol")
        remove(session, COURSE, "carol", "erin")
    assert "Only administrators and instructors" in refused(teachers, "carol", curriculum)


def test_an_administrator_lets_another_publish_and_hands_over(
    teachers: Base, tmp_path: Path
) -> None:
    layout, db = teachers.layout, teachers.db
    curriculum = written(tmp_path / "theirs")
    publish_as(teachers, "carol", curriculum)
    publish_as(teachers, "carol", written(tmp_path / "more", "multiplying", "additions"))
    with db.write() as session:
        let(session, layout, "adding", "erin", "root")
        assert holders(session, layout, "adding") == ["carol", "erin"]
    for person in ("carol", "erin"):
        assert refused(teachers, person, curriculum) == ""
    with db.write() as session:
        unlet(session, layout, "adding", "carol", "root")
        assert holders(session, layout, "adding") == ["erin"]
    assert "curriculum adding" in refused(teachers, "carol", curriculum)
    assert refused(teachers, "erin", curriculum) == ""
    # The lab that her other curriculum has as well stays hers.
    assert refused(teachers, "carol", written(tmp_path / "same", "multiplying", "additions")) == ""
    with db.write() as session:
        with pytest.raises(NotFound, match="carol is not among those"):
            unlet(session, layout, "adding", "carol", "root")
        with pytest.raises(NotFound, match="nobody called nobody"):
            let(session, layout, "adding", "nobody", "root")
        with pytest.raises(NotFound, match="no published curriculum nothing"):
            let(session, layout, "nothing", "erin", "root")


def test_what_the_base_brings_is_handed_to_nobody(teachers: Base, tmp_path: Path) -> None:
    publish_as(teachers, "ulab", written(tmp_path / "ours", "vision-foundations", "quotients"))
    with teachers.db.write() as session, pytest.raises(Conflict, match="The base itself brings"):
        let(session, teachers.layout, "vision-foundations", "carol", "root")


def test_the_list_says_who_published_and_keeps_who_was_first(
    teachers: Base, tmp_path: Path
) -> None:
    curriculum = written(tmp_path / "theirs")
    for person in ("carol", "root"):  # the same content is the same version
        publish_as(teachers, person, curriculum)
    opened = Opened(teachers.settings, teachers.layout)
    by = {
        (one["curriculum"], one["version"]): one["published_by"]
        for one in listings.curricula(opened)
    }
    assert by["adding", curriculum.version] == "carol"
    assert by["sums-foundations", "1"] is None
