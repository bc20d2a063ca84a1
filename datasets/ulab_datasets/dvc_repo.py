"""DVC, as the store uses it: track a folder, and keep it in a remote or get it from there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ulab_core.i18n import mark
from ulab_datasets import dvc_copy
from ulab_datasets.errors import RemoteFailed
from ulab_datasets.remotes import Remote, refuse_open_secrets

if TYPE_CHECKING:
    from dvc.repo import Repo

REMOTE = "base"
# What is no data of the repository; DVC would look for its files in there each time.
IGNORED = "/versions\n/registry\n/apt\n"
CACHE = Path(".dvc/cache/files/md5")
# Beside this environment: what S3 needs asks for older packages than the base has.
S3_PYTHON = Path(sys.prefix).with_name(".venv-s3") / "bin" / "python"


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
    return _copy("push", root, dvc_file, remote)


def pull(root: Path, dvc_file: Path, remote: Remote | None) -> None:
    """Lay out what a .dvc file names beside it, from the cache or from the remote.

    Raises
    ------
    RemoteFailed
        It is in neither, or the remote could not be reached.
    """
    if remote is not None:
        _copy("fetch", root, dvc_file, remote)
    with _talking_to(remote), _opened(root) as repo:
        repo.checkout(targets=[str(dvc_file)], force=True)


def _copy(verb: str, root: Path, dvc_file: Path, remote: Remote) -> int:
    refuse_open_secrets(remote)
    _prepare(root)
    job: dict[str, Any] = {
        "verb": verb,
        "root": str(root),
        "dvc_file": str(dvc_file),
        "config": {
            "core": {"remote": REMOTE},
            "remote": {REMOTE: {"url": remote.url, **remote.options}},
        },
    }
    if remote.scheme == "s3":
        return _copy_with_s3(job, remote)
    with _talking_to(remote):
        if remote.scheme != "ssh":
            return dvc_copy.copy(**job)
        from ulab_datasets.strict_ssh import trusting

        with trusting(remote.known_hosts):
            return dvc_copy.copy(**job)


def _copy_with_s3(job: dict[str, Any], remote: Remote) -> int:
    if not S3_PYTHON.is_file():
        raise RemoteFailed(
            mark("{remote} needs what `python3 deploy/install.py --with s3` installs."),
            remote=remote.url,
        )
    done = subprocess.run(
        [S3_PYTHON, "-I", dvc_copy.__file__],
        input=json.dumps(job), capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = json.loads(done.stdout) if done.returncode == 0 else {"problem": _last(done.stderr)}
    if "problem" in said:
        raise _failed(remote, said["problem"])
    return int(said["count"])


def _last(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "")


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


def forget_damaged(root: Path, revision: str) -> None:
    """Take those of a revision's files out of the cache that no longer hold what they are named by.

    The others may be all that is left of a version: that they don't fit some card is no reason.
    """
    try:
        files = objects_of(root, revision)
    except (OSError, ValueError):
        files = {_object(root, revision)}
    for path in files:
        if path.is_file() and _md5(path) != path.parent.name + path.name.removesuffix(".dir"):
            path.unlink()


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _object(root: Path, md5: str) -> Path:
    return root / CACHE / md5[:2] / md5[2:]


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[Repo]:
    _prepare(root)
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        yield repo


def _prepare(root: Path) -> None:
    """Have a DVC repository in `root`, and DVC quiet."""
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    # DVC would keep its lock data base in /var/tmp otherwise.
    os.environ["DVC_SITE_CACHE_DIR"] = str(root / ".dvc-site")
    from dvc.repo import Repo

    dvc_copy.silence()
    if not (root / ".dvc").is_dir():
        Repo.init(root_dir=str(root), no_scm=True).close()
        with Repo(str(root)) as repo, repo.config.edit() as settings:
            settings["core"].update(analytics=False, check_update=False)
            # Hard links: one copy on the disk, read-only, and `dvc checkout` restores it.
            settings["cache"]["type"] = ["hardlink", "copy"]
    ignored = root / ".dvcignore"
    if not ignored.is_file() or ignored.read_text(encoding="utf-8") != IGNORED:
        ignored.write_text(IGNORED, encoding="utf-8")


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
        raise _failed(remote, dvc_copy.reason(error)) from error


def _failed(remote: Remote | None, reason: str) -> RemoteFailed:
    return RemoteFailed(
        mark("{remote} can't be read or written: {reason}."),
        remote=remote.url if remote else "",
        reason=reason,
    )
