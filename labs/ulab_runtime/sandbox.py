"""Start a command in namespaces of its own, seeing only what it was given."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from ulab_runtime.environment import environment_mounts
from ulab_runtime.host import Host, SandboxUnavailable
from ulab_runtime.limits import Group, Limits, cgroups, run_name
from ulab_runtime.spec import Mount, SandboxSpec, account_files, command_line

__all__ = [
    "Finished",
    "Host",
    "Limits",
    "Mount",
    "Sandbox",
    "SandboxSpec",
    "SandboxUnavailable",
    "command_line",
    "environment_mounts",
    "run",
    "start",
]

TAIL_BYTES = 65536
# Enters the groups given before "--" (0 means the writer itself), then becomes what follows.
ENTER_GROUPS = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"'


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    Parameters
    ----------
    returncode
        Its exit status; 128 + n when signal n killed it.
    timed_out
        Whether it was ended because its time was up.
    oom_killed
        Whether one of its processes was killed because the memory limit was reached.
    stdout_tail
        The last 64 KiB of what it wrote, errors included.
    """

    returncode: int
    timed_out: bool
    oom_killed: bool
    stdout_tail: str


class Sandbox:
    """A running sandbox.

    Parameters
    ----------
    process
        The outermost process; when it dies, all inside die.
    group
        Its cgroups, where there are cgroups.
    """

    def __init__(self, process: subprocess.Popen[bytes], group: Group | None) -> None:
        self.process = process
        self.group = group

    def oom_killed(self) -> bool:
        return self.group is not None and self.group.oom_kills() > 0

    def end(self) -> None:
        """Kill everything inside and clean up; safe to repeat."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.group is not None:
            self.group.end()


def start(
    spec: SandboxSpec,
    host: Host | None = None,
    *,
    name: str | None = None,
    stdin: int | socket.socket | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = subprocess.STDOUT,
    pass_fds: Sequence[int] = (),
) -> Sandbox:
    """Start the command and return while it runs.

    Parameters
    ----------
    name
        Names its cgroups, so that a later life of the caller can find them; one sandbox at a
        time. None means a name of its own.
    pass_fds
        Open descriptors that the command inherits under the same numbers.

    Raises
    ------
    SandboxUnavailable
        The machine lacks what a sandbox needs.
    """
    host = host or Host.detect()
    where = cgroups()
    group = None
    if where is not None:
        group = Group.create(where, name or run_name(), spec.limits)
    uid, gid = spec.uid or os.geteuid(), spec.gid or os.getegid()
    try:
        with contextlib.ExitStack() as stack:
            texts = account_files(spec, uid, gid)
            fds = tuple(stack.enter_context(_in_memory(text)).fileno() for text in texts)
            command = command_line(
                spec, host, limit_memory=group is None, account_fds=(fds[0], fds[1])
            )
            if group is not None:
                command = ["/bin/sh", "-c", ENTER_GROUPS, "sh", *group.entrances, "--", *command]
            process = subprocess.Popen(
                command,
                env=dict(spec.env),
                cwd="/",
                stdin=stdin,  # type: ignore[arg-type]
                stdout=stdout,
                stderr=stderr,
                pass_fds=(*fds, *pass_fds),
                start_new_session=True,
            )
    except BaseException:
        # Also when the spec is refused: its groups are made by then.
        if group is not None:
            group.end()
        raise
    return Sandbox(process, group)


def _in_memory(text: str) -> IO[bytes]:
    file = os.fdopen(os.memfd_create("ulab"), "w+b")
    file.write(text.encode())
    file.flush()
    file.seek(0)
    return file


def run(spec: SandboxSpec, timeout_s: float, host: Host | None = None) -> Finished:
    """Run the command to its end, or until `timeout_s` is over; then nothing of it is left.

    Parameters
    ----------
    timeout_s
        Seconds of wall-clock time.
    """
    sandbox = start(spec, host, stdout=subprocess.PIPE)
    process = sandbox.process
    assert process.stdout is not None
    tail = bytearray()
    reader = threading.Thread(target=_keep_tail, args=(process.stdout, tail), daemon=True)
    reader.start()
    timed_out = False
    try:
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        oom_killed = sandbox.oom_killed()
    finally:
        sandbox.end()
        reader.join()
        process.stdout.close()
    code = process.returncode
    return Finished(
        returncode=128 - code if code < 0 else code,
        timed_out=timed_out,
        oom_killed=oom_killed,
        stdout_tail=tail.decode(errors="replace"),
    )


def _keep_tail(stream: IO[bytes], tail: bytearray) -> None:
    while block := os.read(stream.fileno(), TAIL_BYTES):
        tail += block
        del tail[:-TAIL_BYTES]
