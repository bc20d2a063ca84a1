"""Data sets that people of the base bring themselves: find, remove, measure."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from ulab_core.i18n import mark
from ulab_datasets import dvc_repo, store
from ulab_datasets.card import REGISTRY, Card, load_card, names
from ulab_datasets.errors import BadCard
from ulab_datasets.placing import locked
from ulab_datasets.remotes import Remote

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


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
    mapped = sum(bytes_in(folder) for folder in root.glob("store/*/mapped"))
    return mapped + sum(path.stat().st_size for path in dvc_repo.objects(root))


def bytes_in(folder: Path) -> int:
    """The bytes of the files of a folder."""
    return sum(path.stat().st_size for path in folder.glob("*"))


def own_card(root: Path, name: str) -> Card:
    """The card of an own data set."""
    return load_card(registry(root) / name)
