"""Data sets that people of the base bring themselves: add, replace, remove, measure."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from ulab_core.i18n import mark
from ulab_core.manifest import Words
from ulab_datasets import describing, dvc_repo, store, versions
from ulab_datasets.card import (
    REGISTRY,
    Added,
    Allowed,
    Card,
    File,
    Licence,
    Schema,
    Source,
    load_card,
    names,
)
from ulab_datasets.errors import BadCard, DataMismatch, QuotaFull
from ulab_datasets.placing import locked, placing
from ulab_datasets.remotes import Remote
from ulab_datasets.verify import sha256

_BLOCK = 1 << 20
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
FILE_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Told:
    """What whoever brings a data set says of it; what it holds is read from it.

    Attributes
    ----------
    title, summary
        In one language or both; the name when empty.
    licence
        Its name. Nothing is taken to be allowed by it.
    source, url, citation
        Where it comes from.
    by
        Who brings it.
    """

    title: str
    licence: str
    source: str
    by: str
    summary: str = ""
    url: str = ""
    citation: str = ""


def registry(root: Path) -> Path:
    """Where the cards of the own data sets of a repository are."""
    return root / "registry"


def registry_of(root: Path, name: str) -> Path:
    """Which registry has the card of `name`: the shipped one, or the base's own."""
    return registry(root) if (registry(root) / name / "card.yaml").is_file() else REGISTRY


def ensure(
    root: Path,
    names: Iterable[str],
    progress: store.Progress | None = None,
    remote: Remote | None = None,
) -> list[store.Result]:
    """As `store.ensure`, with each card from the registry that has it."""
    return [
        result
        for name in names
        for result in store.ensure(root, [name], progress, registry_of(root, name), remote)
    ]


def all_names(root: Path) -> list[str]:
    """The data sets of both registries."""
    return sorted({*names(), *names(registry(root))})


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
            card = _describe(name, data, told)
            revision = dvc_repo.add(root, data)
            store.finish(card, revision, folder)
            if quota is not None:
                _require_quota(root, name, _bytes(folder / "mapped"), quota)
        versions.note(root, card, root / "store" / name / "data.dvc")
        own = registry(root) / name
        own.mkdir(parents=True, exist_ok=True)
        versions.write_card(card, own)
        shutil.copyfile(root / "store" / name / "data.dvc", own / "data.dvc")
    return card


def remove(root: Path, name: str) -> int:
    """Remove a data set with all its versions from this machine; gives the bytes it gives back.

    A shipped one can be pulled again; an own one only from a remote, and its card is gone.

    Raises
    ------
    BadCard
        There is no such data set here.
    """
    with locked(root):
        places = [root / part / name for part in ("store", "versions", "registry")]
        if not NAME.fullmatch(name) or not any(place.is_dir() for place in places):
            raise BadCard(mark("There is no data set {name} here to remove."), name=name)
        before = usage(root)
        for place in places:
            if place.is_dir():
                shutil.rmtree(place)
        kept = {
            path
            for dvc_file in root.glob("versions/*/*/*/data.dvc")
            if dvc_repo.cached(root, revision := dvc_repo.revision_in(dvc_file))
            for path in dvc_repo.objects_of(root, revision)
        }
        for path in dvc_repo.objects(root) - kept:
            path.unlink()
        return before - usage(root)


def usage(root: Path) -> int:
    """The bytes that a repository's data sets take on the disk, each file once."""
    mapped = sum(_bytes(folder) for folder in root.glob("store/*/mapped"))
    return mapped + sum(path.stat().st_size for path in dvc_repo.objects(root))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*"))


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


def _describe(name: str, data: Path, told: Told) -> Card:
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
    title = told.title or name
    return Card(
        id=name,
        titles=Words(zh=title, en=title),
        summaries=Words(zh=told.summary or title, en=told.summary or title),
        source=Source(title=told.source, url=told.url, citation=told.citation or told.source),
        licence=Licence(
            name=told.licence,
            verified=False,
            allows=Allowed(commercial="unknown", sharing="unknown", changes="unknown"),
            note=Words(
                zh=f"U Lab 没有核实；请询问添加它的 {told.by}。",
                en=f"Not checked by U Lab; ask {told.by}, who added it.",
            ),
        ),
        fetch=Added(by=told.by, at=datetime.now(UTC)),
        format=form,
        files=tuple(
            File(path=path.name, member=path.name, member_sha256=digest, sha256=digest)
            for path in paths
            for digest in [sha256(path)]
        ),
        shape=shape or Schema(),
    )


def own_card(root: Path, name: str) -> Card:
    """The card of an own data set."""
    return load_card(registry(root) / name)
