"""Fork servers that hold only one file of a test's for the environment they watch.

Whoever works on the checkout meanwhile then doesn't make them stale, and a test can.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ulab_runtime.forkserver.client import greets
from ulab_runtime.forkserver.threads import NONE_IN_THE_PARENT

PROGRAM = """
import os, sys
del sys.path[0]
os.environ.update({variables!r})
from pathlib import Path
from ulab_runtime.forkserver import stamp
stamp.environment_stamp = lambda: {{"watched": Path({watched!r}).stat().st_mtime_ns}}
from ulab_runtime.forkserver.__main__ import main
main()
"""
# Lines for the hub's configuration file: the same commands, but for the program.
CONFIG = """
for service in c.JupyterHub.services:
    if service["name"].startswith("fork-server-"):
        service["command"] = [*{program!r}, *service["command"][4:]]
"""
WARM_S = 90


def program(watched: Path) -> list[str]:
    """The beginning of a fork server's command line, which its arguments follow.

    Parameters
    ----------
    watched
        A file; the fork server is stale once its time has changed.
    """
    code = PROGRAM.format(watched=str(watched), variables=NONE_IN_THE_PARENT)
    return [sys.executable, "-Xfrozen_modules=off", "-c", code, "--clean"]


def wait_until(holds: Callable[[], bool], within_s: float, what: str) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


@contextmanager
def kernel_fork_server(socket: Path, folder: Path, modules: Sequence[str] = ()) -> Iterator[None]:
    """Serve kernels on a socket meanwhile.

    Parameters
    ----------
    folder
        Where it may write.
    """
    watched = folder / "watched"
    watched.touch()
    command = [
        *program(watched), f"--for-sandboxes={socket}", f"--scratch={folder / 'scratch'}",
        "ulab_runtime.kernel", "ipykernel.kernelapp", *modules,
    ]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: greets(socket), WARM_S, "the fork server does not answer")
        yield
    finally:
        process.terminate()
        process.wait()
