"""The store: verified data sets in a DVC repository, checked out read-only for labs to read."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_datasets.card import REGISTRY, Card, find_card
from ulab_datasets.errors import DataMismatch, FetchFailed
from ulab_datasets.fetch import unpack

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """How it went with one data set.

    Attributes
    ----------
    name
        The data set.
    fetched
        True when it was fetched now, False when it was there already or could not be had.
    error
        Why it is not there; None when it is.
    seconds
        How long it took.
    """

    name: str
    fetched: bool
    error: UserError | None
    seconds: float

    @property
    def ready(self) -> bool:
        """Whether labs can read it."""
        return self.error is None


def ensure(
    root: Path,
    names: Sequence[str],
    progress: Progress | None = None,
    registry: Path = REGISTRY,
) -> list[Result]:
    """Provide data sets, fetching and verifying what is not there yet.

    Parameters
    ----------
    root
        The DVC repository, `ulab_core.layout.Layout.datasets`; made when missing. What labs read
        is ``root/store``.
    names
        Which data sets.
    progress
        Called with a data set's name before it is fetched.
    registry
        Where the cards are.

    Returns
    -------
    list of Result
        One for each name, in order. One data set's failure does not stop the others.
    """
    return [_ensure_one(root, name, progress or (lambda _: None), registry) for name in names]


def _ensure_one(root: Path, name: str, progress: Progress, registry: Path) -> Result:
    start = time.monotonic()
    try:
        card = find_card(name, registry)
        fetched = not _present(root, card, registry)
        if fetched:
            progress(name)
            with _locked(root):
                if not _present(root, card, registry):
                    _provide(root, card, registry)
        return Result(name, fetched, None, time.monotonic() - start)
    except UserError as error:
        return Result(name, False, error, time.monotonic() - start)
    except OSError as error:
        failure = FetchFailed(
            mark("Data set {name} can't be stored: {reason}."),
            name=name,
            reason=error.strerror or error,
        )
        return Result(name, False, failure, time.monotonic() - start)


def _present(root: Path, card: Card, registry: Path) -> bool:
    """Whether this very card was stored and its files lie there; nothing is read or hashed."""
    folder = root / "store" / card.id
    try:
        stored = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        sizes = stored.get("sizes", {})
        return stored == _public(card, _expected_md5(registry, card), sizes) and all(
            (folder / "data" / file.path).stat().st_size == sizes[file.path] for file in card.files
        )
    except (OSError, ValueError, KeyError):
        return False


def _public(card: Card, md5: str, sizes: dict[str, int]) -> dict[str, Any]:
    """What `ulab.load` and a curious student read about the data set."""
    described = card.model_dump(mode="json", exclude={"files"})
    digests = {file.path: file.sha256 for file in card.files}
    return {**described, "files": list(digests), "sha256": digests, "md5": md5, "sizes": sizes}


def _provide(root: Path, card: Card, registry: Path) -> None:
    # Heavy (pandas) and needed only now: a second `ulab up` must be quick.
    from ulab_datasets.verify import make

    folder = _fetch_into(root, card, make)
    md5 = add_to_dvc(root, folder / "data")
    if md5 != _expected_md5(registry, card):
        raise DataMismatch(
            mark("Data set {name}: DVC's checksum {found} is not the registry's {expected}."),
            name=card.id,
            found=md5,
            expected=_expected_md5(registry, card),
        )
    sizes = {file.path: (folder / "data" / file.path).stat().st_size for file in card.files}
    for path in (root / "store", folder, folder / "data"):
        path.chmod(0o755)
    for file in card.files:
        (folder / "data" / file.path).chmod(0o444)
    temporary = folder / ".card.json"
    temporary.write_text(
        json.dumps(_public(card, md5, sizes), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    temporary.chmod(0o444)
    temporary.rename(folder / "card.json")


def _fetch_into(root: Path, card: Card, make: Callable[[Card, Path, Path], None]) -> Path:
    """Fetch, make and verify the files, then put them in their place; gives the set's folder."""
    with tempfile.TemporaryDirectory(dir=root, prefix=".fetch-") as scratch:
        work = Path(scratch)
        unpacked = unpack(card.fetch, [file.member for file in card.files], work, root / "apt")
        made = work / "made"
        make(card, unpacked, made)
        folder = root / "store" / card.id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.json").unlink(missing_ok=True)
        if (folder / "data").exists():
            shutil.rmtree(folder / "data")
        made.rename(folder / "data")
    return folder


def register(name: str, registry: Path = REGISTRY) -> Path:
    """Write the .dvc file of a data set whose card is new; the maintainer's part, done once.

    Parameters
    ----------
    name
        The data set; its card is written.
    registry
        Where the card is.

    Returns
    -------
    Path
        The file written, to be committed beside the card.

    Raises
    ------
    DatasetError
        The data can't be fetched or is not what the card says.
    """
    from ulab_datasets.verify import make

    card = find_card(name, registry)
    with tempfile.TemporaryDirectory(prefix="ulab-register-") as scratch:
        folder = _fetch_into(Path(scratch), card, make)
        add_to_dvc(Path(scratch), folder / "data")
        target = registry / name / "data.dvc"
        shutil.copyfile(folder / "data.dvc", target)
    return target


def _expected_md5(registry: Path, card: Card) -> str:
    """The checksum DVC is to find, from the .dvc file beside the card."""
    path = registry / card.id / "data.dvc"
    try:
        return str(yaml.safe_load(path.read_text(encoding="utf-8"))["outs"][0]["md5"])
    except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError):
        raise DataMismatch(
            mark("Data set {name}: {file} is missing or no .dvc file."), name=card.id, file=path
        ) from None


def add_to_dvc(root: Path, folder: Path) -> str:
    """Track `folder` in the DVC repository `root`, making it when needed; gives DVC's md5."""
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    # DVC would keep its lock data base in /var/tmp otherwise.
    os.environ["DVC_SITE_CACHE_DIR"] = str(root / ".dvc-site")
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.WARNING)
    if not (root / ".dvc").is_dir():
        Repo.init(root_dir=str(root), no_scm=True).close()
        with Repo(str(root)) as repo, repo.config.edit() as settings:
            settings["core"].update(analytics=False, check_update=False)
            # Hard links: one copy on the disk, read-only, and `dvc checkout` restores it.
            settings["cache"]["type"] = ["hardlink", "copy"]
    with Repo(str(root)) as repo:
        (stage,) = repo.add(str(folder))
        return str(stage.outs[0].hash_info.value)


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
