"""A requester's connection to a fork server."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.target import Target


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
        Where the child, on its way into the sandbox, says how it went.
    """

    connection: socket.socket
    sandbox: int | None
    nonce: str
    until: float | None
    peer: Target | None = None
    inlet: int | None = None
    on_its_way: int | None = None

    def tell(self, message: dict[str, object], fds: Sequence[int] = ()) -> bool:
        """Send a message; whether the requester is still there."""
        try:
            wire.send(self.connection, message, fds)
        except OSError:
            return False
        return True
