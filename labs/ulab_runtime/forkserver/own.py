"""A fork server of one's own for a while, beside the base's or where no base runs."""

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


class OwnForkServer:
    """Starts at once, imports, and serves the base's side until it is ended.

    It ends with the thread that made it, too.

    Parameters
    ----------
    modules
        What it imports.
    arguments
        Further arguments of ``python -m ulab_runtime.forkserver``.
    folder
        Where its own folder is made; a socket's path must be short.
    """

    def __init__(self, modules: Sequence[str], *arguments: str, folder: Path | None = None) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="ulab-", dir=folder)
        self.path = Path(self._place.name, "fork.sock")
        self._process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "ulab_runtime.forkserver", f"--for-base={self.path}",
                f"--scratch={self._place.name}/scratch", *arguments, *modules,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether it has imported everything and serves."""
        return self.alive() and greets(self.path)

    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._place.cleanup()


@contextmanager
def own_fork_server(
    modules: Sequence[str], *arguments: str, folder: Path | None = None
) -> Iterator[Path | None]:
    """Serve meanwhile; parameters are those of `OwnForkServer`.

    Yields
    ------
    Path or None
        Where to ask; None when it could not start, so that what needs it starts cold.
    """
    server = OwnForkServer(modules, *arguments, folder=folder)
    try:
        yield server.path if _gets_ready(server) else None
    finally:
        server.end()


def _gets_ready(server: OwnForkServer) -> bool:
    until = time.monotonic() + READY_S
    while server.alive() and time.monotonic() < until:
        if server.ready():
            return True
        time.sleep(LOOK_S)
    return False
