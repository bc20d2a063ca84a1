"""A requester's connection to a fork server."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.target import Target

HURRY_S = 0.01


@dataclass
class Conversation:
    """A connection, and how far it has come.

    Parameters
    ----------
    sandbox
        What `Admission` knows its sandbox by; None for the base itself.
    until
        When patience ends, in seconds of the monotonic clock; None while a child runs.
    peer
        The process that connected; for the base, which names a sandbox in its request, None.
    inlet
        While a child is on its way into the sandbox: where it is said how that went.
    between
        The process that takes it there.
    """

    connection: socket.socket
    sandbox: int | None
    nonce: str
    until: float | None
    peer: Target | None = None
    inlet: int | None = None
    between: int | None = None

    @property
    def over(self) -> bool:
        return self.connection.fileno() < 0

    def speaks(self) -> bool:
        """Whether there is a message, of which nothing is kept; else the requester has left."""
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def tell(self, message: dict[str, object], fds: Sequence[int] = ()) -> bool:
        """Send a message; whether the requester is still there."""
        try:
            wire.send(self.connection, message, fds)
        except OSError:
            return False
        return True

    def close(self) -> None:
        with in_a_hurry():
            # A request that nobody read would take back from the requester what was said last.
            with suppress(OSError):
                self.connection.recv(1)
            self.connection.close()
        for descriptor in (self.inlet, self.peer.pidfd if self.peer else None):
            if descriptor is not None:
                os.close(descriptor)
        self.inlet = None


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Cut short what waits in here.

    Descriptors that were sent and not received are closed with a connection, and closing a socket
    can be made to wait for minutes (SO_LINGER). A signal ends that.
    """
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, HURRY_S, HURRY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
