"""The files of one run or model on the disk: which they are, and none that lies elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings

_SCHEME = "mlflow-artifacts:/"
_OF_A_RUN = re.compile(r"\d+/(?P<run>[0-9a-f]{32})/artifacts(?:/.+)?")
_OF_A_MODEL = re.compile(r"\d+/models/m-[0-9a-f]{32}/artifacts(?:/.+)?")
# MLflow writes an upload beside where it goes, and renames it when it is whole.
_UNFINISHED = ".artifact.uploading."
MOST_FILES = 2000


class KeptFile(NamedTuple):
    """A file of a run or model."""

    path: str
    """Below the run or model, with slashes."""
    size: int
    """In bytes."""


def workspace_folder(settings: Settings, workspace: str) -> Path:
    """Where MLflow keeps the files of a workspace."""
    return Layout.of(settings).mlflow / "artifacts" / "workspaces" / workspace


def place_of(address: str, workspace: str, run_id: str | None) -> PurePosixPath | None:
    """Where files lie below a workspace's folder, from the address that MLflow gives them.

    Parameters
    ----------
    address
        A run's ``artifact_uri``, or the one that a model's version is downloaded from.
    run_id
        The run it must belong to, when it belongs to one.

    Returns
    -------
    PurePosixPath or None
        None for what isn't in this workspace, is more than one run or model, or lies beside them:
        a version's address is its maker's word.

    Examples
    --------
    >>> run = "0" * 32
    >>> place_of(f"mlflow-artifacts:/workspaces/windfarm/1/{run}/artifacts", "windfarm", run).name
    'artifacts'
    >>> place_of("mlflow-artifacts:/workspaces/windfarm/1", "windfarm", None) is None
    True
    """
    prefix = f"{_SCHEME}workspaces/{workspace}/"
    place = address.removeprefix(prefix)
    if place == address or not _is_plain(place):
        return None
    of_a_run = _OF_A_RUN.fullmatch(place)
    if of_a_run is None and _OF_A_MODEL.fullmatch(place) is None:
        return None
    if of_a_run is not None and run_id is not None and of_a_run["run"] != run_id:
        return None
    return PurePosixPath(place)


def is_kept(file: Path) -> bool:
    """Whether MLflow keeps this as someone's file: no link, and no upload that is under way."""
    return not file.is_symlink() and file.is_file() and not file.name.startswith(_UNFINISHED)


def files_below(root: Path) -> list[KeptFile]:
    """The files there, by path; links are left out, and no more than `MOST_FILES` are told."""
    if root.is_symlink():
        return []
    if root.is_file():
        return [KeptFile(root.name, root.stat().st_size)]
    found: list[KeptFile] = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if not is_kept(file):
                continue
            found.append(KeptFile(file.relative_to(root).as_posix(), file.stat().st_size))
            if len(found) >= MOST_FILES:
                return found
    return found


def file_at(root: Path, path: str) -> Path:
    """A file that `files_below` tells.

    Raises
    ------
    NotFound
        There is no such file, or the path leads out of `root` or through a link.
    """
    # A version may be one file alone.
    file = root if root.is_file() and path == root.name else root / path
    if not _is_plain(path) or not file.is_file() or not _is_straight(root, file):
        raise NotFound(mark("There is no such file here."))
    return file


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and not {"", ".", ".."} & set(parts)


def _is_straight(root: Path, file: Path) -> bool:
    """Whether no link is on the way from `root` to `file`."""
    return not root.is_symlink() and file.resolve() == root.resolve() / file.relative_to(root)
