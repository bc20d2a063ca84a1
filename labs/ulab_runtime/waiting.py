"""A sandbox that is set up before it is known how its program starts: forked into it, or cold."""

from __future__ import annotations

import dataclasses
import os
import select
import socket
from collections.abc import Sequence
from typing import IO

from ulab_core.i18n import mark
from ulab_runtime.host import Host, SandboxUnavailable
from ulab_runtime.lives import command_in_sandbox
from ulab_runtime.sandbox import Sandbox, start
from ulab_runtime.spec import SandboxSpec

SET_UP_S = 30.0
# Says that the sandbox stands, and then does what it is told; nothing if nobody tells it.
WAIT = (
    "echo ready >&0; read -r word || exit 1; case $word in "
    'cold) exec "$@" </dev/null;; warm) exec sleep infinity </dev/null;; esac'
)


class NotSetUp(SandboxUnavailable):
    """The sandbox ended before anything could run in it."""


def not_set_up() -> NotSetUp:
    return NotSetUp(
        mark(
            "The sandbox for your server could not be set up. Tell an administrator: "
            "“ulab doctor” says what this machine lacks."
        )
    )


class WaitingSandbox:
    """A sandbox whose command has not begun.

    Parameters
    ----------
    sandbox
        As `ulab_runtime.sandbox.start` gave it.
    """

    def __init__(self, sandbox: Sandbox, line: socket.socket) -> None:
        self.sandbox = sandbox
        self._line = line

    def pidfd(self) -> int:
        """A pidfd of a process inside, the caller's to close, for a fork server.

        Raises
        ------
        NotSetUp
            The sandbox has ended.
        """
        # Below a child of ours that hasn't been reaped no number can be used again.
        inside = command_in_sandbox(self.sandbox.process.pid)
        if inside is None:
            raise not_set_up()
        return os.pidfd_open(inside)

    def run_cold(self) -> None:
        """Run the command that the sandbox was specified with."""
        self._tell(b"cold\n")

    def stay(self) -> None:
        """Only keep the sandbox, in which something else runs now."""
        self._tell(b"warm\n")

    def _tell(self, word: bytes) -> None:
        with self._line:
            self._line.sendall(word)


def start_waiting(
    spec: SandboxSpec,
    host: Host | None = None,
    *,
    name: str | None = None,
    stdout: int | IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
) -> WaitingSandbox:
    """Set up a sandbox, and return when it stands.

    Raises
    ------
    NotSetUp
        It ended at once; its output says why.
    SandboxUnavailable
        The machine lacks what a sandbox needs.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        waiting = dataclasses.replace(spec, command=["/bin/sh", "-c", WAIT, "sh", *spec.command])
        sandbox = start(waiting, host, name=name, stdin=theirs, stdout=stdout, pass_fds=pass_fds)
    if not select.select([ours], [], [], SET_UP_S)[0] or not ours.recv(64):
        ours.close()
        sandbox.end()
        raise not_set_up()
    return WaitingSandbox(sandbox, ours)
