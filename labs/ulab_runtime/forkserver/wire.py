"""Messages between a fork server and its requesters: one JSON object a packet, and descriptors.

Protocol, over a unix SOCK_SEQPACKET socket:

1. server: ``{"nonce", "modules"}``; the modules are the top-level names it has imported
2. requester: ``{"nonce", "module", "argv", "env", "cwd"}`` with the child's standard output and
   error as descriptors; the base puts a pidfd of a process in the sandbox before these, and may put
   more behind them
3. server: ``{"refused"}`` with a `Refusal`, or ``{"pid"}`` (as the sandbox counts) with a pidfd
4. server, when the child has ended: ``{"ended"}``, its exit status as `subprocess` writes it
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_BYTES = 128 * 1024
MAX_DESCRIPTORS = 8
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7)


class Refusal(StrEnum):
    """Why a fork server does not fork."""

    MALFORMED = "malformed"
    """Too long, no JSON, or not what the protocol says."""
    IMPOSTOR = "impostor"
    """The request was not sent by the process that connected, or that process is gone."""
    NO_SANDBOX = "no-sandbox"
    """The requester, or the process it named, runs in no sandbox, or as root."""
    TOO_MANY = "too-many"
    """The sandbox asks too often."""
    STALE = "stale"
    """The environment was changed since the fork server imported it."""
    FAILED = "failed"
    """The child could not be put into the sandbox; the fork server's log says why."""


class Malformed(ValueError):
    """A packet that is not of this protocol."""


@dataclass(frozen=True)
class Packet:
    """What arrived.

    Parameters
    ----------
    message
        The JSON object; empty at the end of the connection.
    descriptors
        The receiver's to close.
    sender
        The kernel's word on who sent it, as seen from the receiver: pid, uid and gid. None when
        the socket doesn't ask for it.
    """

    message: dict[str, Any]
    descriptors: list[int]
    sender: tuple[int, int, int] | None = None


def send(connection: socket.socket, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one packet."""
    socket.send_fds(connection, [json.dumps(message).encode()], list(fds))


def receive(connection: socket.socket) -> Packet:
    """Receive one packet.

    Raises
    ------
    Malformed
        It is too long, carries too many descriptors, or is no JSON object. Its descriptors are
        closed.
    """
    space = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(4 * MAX_DESCRIPTORS)
    content, control, flags, _ = connection.recvmsg(MAX_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    descriptors, sender = _open(control)
    try:
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise Malformed("the packet is too long")
        if not content:
            return Packet({}, descriptors, sender)
        try:
            message = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Malformed("the packet is not JSON") from error
        if not isinstance(message, dict):
            raise Malformed("the packet is not an object")
    except Malformed:
        close(descriptors)
        raise
    return Packet(message, descriptors, sender)


def _open(
    control: Sequence[tuple[int, int, bytes]],
) -> tuple[list[int], tuple[int, int, int] | None]:
    descriptors: list[int] = []
    sender = None
    for level, kind, data in control:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            descriptors += [
                number for (number,) in struct.iter_unpack("i", data[: len(data) // 4 * 4])
            ]
        elif kind == socket.SCM_CREDENTIALS:
            sender = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])
    return descriptors, sender


def close(descriptors: Sequence[int]) -> None:
    """Close them all, whatever is wrong with one."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def connected_peer(connection: socket.socket) -> tuple[int, int, int]:
    """The pid, uid and gid of the process that connected, at the time it did (SO_PEERCRED)."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return pid, uid, gid
