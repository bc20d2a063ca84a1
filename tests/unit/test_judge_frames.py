"""A message that comes in drops has no more time than one that comes whole."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from ulab_runtime.judge.frames import pack, receive

MESSAGE = {"status": "ok", "text": "x" * 2000}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_message_is_read_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(pack(MESSAGE))
    assert receive(ours, within_s=60) == MESSAGE


def test_drops_do_not_make_the_time_longer(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    over = threading.Event()

    def trickle() -> None:
        for byte in pack(MESSAGE):
            if over.wait(0.02):
                return
            theirs.send(bytes([byte]))
        theirs.close()

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        with pytest.raises(TimeoutError):
            receive(ours, within_s=0.3)
    finally:
        over.set()
        thread.join()
