"""A process of the judge's in a sandbox of its own: forked where it can be, else started cold."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ulab_runtime.forkserver.client import ForkedProcess, NotForked, fork
from ulab_runtime.forkserver.target import is_alive
from ulab_runtime.lives import command_in_sandbox
from ulab_runtime.sandbox import Sandbox, SandboxSpec, start
from ulab_runtime.waiting import NotSetUp, not_set_up, start_waiting

LOG_TAIL = 16 * 1024
FIRST_LINE = 3
"""The number that the first of its lines has in a forked process; the others follow."""


@dataclass
class Seat:
    """Who sits there, and how to end it.

    Parameters
    ----------
    sandbox
        Ended with everything in it.
    pidfd
        Of the process.
    process
        The process when it was forked; it has to be told when nobody waits for it.
    log
        A file in memory with what it wrote past Python.
    """

    sandbox: Sandbox
    pidfd: int
    process: ForkedProcess | None
    log: int

    def alive(self) -> bool:
        return is_alive(self.pidfd)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGINT)

    def out_of_memory(self) -> bool:
        """Whether something in the sandbox was killed for want of memory."""
        return self.sandbox.oom_killed()

    def said(self) -> str:
        """The end of what it wrote to its standard output and error."""
        size = os.fstat(self.log).st_size
        return os.pread(self.log, LOG_TAIL, max(0, size - LOG_TAIL)).decode(errors="replace")

    def end(self) -> None:
        self.sandbox.end()
        if self.process is not None:
            self.process.abandon()
        else:
            os.close(self.pidfd)
        os.close(self.log)


def take_seat(
    spec: SandboxSpec, parents: Sequence[Path], module: str, lines: Sequence[socket.socket]
) -> Seat:
    """Have `module` run in a sandbox, with its ends of some lines, which the caller may close then.

    Parameters
    ----------
    spec
        The sandbox; its command is what a cold start runs.
    parents
        The sockets of fork servers, to be asked one after the other; then it starts cold.
    module
        Its ``main()`` is called with the numbers of its lines as arguments.

    Raises
    ------
    SandboxUnavailable
        The machine lacks what a sandbox needs.
    """
    log = os.memfd_create("log")
    try:
        for parent in parents:
            with contextlib.suppress(NotForked):
                return _forked(spec, parent, module, lines, log)
        return _cold(spec, module, lines, log)
    except BaseException:
        os.close(log)
        raise


def _forked(
    spec: SandboxSpec, fork_server: Path, module: str, lines: Sequence[socket.socket], log: int
) -> Seat:
    waiting = start_waiting(spec, stdout=log)
    try:
        inside = waiting.pidfd()
        try:
            process = fork(
                fork_server,
                module=module,
                argv=[str(FIRST_LINE + number) for number in range(len(lines))],
                env=spec.env,
                cwd=spec.cwd,
                descriptors=[log, log, *(line.fileno() for line in lines)],
                sandbox=inside,
            )
        finally:
            os.close(inside)
        waiting.stay()
    except BaseException:
        waiting.sandbox.end()
        raise
    return Seat(waiting.sandbox, process.pidfd, process, log)


def _cold(spec: SandboxSpec, module: str, lines: Sequence[socket.socket], log: int) -> Seat:
    numbers = [line.fileno() for line in lines]
    command = [sys.executable, "-m", module, *map(str, numbers)]
    # bubblewrap ends with its command, so nobody holds the lines open when that has ended.
    sandbox = start(dataclasses.replace(spec, command=command), stdout=log, pass_fds=numbers)
    try:
        return Seat(sandbox, _pidfd(sandbox), None, log)
    except BaseException:
        sandbox.end()
        raise


def _pidfd(sandbox: Sandbox) -> int:
    while sandbox.process.poll() is None:
        if (inside := command_in_sandbox(sandbox.process.pid)) is not None:
            with contextlib.suppress(ProcessLookupError):
                return os.pidfd_open(inside)
    raise not_set_up()


__all__ = ["NotSetUp", "Seat", "take_seat"]
