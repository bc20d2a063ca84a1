"""A real fork server of kernels, and a sandbox in which a program has kernels of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integration.sandbox_support import Student

from ulab_runtime.forkserver.client import FORK_SERVERS, SOCKET_VARIABLE, greets
from ulab_runtime.kernel import KERNELS
from ulab_runtime.own_packages import CUSTOMIZATION, VARIABLE
from ulab_runtime.sandbox import Limits, Mount, start

MODULES = (
    "ulab_runtime.kernel", "ipykernel.kernelapp", "debugpy.server", "numpy", "matplotlib.pyplot",
    "torch",
)  # fmt: skip
REHEARSAL = "ulab_runtime.kernel_rehearsal:rehearse"
PROGRAMS = "/srv/programs"
MEMORY_MB = 4096


class KernelServer:
    """A fork server whose children are kernels.

    Parameters
    ----------
    folder
        Where its socket is made.
    scratch
        Is its home, and in no sandbox.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.scratch = scratch
        self.socket = folder / "kernel.sock"
        folder.mkdir(mode=0o755)
        self.start()

    def start(self) -> None:
        command = [
            sys.executable, "-P", "-m", "ulab_runtime.forkserver",
            "--for-sandboxes", str(self.socket), "--scratch", str(self.scratch),
            f"--rehearse={REHEARSAL}", *MODULES,
        ]  # fmt: skip
        self.process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while not greets(self.socket):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as the system would for want of memory."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Inside:
    """A program in a sandbox, told act by act what to do."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, act: str, *arguments: Any) -> Any:
        """Have it do one act and give back what came of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = json.dumps({"act": act, "arguments": arguments})
        self._process.stdin.write(request.encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"failed": "it has ended"}')
        assert "failed" not in answer, answer["failed"]
        return answer["result"]


@contextlib.contextmanager
def inside(student: Student, server: KernelServer, program: str) -> Iterator[Inside]:
    """Run one of the programs beside this file in a sandbox that sees the fork server."""
    spec = student.spec([sys.executable, f"{PROGRAMS}/{program}"])
    spec = student.spec(
        spec.command,
        mounts=(
            *spec.mounts,
            Mount(server.folder, FORK_SERVERS),
            Mount(Path(__file__).parent, PROGRAMS),
        ),
        env={
            **spec.env,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "TZ": "Asia/Shanghai",
            "JUPYTER_PATH": str(KERNELS.parent),
            "PYTHONPATH": str(CUSTOMIZATION),
            SOCKET_VARIABLE: f"{FORK_SERVERS}/kernel.sock",
            "ULAB_MEMORY_MB": str(MEMORY_MB),
            "ULAB_LANGUAGE": "en",
            VARIABLE: sys.prefix,
        },
        limits=Limits(memory_mb=MEMORY_MB, cpus=2.0, processes=256, file_mb=64),
    )
    errors = os.fdopen(os.dup(2), "wb")
    sandbox = start(
        spec, student.host, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
    )
    try:
        yield Inside(sandbox.process)
    finally:
        sandbox.end()
        errors.close()
