"""Messages on a stream socket: four bytes of length, then one msgpack map, read strictly."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

import msgpack

MEBIBYTE = 1024 * 1024
LINK_LIMIT = 64 * MEBIBYTE
CONTROL_LIMIT = 16 * MEBIBYTE
ELEMENTS_LIMIT = 4_000_000
"""How many things one message may hold: a byte of a message can become many of memory."""
KEYS_LIMIT = 64
_LENGTH = struct.Struct(">I")
_PIECE = MEBIBYTE


class Broken(Exception):
    """What was read is no message."""


class TooLong(Broken):
    """A message is longer than it may be."""


class Ended(EOFError):
    """The other side has closed the socket."""


def pack(message: dict[str, Any], limit_bytes: int = LINK_LIMIT) -> bytes:
    """A message as its bytes, with its length before it.

    Raises
    ------
    Broken
        It holds what msgpack knows nothing of.
    TooLong
        It is longer than `limit_bytes`.
    """
    try:
        body = msgpack.packb(
            message, use_bin_type=True, strict_types=True, unicode_errors="surrogatepass"
        )
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Broken(str(error)) from None
    if len(body) > limit_bytes:
        raise TooLong(f"{len(body)} bytes, {limit_bytes} are allowed")
    return _LENGTH.pack(len(body)) + body


def unpack(body: bytes | bytearray) -> dict[str, Any]:
    """The message that these bytes, without the length, are.

    Raises
    ------
    Broken
        They are none.
    """
    count = _Count()
    try:
        message = msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=True,
            unicode_errors="surrogatepass",
            object_pairs_hook=count.pairs,
            list_hook=count.listed,
            max_array_len=min(len(body), ELEMENTS_LIMIT),
            max_map_len=KEYS_LIMIT,
            max_ext_len=0,
        )
    except Broken:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise Broken(f"{type(error).__name__}: {error}"[:200]) from None
    if type(message) is not dict:
        raise Broken("no map")
    return message


class _Count:
    """Counts what a message holds while it is read, and gives up in time."""

    def __init__(self) -> None:
        self._left = ELEMENTS_LIMIT

    def listed(self, found: list[Any]) -> list[Any]:
        # A list costs more than what is in it.
        self._left -= len(found) + 4
        if self._left < 0:
            raise Broken("too many elements")
        return found

    def pairs(self, found: list[tuple[Any, Any]]) -> dict[Any, Any]:
        self._left -= 2 * len(found) + 8
        made = dict(found)
        if len(made) != len(found) or self._left < 0:
            raise Broken("a key twice, or too many elements")
        return made


def send(sock: socket.socket, message: dict[str, Any], limit_bytes: int = LINK_LIMIT) -> None:
    """Send a message.

    Raises
    ------
    Broken, TooLong
        As `pack` says; nothing was sent then.
    Ended
        Nobody reads it.
    """
    packed = pack(message, limit_bytes)
    try:
        sock.sendall(packed)
    except (BrokenPipeError, ConnectionResetError):
        raise Ended from None


def receive(
    sock: socket.socket, limit_bytes: int = LINK_LIMIT, within_s: float | None = None
) -> dict[str, Any]:
    """Wait for a message and read it.

    Parameters
    ----------
    within_s
        How long all of it may take; else the socket's own timeout is for each piece.

    Raises
    ------
    Broken
        What came is no message; what comes next is of no use either.
    TooLong
        It says to be longer than `limit_bytes`; nothing of it was read.
    Ended
        The other side closed, perhaps in the middle.
    TimeoutError
        It has not come in time; what has come of it is lost.
    """
    until = None if within_s is None else time.monotonic() + within_s
    head = _read(sock, _LENGTH.size, until)
    return unpack(_read(sock, _length(head, limit_bytes), until))


def send_with_descriptors(
    sock: socket.socket,
    message: dict[str, Any],
    descriptors: Sequence[int],
    limit_bytes: int = CONTROL_LIMIT,
) -> None:
    """Send a message, and descriptors with its first bytes.

    Raises
    ------
    Broken, TooLong, Ended
        As `send` says.
    """
    packed = pack(message, limit_bytes)
    try:
        sent = socket.send_fds(sock, [packed], list(descriptors))
        sock.sendall(packed[sent:])
    except (BrokenPipeError, ConnectionResetError):
        raise Ended from None


def receive_with_descriptors(
    sock: socket.socket, most: int, limit_bytes: int = CONTROL_LIMIT
) -> tuple[dict[str, Any], list[int]]:
    """Wait for a message and the descriptors that came with it, which are the caller's to close.

    Raises
    ------
    Broken, TooLong, Ended
        As `receive` says.
    """
    try:
        head, descriptors, _, _ = socket.recv_fds(sock, _LENGTH.size, most)
    except ConnectionResetError:
        raise Ended from None
    if not head:
        raise Ended
    head += _read(sock, _LENGTH.size - len(head))
    return unpack(_read(sock, _length(head, limit_bytes))), descriptors


def _length(head: bytes | bytearray, limit_bytes: int) -> int:
    length: int = _LENGTH.unpack(head)[0]
    if length > limit_bytes:
        raise TooLong(f"{length} bytes, {limit_bytes} are allowed")
    return length


def _read(sock: socket.socket, length: int, until: float | None = None) -> bytearray:
    # It grows with what has come: a length alone must not take memory.
    found = bytearray()
    while len(found) < length:
        if until is not None:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            sock.settimeout(left_s)
        try:
            piece = sock.recv(min(length - len(found), _PIECE))
        except ConnectionResetError:
            raise Ended from None
        if not piece:
            raise Ended
        found += piece
    return found
