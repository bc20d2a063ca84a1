"""Adds a data set in a process of its own, so that whoever serves people isn't slowed or filled."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import die_with_parent
from ulab_datasets import errors, own
from ulab_datasets.card import Card
from ulab_datasets.errors import DataMismatch

MEMORY_MB = 4096
"""What reading a table may take; arrays and other files are mapped or copied, and need little."""


def add(
    root: Path,
    name: str,
    files: Mapping[str, BinaryIO],
    told: own.Told,
    *,
    quota: int | None,
    memory_mb: int = MEMORY_MB,
) -> Card:
    """As `ulab_datasets.own.add`, with files that have descriptors, in so much memory.

    Raises
    ------
    DataMismatch
        Also when a table needs more memory.
    """
    numbers = {path: file.fileno() for path, file in files.items()}
    job = {
        "root": str(root),
        "name": name,
        "files": numbers,
        "memory_mb": memory_mb,
        "told": dataclasses.asdict(told),
        "quota": quota,
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ulab_datasets.apart"],
        input=json.dumps(job).encode(),
        stdout=subprocess.PIPE,
        pass_fds=list(numbers.values()),
        env=_environment(),
        check=False,
    )
    try:
        said = json.loads(done.stdout)
    except ValueError:
        # Libraries that get no memory may end the process.
        said = _said(_too_large(name, memory_mb))
    if said is not None:
        kind = getattr(errors, said["kind"], UserError)
        raise kind(said["message"], **said["values"])
    return own.own_card(root, name)


def _environment() -> dict[str, str]:
    # No tokens, for what reads strangers' files; and each thread of a numerical library would have
    # memory of its own.
    known = {name: value for name, value in os.environ.items() if "JUPYTERHUB_" not in name}
    return {**known, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _main() -> None:
    die_with_parent()
    job = json.load(sys.stdin)
    most = job["memory_mb"] << 20
    # Not the address space: files that are mapped to be read take none of what is limited here.
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    said = None
    try:
        files = {path: os.fdopen(number, "rb") for path, number in job["files"].items()}
        own.add(Path(job["root"]), job["name"], files, own.Told(**job["told"]), quota=job["quota"])
    except UserError as error:
        said = _said(error)
    except MemoryError:
        said = _said(_too_large(job["name"], job["memory_mb"]))
    json.dump(said, sys.stdout)


def _too_large(name: str, memory_mb: int) -> DataMismatch:
    return DataMismatch(
        mark(
            "Data set {name}: reading its table takes more than {most} MB of memory. Nothing was "
            "changed; divide the table, or bring it as .npy files."
        ),
        name=name,
        most=memory_mb,
    )


def _said(error: UserError) -> dict[str, Any]:
    values = {
        name: value if isinstance(value, int | float) else str(value)
        for name, value in error.values.items()
    }
    return {"kind": type(error).__name__, "message": error.message, "values": values}


if __name__ == "__main__":
    _main()
