"""A fork server of one's own for a while, where no base runs one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ulab_runtime.forkserver.client import greets

READY_S = 120.0
LOOK_S = 0.05


@contextmanager
def own_fork_server(
    modules: Sequence[str], *arguments: str, folder: Path | None = None
) -> Iterator[Path | None]:
    """Serve the base's side meanwhile.

    Parameters
    ----------
    modules
        What it imports.
    arguments
        Further arguments of ``python -m ulab_runtime.forkserver``.
    folder
        Where its own folder is made; a socket's path must be short.

    Yields
    ------
    Path or None
        Where to ask; None when it could not start, so that what needs it starts cold.
    """
    with tempfile.TemporaryDirectory(prefix="ulab-", dir=folder) as place:
        path = Path(place, "fork.sock")
        process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "ulab_runtime.forkserver", f"--for-base={path}",
                f"--scratch={place}/scratch", *arguments, *modules,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield path if _is_ready(process, path) else None
        finally:
            process.terminate()
            process.wait()


def _is_ready(process: subprocess.Popen[bytes], path: Path) -> bool:
    until = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < until:
        if greets(path):
            return True
        time.sleep(LOOK_S)
    return False
