"""Unix sockets that a fork server listens on, and who connects."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.target import Target

BACKLOG = 512


def listen(path: Path, mode: int) -> socket.socket:
    """A listening socket at `path`, which takes the place of one that an earlier life left."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(beside))
    beside.chmod(mode)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    beside.replace(path)
    return listener


def accept(listener: socket.socket) -> socket.socket | None:
    """The next connection, on which the kernel says who sends; None when there is none."""
    try:
        connection, _ = listener.accept()
    except OSError:
        return None  # it has left again, or there are too many open files
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return connection


def peer_of(connection: socket.socket) -> Target | None:
    """The process that connected, or None when it can't be held: mostly because it has ended."""
    pid, _, _ = wire.connected_peer(connection)
    try:
        return Target(pid, os.pidfd_open(pid))
    except OSError:
        return None
