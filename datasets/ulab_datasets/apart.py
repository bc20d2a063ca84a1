"""Adds a data set in a process of its own, so that whoever serves people isn't slowed or filled."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import die_with_parent
from ulab_datasets import adding, errors, own
from ulab_datasets.adding import Told
from ulab_datasets.card import Card, Described
from ulab_datasets.errors import AddingFailed, DataMismatch, DatasetError

MEMORY_MB = 4096
"""What reading a table may take; arrays and other files are mapped or copied, and need little."""
TIME_S = 1800
"""How long all of it may take, waiting for others who add to the same store included."""
_NO_MEMORY = ("MemoryError", "out of memory", "bad_alloc", "Cannot allocate memory")
"""What Python, pandas, C++ and the system say where there is no memory."""


def add(
    root: Path,
    name: str,
    files: Mapping[str, BinaryIO],
    told: Told,
    *,
    quota: int | None,
    memory_mb: int = MEMORY_MB,
    time_s: float = TIME_S,
) -> Card:
    """As `ulab_datasets.adding.add`, with files that have descriptors, in so much memory.

    Raises
    ------
    DataMismatch
        Also when a table needs more memory.
    AddingFailed
        It took too long, or the process was ended by something else.
    """
    numbers = {path: file.fileno() for path, file in files.items()}
    job = {
        "root": str(root),
        "name": name,
        "files": numbers,
        "memory_mb": memory_mb,
        "card": told.card.model_dump(mode="json"),
        "by": told.by,
        "quota": quota,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ulab_datasets.apart"],
            input=json.dumps(job).encode(),
            capture_output=True,
            pass_fds=list(numbers.values()),
            env=_environment(),
            timeout=time_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AddingFailed(
            mark(
                "Data set {name}: adding it took more than {most} minutes and was ended. Nothing "
                "was changed; try again when the machine has less to do, or bring less at once."
            ),
            name=name,
            most=round(time_s / 60),
        ) from None
    # For the log of whoever called: what is said to people is short.
    sys.stderr.write(done.stderr.decode(errors="replace"))
    try:
        said = json.loads(done.stdout)
    except ValueError:
        raise why_ended(
            name, done.returncode, done.stderr.decode(errors="replace"), memory_mb
        ) from None
    if said is not None:
        kind = getattr(errors, said["kind"], UserError)
        raise kind(said["message"], **said["values"])
    return own.own_card(root, name)


def why_ended(name: str, code: int, last_words: str, memory_mb: int) -> DatasetError:
    """Why a process ended that told nothing itself.

    Parameters
    ----------
    code
        Its exit code; the negative number of the signal that ended it.
    last_words
        What it wrote to its standard error.
    memory_mb
        What it could have.
    """
    # Libraries that get no memory may end the process, by a signal or not.
    if any(words in last_words for words in _NO_MEMORY):
        return _too_large(name, memory_mb)
    if code == -signal.SIGKILL:
        return AddingFailed(
            mark(
                "Data set {name}: the process that took it was killed, as the system does when the "
                "machine has no memory left. Nothing was changed; try again when it has less to do."
            ),
            name=name,
        )
    how = signal.Signals(-code).name if code < 0 else code
    return AddingFailed(
        mark(
            "Data set {name}: the process that took it broke down ({how}), and not for want of "
            "memory as far as it said. Nothing was changed; an administrator finds more in the "
            "portal's log."
        ),
        name=name,
        how=how,
    )


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
        told = Told(Described.model_validate(job["card"]), job["by"])
        adding.add(Path(job["root"]), job["name"], files, told, quota=job["quota"])
    except UserError as error:
        # pandas calls it an error of the table.
        of_memory = any(words in str(error.__cause__) for words in _NO_MEMORY)
        said = _said(_too_large(job["name"], job["memory_mb"]) if of_memory else error)
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
