"""MLflow's way back from a run to its data: a data set of the base, or of a DVC registry in Git."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mlflow.data.dataset_source import DatasetSource
from mlflow.exceptions import MlflowException

from ulab.data import folder_of
from ulab.errors import ULabError
from ulab.language import say
from ulab.tracking.inputs import OWN_REPOSITORY, SOURCE_TYPE

OWN = "ulab:"
GIT = "dvc+"


class RegistrySource(DatasetSource):
    """A data set in one revision.

    Written ``ulab:elecdemand`` (as it is now) or ``ulab:elecdemand@<DVC's checksum>`` for a data
    set of the base, and ``dvc+https://git.example/registry?rev=v1&path=data/turbines`` for one in a
    Git repository with DVC.

    Parameters
    ----------
    repository
        ``ulab`` for the base's own store, else the Git repository's address or folder.
    revision
        DVC's checksum in the base's own store, else a branch, tag or commit.
    path
        The data set's name there, or its path in the repository.
    """

    def __init__(self, repository: str, revision: str, path: str) -> None:
        self.repository = repository
        self.revision = revision
        self.path = path

    @staticmethod
    def _get_source_type() -> str:
        return SOURCE_TYPE

    def load(self, dst_path: str | None = None) -> str:
        """Give the folder or file with the data, in this very revision.

        Parameters
        ----------
        dst_path
            A folder to put a copy into. Without one, data of the base is given where it lies,
            read-only.

        Raises
        ------
        MlflowException
            It is not here, or here in another revision only.
        """
        if self.repository == OWN_REPOSITORY:
            here = self._own_folder()
            if dst_path is None:
                return str(here)
            return shutil.copytree(here, Path(dst_path, self.path), dirs_exist_ok=True).as_posix()
        return self._from_git(Path(dst_path or tempfile.mkdtemp(prefix="ulab-data-")))

    def _own_folder(self) -> Path:
        try:
            folder: Path | None = folder_of(self.path)
        except ULabError:
            # What is written in a run is not to lead elsewhere.
            folder = None
        found = _revision(folder) if folder else None
        if folder and found == self.revision:
            return folder / "data"
        if found is None:
            raise MlflowException(
                say(
                    zh=f"这里没有数据集 {self.path}。",
                    en=f"There is no data set {self.path} here.",
                )
            )
        raise MlflowException(
            say(
                zh=f"数据集 {self.path} 现在的版本是 {found}，不是 {self.revision}。",
                en=f"The data set {self.path} is here in revision {found}, not {self.revision}.",
            )
        )

    def _from_git(self, target: Path) -> str:
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException

        try:
            files = DVCFileSystem(self.repository, rev=self.revision or None)
            copy = target / Path(self.path).name
            files.get(self.path, str(copy), recursive=files.isdir(self.path))
        except (DvcException, OSError) as error:
            raise MlflowException(str(error)) from error
        return str(copy)

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        return isinstance(raw_source, str) and raw_source.startswith((OWN, GIT))

    @classmethod
    def _resolve(cls, raw_source: Any) -> RegistrySource:
        if raw_source.startswith(OWN):
            name, _, revision = raw_source.removeprefix(OWN).partition("@")
            if not revision:
                with contextlib.suppress(ULabError):
                    revision = _revision(folder_of(name)) or ""
            return cls(OWN_REPOSITORY, revision, name)
        parts = urlsplit(raw_source.removeprefix(GIT))
        query = parse_qs(parts.query)
        repository = parts._replace(query="").geturl().removeprefix("file://")
        return cls(repository, query.get("rev", [""])[0], query.get("path", [""])[0])

    @property
    def uri(self) -> str:
        """The source as it is written."""
        if self.repository == OWN_REPOSITORY:
            return f"{OWN}{self.path}@{self.revision}"
        query = urlencode({"rev": self.revision, "path": self.path})
        address = self.repository if "://" in self.repository else f"file://{self.repository}"
        return f"{GIT}{address}?{query}"

    def to_dict(self) -> dict[str, Any]:
        return {"repository": self.repository, "revision": self.revision, "path": self.path}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> RegistrySource:
        return cls(source_dict["repository"], source_dict["revision"], source_dict["path"])


def _revision(folder: Path) -> str | None:
    """What revision of a data set the store has; None when it has none."""
    try:
        found = json.loads((folder / "card.json").read_text(encoding="utf-8")).get("md5")
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
