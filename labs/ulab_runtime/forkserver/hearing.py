"""Read a request, and make sure of who sent it.

Only in the process in between, which is forked for each request: what a request says, such as the
tokens in its environment, must not get into the memory that other requesters' children inherit.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.request import ForkRequest
from ulab_runtime.forkserver.target import NoSuchTarget, Target, is_alive, pid_of
from ulab_runtime.forkserver.wire import Malformed

STANDARD = 2
"""Every request comes with the child's standard output and error."""


class Impostor(Exception):
    """The request was not sent by who connected."""


@dataclass(frozen=True)
class Asked:
    """A request that is to be granted.

    Parameters
    ----------
    target
        Whose sandbox the child joins.
    given
        Descriptors of the child's: standard output, standard error, and from number 3 the rest.
    """

    request: ForkRequest
    target: Target
    given: Sequence[int]


def hear(connection: socket.socket, nonce: str, peer: Target | None) -> Asked:
    """Receive a request.

    Parameters
    ----------
    nonce
        What the requester was told.
    peer
        The process that connected; None on the base's own socket.

    Raises
    ------
    Malformed
        It isn't what the protocol says.
    Impostor
        Somebody else sent it.
    """
    packet = wire.receive(connection)
    request = ForkRequest.of(packet.message)
    if request.nonce != nonce:
        raise Malformed("it answers another greeting")
    try:
        target, given = _target(packet, peer)
    except NoSuchTarget as error:
        raise Impostor(str(error)) from None
    if len(given) < STANDARD:
        raise Malformed("it brings no output descriptors")
    return Asked(request, target, given)


def _target(packet: wire.Packet, peer: Target | None) -> tuple[Target, Sequence[int]]:
    """Whose sandbox the child joins, and the descriptors that it is given.

    The request repeats a nonce that was sent after the pidfd was opened. So when the kernel
    says that the sender has the number of the process that connected, and that process still
    lives, they are one: a number can't have been used again in between.
    """
    if peer is not None:
        if packet.sender is None or packet.sender[0] != peer.pid or not is_alive(peer.pidfd):
            raise NoSuchTarget("the sender is not who connected")
        return peer, packet.descriptors
    if packet.sender is None or not _is_the_base(packet.sender):
        raise NoSuchTarget("the sender is not the base")
    if not packet.descriptors:
        raise Malformed("it names no sandbox")
    pidfd, *given = packet.descriptors
    return Target(pid_of(pidfd), pidfd), given


def _is_the_base(sender: tuple[int, int, int]) -> bool:
    """Whether a sender is of our user and in no sandbox, since sandboxes may have that user too."""
    pid, uid, _ = sender
    if uid != os.geteuid() or pid <= 0:
        return False
    try:
        return Target(pid, -1).namespace("pid") == Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return False
