"""The versions of data sets that this base has had, each a registry of one card."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from ulab_core.i18n import mark
from ulab_datasets import dvc_repo
from ulab_datasets.card import Card, load_card
from ulab_datasets.errors import BadCard


@dataclass(frozen=True)
class Version:
    """A data set as it once was.

    Attributes
    ----------
    revision
        DVC's checksum, as a run's input names it.
    registry
        The folder that holds its card, as a registry does.
    at
        When it came into the store.
    cached
        Whether the data is still on this machine.
    """

    revision: str
    registry: Path
    at: datetime
    bytes: int
    cached: bool


def note(root: Path, card: Card, dvc_file: Path) -> None:
    """Remember a version that came into the store."""
    folder = _folder(root, card.id, dvc_repo.revision_in(dvc_file))
    if not (folder / "data.dvc").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_card(card, folder)
        # Last: it is what makes the folder a version.
        shutil.copyfile(dvc_file, folder / "data.dvc")


def write_card(card: Card, folder: Path) -> None:
    """Write ``card.yaml``."""
    content = card.model_dump(mode="json", exclude_none=True)
    (folder / "card.yaml").write_text(
        yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )


def of(root: Path, name: str) -> list[Version]:
    """The versions of a data set, the newest first."""
    found = []
    for dvc_file in (root / "versions" / name).glob(f"*/{name}/data.dvc"):
        revision = dvc_repo.revision_in(dvc_file)
        found.append(
            Version(
                revision,
                dvc_file.parents[1],
                datetime.fromtimestamp(dvc_file.stat().st_mtime, UTC),
                dvc_repo.size_in(dvc_file),
                dvc_repo.cached(root, revision),
            )
        )
    return sorted(found, key=lambda version: version.at, reverse=True)


def find(root: Path, name: str, start: str) -> tuple[Version, Card]:
    """The version whose revision starts so.

    Raises
    ------
    BadCard
        There is none, or more than one.
    """
    matching = [version for version in of(root, name) if version.revision.startswith(start)]
    if len(matching) != 1 or not start:
        raise BadCard(
            mark("Data set {name} has no single version {start}; see `ulab datasets versions`."),
            name=name,
            start=start,
        )
    return matching[0], load_card(matching[0].registry / name)


def _folder(root: Path, name: str, revision: str) -> Path:
    return root / "versions" / name / revision.removesuffix(".dir") / name
