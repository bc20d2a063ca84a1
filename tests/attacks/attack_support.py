"""Real fork servers, and real sandboxes with someone in them, for tests that attack."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integration.sandbox_support import Student, as_ordinary_user

from ulab_core.process import children
from ulab_runtime.forkserver.client import FORK_SERVERS
from ulab_runtime.lives import command_in_sandbox
from ulab_runtime.sandbox import Mount, SandboxSpec
from ulab_runtime.sandbox import start as start_sandbox

SECRET = "t0ken-of-the-base-that-no-child-may-see"
INSIDE = Path(__file__).with_name("inside.py")
PRELOADED = ("json", "random", "multiprocessing", "numpy", "ulab_runtime.kernel")
ANSWER_S = 30.0
TEAM_GROUPS = (630_001, 630_002)
"""The groups of the teams that everybody is in."""
SPACES: list[int] = []
"""PID namespaces, kept so that none has the number of an earlier test's, which may be exhausted."""
# Starts the sandbox that it is told of, with its own standard input and output.
START_SANDBOX = """
import json, sys
from pathlib import Path
from ulab_runtime.sandbox import Limits, Mount, SandboxSpec, start
given = json.loads(sys.argv[1])
given["mounts"] = [Mount(Path(m["source"]), m["target"], m["writable"]) for m in given["mounts"]]
given["limits"] = Limits(**given["limits"])
start(SandboxSpec(**given), stdin=0, stdout=1, stderr=2).process.wait()
"""


def until(holds: Callable[[], object], patience_s: float = 15.0) -> bool:
    """Wait for something; whether it came."""
    end = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Base:
    """A fork server and the folder it is in, of root's or of an ordinary user's.

    Parameters
    ----------
    folder
        Closed to others, as a state directory is.
    """

    def __init__(self, folder: Path, by_root: bool) -> None:
        self.by_root = by_root
        self.folder = folder
        self.shown = folder / "fork"
        self.shown.mkdir()
        self.homes = folder / "homes"
        self.homes.mkdir()
        self.as_user = [] if by_root else as_ordinary_user(folder)
        if not by_root and os.geteuid() == 0:
            for path in (folder, self.shown, self.homes):
                os.chown(path, *[Student(folder, "owner", 0, by_root).host_uid] * 2)
                (folder / "owner").rmdir()
        self.for_sandboxes = self.shown / "kernel.sock"
        self.for_base = folder / "base.sock"
        self.log = folder.parent / f"{folder.name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *self.as_user, sys.executable, "-P", "-m", "ulab_runtime.forkserver",
                    f"--for-sandboxes={self.for_sandboxes}", f"--for-base={self.for_base}",
                    f"--scratch={folder / 'scratch'}", *PRELOADED,
                ],
                env=os.environ | {"JUPYTERHUB_API_TOKEN": SECRET},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        assert until(lambda: b"Serving" in self.log.read_bytes()), self.log.read_text()
        self.pid = self._server()

    def _server(self) -> int:
        """The server itself, below the programs that made an ordinary user of it."""
        pid = self.process.pid
        while Path(f"/proc/{pid}/comm").read_text().strip() == "bwrap":
            (pid,) = children(pid)
        return pid

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def children(self) -> list[int]:
        return children(self.pid)

    def children_in(self, inhabited: Inhabited, number: int) -> list[int]:
        """Those that were forked into a sandbox, of which so many are expected."""
        space = space_of(inhabited.pid)

        def found() -> list[int]:
            return [pid for pid in self.children() if space_of(pid) == space]

        # A child becomes the server's a moment after its requester hears of it.
        assert until(lambda: len(found()) == number)
        return found()

    def lives(self) -> bool:
        """Whether it serves as if nothing had been."""
        return self.process.poll() is None and self.python(
            f"result = client.greets(Path({str(self.for_base)!r}))"
        )

    def python(self, code: str, *descriptors: int) -> Any:
        """Run code as the base: its user, in no sandbox; and give back its `result`."""
        prelude = (
            "import json, os, socket, sys\nfrom pathlib import Path\n"
            "from ulab_runtime.forkserver import client, wire\n"
        )
        done = subprocess.run(
            [*self.as_user, sys.executable, "-c", f"{prelude}{code}\nprint(json.dumps(result))"],
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_S,
            pass_fds=descriptors,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def end(self) -> None:
        if self.process.poll() is None:
            os.kill(self.pid, 15)
            self.process.wait(20)


class Inhabited:
    """A sandbox of a student's with an agent in it that runs what it is told."""

    def __init__(self, base: Base, student: Student, more: Sequence[Mount] = ()) -> None:
        self.student = student
        (student.home / "inside.py").write_bytes(INSIDE.read_bytes())
        spec = student.spec([sys.executable, "-m", "inside"])
        env = {**spec.env, "PYTHONPATH": spec.cwd, "PYTHONDONTWRITEBYTECODE": "1"}
        mounts = (*spec.mounts, Mount(base.shown, FORK_SERVERS), *more)
        groups = TEAM_GROUPS if base.by_root else ()
        spec = dataclasses.replace(spec, env=env, mounts=mounts, groups=groups)
        ours, theirs = socket.socketpair()
        ours.settimeout(ANSWER_S)
        self._line, self._file = ours, ours.makefile("rw")
        with theirs:
            self._end, self.outermost = self._start(base, spec, theirs)
        self.python("pass")
        SPACES.append(os.open(f"/proc/{self.pid}/ns/pid", os.O_RDONLY))

    def _start(
        self, base: Base, spec: SandboxSpec, line: socket.socket
    ) -> tuple[Callable[[], object], int]:
        log = subprocess.DEVNULL
        if base.by_root or os.geteuid() != 0:
            sandbox = start_sandbox(spec, self.student.host, stdin=line, stdout=log)
            return sandbox.end, sandbox.process.pid
        given = json.dumps(dataclasses.asdict(spec), default=str)
        process = subprocess.Popen(
            [*base.as_user, sys.executable, "-c", START_SANDBOX, given],
            stdin=line,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def end() -> None:
            process.kill()
            process.wait()

        return end, process.pid

    @property
    def pid(self) -> int:
        """The agent's number on the host."""
        found = command_in_sandbox(self.outermost)
        assert found is not None
        return found

    def tell(self, code: str) -> None:
        """Have the agent run code, without waiting for what comes of it."""
        self._file.write(json.dumps(code) + "\n")
        self._file.flush()

    def hear(self) -> Any:
        answer = json.loads(self._file.readline() or '{"error": "the agent has ended"}')
        assert "error" not in answer, answer
        return answer["result"]

    def python(self, code: str) -> Any:
        """Have the agent run code, and give back its `result`."""
        self.tell(code)
        return self.hear()

    def processes(self) -> set[int]:
        """The numbers, inside, of all its processes."""
        numbers = self.python("result = [int(n) for n in os.listdir('/proc') if n.isdigit()]")
        return set(numbers)

    def end(self) -> None:
        self._file.close()
        self._line.close()
        self._end()


@contextmanager
def running(folder: Path, by_root: bool) -> Iterator[Base]:
    folder.mkdir(mode=0o700)
    base = Base(folder, by_root)
    try:
        yield base
    finally:
        base.end()


def space_of(pid: int) -> str:
    """The PID namespace of a process; empty when it has gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


def fields(status: str) -> Mapping[str, str]:
    """The lines of a ``/proc/<pid>/status``."""
    pairs = (line.partition(":\t") for line in status.splitlines())
    return {name: value for name, _, value in pairs}
