"""Takes files as a data set of the base or of a team, or as the new version of one."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from ulab_core.i18n import mark
from ulab_core.manifest import Words
from ulab_datasets import describing, dvc_repo, store, versions
from ulab_datasets.card import Added, Allowed, Card, Described, File, Licence, Source
from ulab_datasets.errors import BadCard, DataMismatch, QuotaFull
from ulab_datasets.own import NAME, bytes_in, registry, usage
from ulab_datasets.placing import locked, placing
from ulab_datasets.verify import sha256

_BLOCK = 1 << 20
FILE_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
UNKNOWN = Allowed(commercial="unknown", sharing="unknown", changes="unknown")


@dataclass(frozen=True)
class Told:
    """What whoever brings a data set says of it; what it holds is read from it.

    Attributes
    ----------
    card
        The card's part that people write.
    by
        Who brings it.
    """

    card: Described
    by: str


def briefly(
    title: str | Words,
    licence: str,
    source: str,
    by: str,
    *,
    summary: str | Words = "",
    url: str = "",
    citation: str = "",
    allows: Allowed = UNKNOWN,
    known_problems: Sequence[Words] = (),
) -> Told:
    """What is told without a card: text in one language stands for both.

    Parameters
    ----------
    licence
        Its name; nobody of U Lab has read it.
    source, url, citation
        Where the data comes from.

    Raises
    ------
    BadCard
        Nothing says what the licence is or where the data comes from.
    """
    if not licence.strip() or not source.strip():
        raise BadCard(mark("Say under which licence the data is, and where it comes from."))
    titles = _both(title)
    card = Described(
        titles=titles,
        summaries=_both(summary) if summary else titles,
        source=Source(title=source, url=url, citation=citation or source),
        licence=Licence(
            name=licence,
            verified=False,
            allows=allows,
            note=Words(
                zh=f"U Lab 没有核实；请询问添加它的 {by}。",
                en=f"Not checked by U Lab; ask {by}, who added it.",
            ),
        ),
        known_problems=tuple(known_problems),
    )
    return Told(card, by)


def words(both: str, zh: str = "", en: str = "") -> Words | None:
    """Words of which each language has its own, or else what is given; None when nothing is."""
    zh, en = zh or both or en, en or both or zh
    return Words(zh=zh, en=en) if zh else None


def _both(text: str | Words) -> Words:
    return text if isinstance(text, Words) else Words(zh=text, en=text)


def add(
    root: Path,
    name: str,
    files: Mapping[str, BinaryIO],
    told: Told,
    *,
    quota: int | None = None,
    taken: frozenset[str] = frozenset(),
) -> Card:
    """Take files as a new data set, or as the new version of one that was added before.

    Parameters
    ----------
    root
        The DVC repository.
    files
        Names and open files: one ``.csv`` becomes a table, ``.npy`` files arrays, others stay as
        they are.
    quota
        The most bytes that `root` may hold afterwards; None for no limit.
    taken
        Names that it can't have.

    Raises
    ------
    BadCard, DataMismatch, QuotaFull, DiskFull
        The name or a file's can't be used, a file can't be read, or there is no room. The store is
        as it was.
    """
    _refuse_names(name, files, taken)
    size = sum(_size(file) for file in files.values())
    with locked(root):
        if quota is not None:
            _require_quota(root, name, size, quota)
        with placing(root, name, store.ROOM * size) as folder:
            data = folder / "data"
            data.mkdir()
            for path, file in files.items():
                _copy(file, data / path, name)
            card = _card(name, data, told)
            revision = dvc_repo.add(root, data)
            store.finish(card, revision, folder)
            if quota is not None:
                _require_quota(root, name, bytes_in(folder / "mapped"), quota)
        versions.note(root, card, root / "store" / name / "data.dvc")
        own = registry(root) / name
        own.mkdir(parents=True, exist_ok=True)
        versions.write_card(card, own)
        shutil.copyfile(root / "store" / name / "data.dvc", own / "data.dvc")
    return card


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _copy(file: BinaryIO, place: Path, name: str) -> None:
    """Copy a file that someone may still be writing; what was counted is all that is taken."""
    left = _size(file)
    with place.open("wb") as sink:
        while block := file.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise DataMismatch(
                    mark(
                        "Data set {name}: {file} grew while it was copied. Nothing was changed; "
                        "try again when it is complete."
                    ),
                    name=name,
                    file=place.name,
                )
            sink.write(block)


def _require_quota(root: Path, name: str, more: int, quota: int) -> None:
    used = usage(root)
    if used + more > quota:
        raise QuotaFull(
            mark(
                "Data set {name} needs {needed} MB, and {free} MB of {quota} MB are left. Nothing "
                "was changed; remove a data set first, or ask an administrator."
            ),
            name=name,
            needed=_megabytes(more),
            free=_megabytes(max(0, quota - used)),
            quota=_megabytes(quota),
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def refuse_twice(paths: Sequence[str]) -> None:
    """Refuse files of one name, of which a data set could hold only one.

    Raises
    ------
    BadCard
        Two of them have the same name.
    """
    for path, count in Counter(paths).items():
        if count > 1:
            raise BadCard(mark("Two of the files are called {file}; rename one."), file=path)


def _refuse_names(name: str, files: Mapping[str, BinaryIO], taken: frozenset[str]) -> None:
    if not NAME.fullmatch(name):
        raise BadCard(
            mark(
                "{name} can't be a data set's name: use at most 64 small letters, digits and "
                "hyphens, with no hyphen first."
            ),
            name=name,
        )
    if name in taken:
        raise BadCard(mark("U Lab has a data set {name} itself; choose another name."), name=name)
    if not files:
        raise BadCard(mark("Name at least one file for the data set {name}."), name=name)
    for path in files:
        if not FILE_NAME.fullmatch(path):
            raise BadCard(
                mark(
                    "The file name {file} can't be used: rename it to letters, digits, dots, "
                    "hyphens and underscores of ASCII."
                ),
                file=path,
            )


def _card(name: str, data: Path, told: Told) -> Card:
    """The card of what was copied, with what is in it as its schema."""
    paths = sorted(data.iterdir())
    try:
        form, shape = describing.describe(paths)
    except (ValueError, OSError) as error:
        raise DataMismatch(
            mark("Data set {name}: a file can't be read ({reason}). Nothing was changed."),
            name=name,
            reason=str(error).splitlines()[0].rstrip("."),
        ) from error
    for split, wanted in told.card.splits.items():
        describing.require_split(name, shape, split, wanted)
    return Card(
        **dict(told.card),
        id=name,
        fetch=Added(by=told.by, at=datetime.now(UTC)),
        format=form,
        files=tuple(
            File(path=path.name, member=path.name, member_sha256=digest, sha256=digest)
            for path in paths
            for digest in [sha256(path)]
        ),
        shape=shape,
    )
