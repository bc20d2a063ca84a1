"""Writes a workspace as a folder that a plain MLflow opens, with its files and how to start."""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from ulab_core.errors import Conflict, UserError
from ulab_core.i18n import mark
from ulab_core.models import utc_now
from ulab_core.settings import Settings
from ulab_mlflow.artifacts import is_kept, workspace_folder
from ulab_mlflow.export_database import DEFAULT, Told, write_database

DATABASE, FILES, README, SUMMARY = "mlflow.db", "artifacts", "README.md", "export.json"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SQLITE_FULL = ("database or disk is full", "disk I/O error")

_README = """# {team}

{zh}

    pip install mlflow=={version}
    mlflow server --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./artifacts

{zh_then}

---

{en}

    pip install mlflow=={version}
    mlflow server --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./artifacts

{en_then}
"""


class DiskFull(UserError):
    """There is no room for the export."""


@dataclass(frozen=True)
class Exported:
    """What an export holds.

    Attributes
    ----------
    rows
        By table of MLflow's database.
    files, size
        How many files runs and models have, and their bytes together.
    """

    rows: Mapping[str, int]
    files: int
    size: int

    def told(self, workspace: str) -> dict[str, Any]:
        """For machines."""
        return {
            "team": workspace,
            "exported_at": utc_now().isoformat(timespec="seconds"),
            "mlflow": _version(),
            "experiments": self.rows["experiments"],
            "runs": self.rows["runs"],
            "metrics": self.rows["metrics"],
            "models": self.rows["registered_models"],
            "model_versions": self.rows["model_versions"],
            "traces": self.rows["trace_info"],
            "files": self.files,
            "bytes": self.size,
        }


def export(settings: Settings, workspace: str, folder: Path, told: Told) -> Exported:
    """Write a workspace to a new folder.

    Parameters
    ----------
    folder
        Must not exist, or be empty. It appears when it is whole, and not before.

    Raises
    ------
    Conflict, DiskFull
        There is something in the folder already, or no room for it.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(mark("{folder} is not empty. Name a new folder."), folder=folder)
    kept = list(kept_files(settings, workspace))
    folder.parent.mkdir(parents=True, exist_ok=True)
    _refuse_if_too_small(folder.parent, sum(size for _, _, size in kept))
    draft = folder.parent / f".{folder.name}.draft-{uuid.uuid4().hex[:8]}"
    with no_half(draft):
        draft.mkdir(mode=0o700)
        rows = write_database(settings, workspace, draft / DATABASE, told)
        total = sum(size for _, _, size in kept)
        done = 0
        for path, file, size in kept:
            target = draft / FILES / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
            done += size
            told(FILES, done, total)
        found = Exported(rows, len(kept), total)
        (draft / FILES).mkdir(exist_ok=True)
        (draft / README).write_text(readme(workspace), encoding="utf-8")
        (draft / SUMMARY).write_text(summary(found, workspace), encoding="utf-8")
        draft.replace(folder)
    return found


def kept_files(settings: Settings, workspace: str) -> Iterator[tuple[str, Path, int]]:
    """The files of all runs and models: path below `FILES`, where it lies, and its size."""
    root = workspace_folder(settings, workspace)
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if is_kept(file):
                yield file.relative_to(root).as_posix(), file, file.stat().st_size


@contextmanager
def no_half(draft: Path, *, keep: bool = False) -> Iterator[None]:
    """Leave nothing of a folder when it doesn't come to an end; tell when the disk is full.

    Parameters
    ----------
    keep
        Whether it stays where it is when all goes well.
    """
    whole = False
    try:
        yield
        whole = True
    except (OSError, OperationalError) as error:
        words = str(error)
        if getattr(error, "errno", None) in _FULL or any(said in words for said in _SQLITE_FULL):
            raise DiskFull(
                mark(
                    "The disk is full or can't be written, so the export was given up. "
                    "Nothing of it was left."
                )
            ) from error
        raise
    finally:
        if not (whole and keep):
            shutil.rmtree(draft, ignore_errors=True)


def _refuse_if_too_small(place: Path, needed: int) -> None:
    free = shutil.disk_usage(place).free
    if needed > free:
        raise DiskFull(
            mark("The export needs {needed} MB, and {place} has {free} MB free."),
            needed=needed // 1_000_000 + 1,
            place=place,
            free=free // 1_000_000,
        )


def _version() -> str:
    from mlflow.version import VERSION

    return VERSION


def summary(found: Exported, workspace: str) -> str:
    return json.dumps(found.told(workspace), ensure_ascii=False, indent=2) + "\n"


def readme(workspace: str) -> str:
    """How to open the export, in both languages."""
    return _README.format(
        team=workspace,
        version=_version(),
        zh=(
            "这是一个团队在 MLflow 中的全部内容：实验、运行、指标、文件、模型与模型卡。"
            "在本文件夹中运行："
        ),
        zh_then=(
            "然后打开 http://127.0.0.1:5000 。运行的 ID 不变；团队自己的“Default”实验名为 "
            f"“{DEFAULT} ({workspace})”。"
        ),
        en=(
            "All that a team keeps in MLflow: experiments, runs, metrics, files, models and their "
            "cards. Run this in the folder:"
        ),
        en_then=(
            "Then open http://127.0.0.1:5000. Runs keep their ids; the team's own experiment "
            f"“Default” is called “{DEFAULT} ({workspace})”."
        ),
    )
