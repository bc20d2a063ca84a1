"""DVC, as the store uses it: track a folder, and keep it in a remote or get it from there."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ulab_core.i18n import mark
from ulab_core.settings import Datasets
from ulab_datasets.errors import RemoteFailed

if TYPE_CHECKING:
    from dvc.repo import Repo

REMOTE = "base"
# What is no data of the repository; DVC would look for its files in there each time.
IGNORED = "/versions\n/registry\n/apt\n"
CACHE = Path(".dvc/cache/files/md5")


@dataclass(frozen=True)
class Remote:
    """Where data sets are kept besides this machine.

    Attributes
    ----------
    url
        A folder, ``ssh://host/folder`` or ``s3://bucket/folder``.
    options
        More of what DVC says of a remote: ``keyfile``, ``endpointurl``, ``profile``.
    """

    url: str
    options: dict[str, str] = field(default_factory=dict)


def remote_of(settings: Datasets) -> Remote | None:
    """The remote of a base; None when none is set."""
    if not settings.remote:
        return None
    by_scheme = {
        "ssh": {"keyfile": settings.remote_key_file},
        "s3": {"endpointurl": settings.remote_endpoint, "profile": settings.remote_profile},
    }
    scheme = settings.remote.partition("://")[0]
    options = {name: value for name, value in by_scheme.get(scheme, {}).items() if value}
    return Remote(settings.remote, options)


def revision_in(dvc_file: Path) -> str:
    """The revision that a .dvc file names: DVC's checksum of the folder.

    Raises
    ------
    OSError, ValueError
        It is missing, or no .dvc file.
    """
    return str(_out(dvc_file, "md5"))


def size_in(dvc_file: Path) -> int:
    """How many bytes of data a .dvc file names; raises as `revision_in` does."""
    return int(_out(dvc_file, "size"))


def _out(dvc_file: Path, key: str) -> Any:
    try:
        return yaml.safe_load(dvc_file.read_text(encoding="utf-8"))["outs"][0][key]
    except (yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{dvc_file} is no .dvc file") from error


def add(root: Path, folder: Path) -> str:
    """Track `folder` in the DVC repository `root`, making it when needed; gives the revision."""
    with _opened(root) as repo:
        (stage,) = repo.add(str(folder))
        return str(stage.outs[0].hash_info.value)


def push(root: Path, dvc_file: Path, remote: Remote) -> int:
    """Copy what a .dvc file names to the remote; gives how many files were new there.

    Raises
    ------
    RemoteFailed
        It could not be reached, or refused.
    """
    with _talking_to(remote), _opened(root, remote) as repo:
        return int(repo.push(targets=[str(dvc_file)]))


def pull(root: Path, dvc_file: Path, remote: Remote | None) -> None:
    """Lay out what a .dvc file names beside it, from the cache or from the remote.

    Raises
    ------
    RemoteFailed
        It is in neither, or the remote could not be reached.
    """
    with _talking_to(remote), _opened(root, remote) as repo:
        if remote is not None:
            repo.fetch(targets=[str(dvc_file)])
        repo.checkout(targets=[str(dvc_file)], force=True)


def objects(root: Path) -> set[Path]:
    """All files of the cache."""
    return {path for path in (root / CACHE).rglob("*") if path.is_file()}


def objects_of(root: Path, revision: str) -> set[Path]:
    """The files of the cache that make up a revision, the list of them included.

    Raises
    ------
    OSError, ValueError
        The list is not in the cache, or damaged.
    """
    listing = _object(root, revision)
    entries = json.loads(listing.read_text(encoding="utf-8"))
    return {listing, *(_object(root, entry["md5"]) for entry in entries)}


def cached(root: Path, revision: str) -> bool:
    """Whether all of a revision is in the cache."""
    try:
        return all(path.is_file() for path in objects_of(root, revision))
    except (OSError, ValueError):
        return False


def forget(root: Path, revision: str) -> None:
    """Take a revision's files out of the cache, whatever else needs them."""
    try:
        files = objects_of(root, revision)
    except (OSError, ValueError):
        files = {_object(root, revision)}
    for path in files:
        path.unlink(missing_ok=True)


def _object(root: Path, md5: str) -> Path:
    return root / CACHE / md5[:2] / md5[2:]


@contextlib.contextmanager
def _opened(root: Path, remote: Remote | None = None) -> Iterator[Repo]:
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    # DVC would keep its lock data base in /var/tmp otherwise.
    os.environ["DVC_SITE_CACHE_DIR"] = str(root / ".dvc-site")
    from dvc.repo import Repo

    for name in ("dvc", "dvc_data", "dvc_objects"):
        # What goes wrong is said in a sentence of ours.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if not (root / ".dvc").is_dir():
        Repo.init(root_dir=str(root), no_scm=True).close()
        with Repo(str(root)) as repo, repo.config.edit() as settings:
            settings["core"].update(analytics=False, check_update=False)
            # Hard links: one copy on the disk, read-only, and `dvc checkout` restores it.
            settings["cache"]["type"] = ["hardlink", "copy"]
    ignored = root / ".dvcignore"
    if not ignored.is_file() or ignored.read_text(encoding="utf-8") != IGNORED:
        ignored.write_text(IGNORED, encoding="utf-8")
    overridden: dict[str, Any] = {}
    if remote is not None:
        overridden = {
            "core": {"remote": REMOTE},
            "remote": {REMOTE: {"url": remote.url, **remote.options}},
        }
    with Repo(str(root), config=overridden) as repo:
        yield repo


@contextlib.contextmanager
def _talking_to(remote: Remote | None) -> Iterator[None]:
    from dvc.exceptions import CheckoutError, DvcException

    try:
        yield
    except ImportError as error:
        raise RemoteFailed(
            mark("{remote} can't be used: {reason}."),
            remote=remote.url if remote else "",
            reason=str(error),
        ) from error
    except CheckoutError as error:
        if remote is None:
            raise RemoteFailed(mark("It is not in the cache of this machine any more.")) from error
        raise RemoteFailed(mark("{remote} does not have it."), remote=remote.url) from error
    except (DvcException, OSError) as error:
        raise RemoteFailed(
            mark("{remote} can't be read or written: {reason}."),
            remote=remote.url if remote else "",
            reason=_reason(error),
        ) from error


def _reason(error: BaseException) -> str:
    """What went wrong, of the cause rather than of DVC's advice."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
