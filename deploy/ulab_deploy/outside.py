"""Publishes curricula of others: taken in, proved by the judge in sandboxes, made a version."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import NotFound, UserError
from ulab_core.i18n import mark
from ulab_coursework.publishers import claim, require_own_names
from ulab_curricula import Curriculum, Lab, publish
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import find_curricula
from ulab_curricula.receiving import from_folder, from_zip, take_in
from ulab_curricula.repositories import fetched, is_address
from ulab_curricula.theirs import named_as_theirs
from ulab_deploy.base import Base
from ulab_deploy.prove import How, Progress, Proved, prove

# The judge sees all answers in both languages. Time, memory and luck are the same in both, and
# mutants would take several times as long as all the rest.
ON_PUBLISHING = (How("zh", others=True, repeat=6), How("en", others=True, measured=False))


@dataclass(frozen=True)
class Outcome:
    """What came of publishing a curriculum of others.

    Attributes
    ----------
    version
        What it was published as; empty when it was not.
    proved
        Its labs' reports.
    """

    curriculum: Curriculum
    version: str
    proved: Sequence[Proved] = field(default_factory=list)


@contextmanager
def taken_in(origin: str, ref: str = "") -> Iterator[tuple[Path, str]]:
    """Have what others offer in a folder of ours while the block runs.

    Parameters
    ----------
    origin
        A folder, a zip file, or the address of a Git repository.
    ref
        A branch or a tag of the repository.

    Yields
    ------
    tuple
        The folder, and where it came from.

    Raises
    ------
    NotTaken
        It can't be taken in.

    Notes
    -----
    Errors raised in the block name files as they lie in what was offered.
    """
    with tempfile.TemporaryDirectory(prefix="ulab-outside-") as scratch:
        root = Path(scratch) / "curricula-of-others"
        if is_address(origin):
            with fetched(origin, ref) as repository:
                take_in(repository.entries(), root)
                origin = f"{origin}@{repository.commit}"
        elif Path(origin).is_file():
            with Path(origin).open("rb") as file:
                take_in(from_zip(file), root)
        else:
            take_in(from_folder(Path(origin)), root)
        try:
            yield root, origin
        except UserError as error:
            named_as_theirs(error, root)
            raise


def publish_others(
    base: Base,
    origin: str,
    names: Sequence[str] = (),
    *,
    ref: str = "",
    actor: str,
    own_names: bool = False,
    tell: Progress = lambda message, **values: None,
) -> Iterator[Outcome]:
    """Publish the named curricula of others, all when none is named, one after the other.

    A curriculum is published when each of its labs is proved as `ON_PUBLISHING` says.

    Parameters
    ----------
    actor
        Who publishes: new names become theirs.
    own_names
        They are no administrator, so what would be a version of others' work is refused before
        anything runs.

    Raises
    ------
    NotTaken, BadManifest, BadLab, NotFound, SandboxUnavailable, DatasetError
    NotAllowed, NameTaken
        With `own_names` alone.
    """
    from ulab_deploy.prepare import provide

    db = Database.of(base.settings)
    with taken_in(origin, ref) as (root, source):
        found = _named(root, names)
        if own_names:
            with db.read() as session:
                require_own_names(session, base.layout, found, actor)
        for curriculum in found:
            provide(base, [name for lab in curriculum.labs for name in lab.manifest.datasets])
            proved = [
                one
                for how in ON_PUBLISHING
                for one in _proved(base, curriculum.labs, root, how, tell)
            ]
            version = ""
            if all(one.report.ok for one in proved):
                with db.write() as session:
                    if own_names:
                        # Proving takes minutes, in which both may have changed.
                        require_own_names(session, base.layout, [curriculum], actor)
                    claim(session, base.layout, curriculum, actor)
                version = publish(curriculum, base.layout)
                with db.write() as session:
                    subject = f"{curriculum.id}/{version}"
                    record(session, actor, "curriculum.publish", subject, origin=source)
            yield Outcome(curriculum, version, proved)


def check_others(
    base: Base,
    origin: str,
    names: Sequence[str],
    how: How,
    *,
    ref: str = "",
    tell: Progress = lambda message, **values: None,
) -> Iterator[tuple[Proved, Path]]:
    """Prove the labs of the named curricula of others, of all when none is named.

    Yields
    ------
    tuple
        A lab's report, and the folder that our copy of its files is in meanwhile.

    Raises
    ------
    NotTaken, BadManifest, BadLab, NotFound, SandboxUnavailable, DatasetError
    """
    from ulab_deploy.prepare import provide

    with taken_in(origin, ref) as (root, _):
        labs = {lab.id: lab for one in _named(root, names) for lab in one.labs}
        provide(base, [name for lab in labs.values() for name in lab.manifest.datasets])
        for proved in _proved(base, list(labs.values()), root, how, tell):
            yield proved, root


def _named(root: Path, names: Sequence[str]) -> list[Curriculum]:
    try:
        found = {one.id: one for one in find_curricula(root / "curricula")}
    except RecursionError:
        raise BadLab(mark("It is nested too deeply to be read.")) from None
    for name in names:
        if name not in found:
            raise NotFound(
                mark("There is no curriculum {name}. Known: {known}."),
                name=name,
                known=", ".join(found) or "-",
            )
    return [found[name] for name in names or found]


def _proved(
    base: Base, labs: Sequence[Lab], root: Path, how: How, tell: Progress
) -> Iterator[Proved]:
    try:
        for proved in prove(labs, base.settings, base.layout, how, tell=tell):
            for problem in (*proved.report.problems, *proved.report.remarks):
                named_as_theirs(problem, root)
            yield proved
    except (RecursionError, MemoryError):
        raise BadLab(mark("It is nested too deeply to be read.")) from None
