"""The fork server's loop: greet, check, fork, and tell requesters how their children ended."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ulab_core.process import adopt_orphans
from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.admission import SILENT_S, Admission
from ulab_runtime.forkserver.birth import Child, give_birth
from ulab_runtime.forkserver.conversation import Conversation
from ulab_runtime.forkserver.listening import accept, listen
from ulab_runtime.forkserver.request import ForkRequest
from ulab_runtime.forkserver.stamp import environment_stamp
from ulab_runtime.forkserver.target import NoSuchTarget, Target, is_alive, pid_of
from ulab_runtime.forkserver.wire import Malformed, Refusal

log = logging.getLogger(__name__)
BIRTH_S = 20.0
"""How long a child may take to get into its sandbox before it is given up."""
STANDARD = 2
"""Every request comes with the child's standard output and error."""


class ForkServer:
    """Serves two unix sockets, of which either may be missing.

    Parameters
    ----------
    for_sandboxes
        Where processes in sandboxes ask. Anyone may connect who can reach it.
    for_base
        Where the base asks: processes of our own user in our own PID namespace.
    modules
        The top-level names that were imported; requesters compare them with their own packages.
    """

    def __init__(
        self, for_sandboxes: Path | None, for_base: Path | None, modules: Sequence[str]
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._admission = Admission()
        self._modules = list(modules)
        self._conversations: dict[int, Conversation] = {}
        self._running: dict[int, Conversation] = {}
        self._listeners: list[socket.socket] = []
        self._ended_early: dict[int, int] = {}
        self._stopping = False
        self._stamp = environment_stamp()
        for path, mode, greet in (
            (for_sandboxes, 0o666, self._greet_sandbox),
            (for_base, 0o600, self._greet_base),
        ):
            if path is not None:
                listener = listen(path, mode)
                self._listeners.append(listener)
                self._selector.register(listener, selectors.EVENT_READ, greet)

    def serve(self) -> Child | None:
        """Serve until told to stop.

        Returns
        -------
        Child or None
            In a forked child, in its sandbox: what it is to do. None in the server itself.
        """
        adopt_orphans()
        woken, wakes = os.pipe()
        for end in (woken, wakes):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        self._selector.register(woken, selectors.EVENT_READ, _drain)
        while not self._stopping:
            for key, _ in self._selector.select(self._patience()):
                act: Callable[[object], Child | None] = key.data
                child = act(key.fileobj)
                if child is not None:
                    return child
            self._reap()
            self._lose_patience()
        return None

    def _told_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _patience(self) -> float | None:
        ends = [c.until for c in self._conversations.values() if c.until is not None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _lose_patience(self) -> None:
        now = time.monotonic()
        for conversation in list(self._conversations.values()):
            if conversation.until is None or conversation.until > now:
                continue
            if conversation.on_its_way is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(conversation.on_its_way, signal.SIGKILL)
            self._refuse(conversation, Refusal.MALFORMED)

    def _greet_sandbox(self, listener: socket.socket) -> None:
        connection = accept(listener)
        if connection is None:
            return
        pid, _, _ = wire.connected_peer(connection)
        try:
            peer = Target(pid, os.pidfd_open(pid))
        except (ProcessLookupError, ValueError):
            connection.close()
            return
        try:
            sandbox = peer.namespace("pid")
        except OSError:
            sandbox = 0
        self._greet(connection, sandbox, peer)

    def _greet_base(self, listener: socket.socket) -> None:
        connection = accept(listener)
        if connection is not None:
            self._greet(connection, None, None)

    def _greet(self, connection: socket.socket, sandbox: int | None, peer: Target | None) -> None:
        until = time.monotonic() + SILENT_S
        conversation = Conversation(connection, sandbox, secrets.token_hex(16), until, peer)
        if sandbox is not None and not self._admission.admit(sandbox, time.monotonic()):
            conversation.sandbox = None  # it was not counted
            self._refuse(conversation, Refusal.TOO_MANY)
            return
        self._conversations[connection.fileno()] = conversation
        if not conversation.tell({"nonce": conversation.nonce, "modules": self._modules}):
            self._end(conversation)
            return
        self._selector.register(
            connection, selectors.EVENT_READ, lambda _: self._hear(conversation)
        )

    def _hear(self, conversation: Conversation) -> Child | None:
        descriptors: list[int] = []
        try:
            packet = wire.receive(conversation.connection)
            descriptors = packet.descriptors
            if conversation.on_its_way is not None:
                # It has left, or speaks out of turn: the child is ended once its number is known.
                self._selector.unregister(conversation.connection)
                conversation.connection.shutdown(socket.SHUT_RDWR)
            elif not packet.message or conversation.until is None:
                self._end(conversation)
            else:
                return self._answer(conversation, packet)
        except Malformed as error:
            log.info("Refused: %s", error)
            self._refuse(conversation, Refusal.MALFORMED)
        except OSError:
            self._end(conversation)
        finally:
            wire.close(descriptors)
        return None

    def _answer(self, conversation: Conversation, packet: wire.Packet) -> Child | None:
        request = ForkRequest.of(packet.message)
        if request.nonce != conversation.nonce:
            raise Malformed("it answers another greeting")
        try:
            target, given = self._target(conversation, packet)
        except NoSuchTarget as error:
            log.warning("Refused: %s", error)
            self._refuse(conversation, Refusal.IMPOSTOR)
            return None
        if len(given) < STANDARD:
            raise Malformed("it brings no output descriptors")
        if environment_stamp() != self._stamp:
            log.warning("The environment was changed: ending, to be started with the new one")
            self._refuse(conversation, Refusal.STALE)
            self._stopping = True
            return None
        inlet, outlet = os.pipe()
        os.set_blocking(inlet, False)
        born = give_birth(request, target, given, outlet, self._abandon)
        if isinstance(born, Child):
            packet.descriptors.clear()  # their numbers are other files' here
            return born
        os.close(outlet)
        conversation.inlet, conversation.on_its_way = inlet, born
        conversation.until = time.monotonic() + BIRTH_S
        self._selector.register(inlet, selectors.EVENT_READ, lambda _: self._born(conversation))
        return None

    def _target(
        self, conversation: Conversation, packet: wire.Packet
    ) -> tuple[Target, Sequence[int]]:
        """Whose sandbox the child joins, and the descriptors that it is given.

        The request repeats a nonce that was sent after the pidfd was opened. So when the kernel
        says that the sender has the number of the process that connected, and that process still
        lives, they are one: a number can't have been used again in between.
        """
        if conversation.peer is not None:
            peer = conversation.peer
            if packet.sender is None or packet.sender[0] != peer.pid or not is_alive(peer.pidfd):
                raise NoSuchTarget("the sender is not who connected")
            return peer, packet.descriptors
        if packet.sender is None or not _is_the_base(packet.sender):
            raise NoSuchTarget("the sender is not the base")
        if not packet.descriptors:
            raise Malformed("it names no sandbox")
        pidfd, *given = packet.descriptors
        return Target(pid_of(pidfd), pidfd), given

    def _born(self, conversation: Conversation) -> None:
        inlet = conversation.inlet
        assert inlet is not None
        heard = os.read(inlet, 65536)
        self._selector.unregister(inlet)
        os.close(inlet)
        conversation.inlet = None
        news: dict[str, Any] = json.loads(heard) if heard else {"refused": Refusal.FAILED}
        if "refused" in news:
            log.warning("A child was not born: %s", news.get("why", "it was killed on its way"))
            self._refuse(conversation, news["refused"])
            return
        pid, inside = news["pid"], news["inside"]
        conversation.until = conversation.on_its_way = None
        if pid in self._ended_early:
            self._refuse(conversation, Refusal.FAILED)
            return
        # Not reaped, so the number is still its own.
        self._running[pid] = conversation
        pidfd = os.pidfd_open(pid)
        told = conversation.tell({"pid": inside}, [pidfd])
        os.close(pidfd)
        if not told:
            # Nobody waits for it any more.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                conversation = self._running.pop(pid, None)
                if conversation is not None:
                    conversation.tell({"ended": os.waitstatus_to_exitcode(status)})
                    self._end(conversation)
                else:
                    self._ended_early[pid] = status
        if not any(c.on_its_way for c in self._conversations.values()):
            self._ended_early.clear()

    def _abandon(self) -> None:
        """In a child: close what is the server's, and leave no object that would do so later."""
        self._selector.close()
        for listener in self._listeners:
            listener.close()
        for conversation in self._conversations.values():
            conversation.connection.close()

    def _refuse(self, conversation: Conversation, why: str) -> None:
        conversation.tell({"refused": why})
        self._end(conversation)

    def _end(self, conversation: Conversation) -> None:
        number = conversation.connection.fileno()
        if number < 0:
            return
        if self._conversations.pop(number, None) is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(conversation.connection)
        conversation.connection.close()
        if conversation.inlet is not None:
            self._selector.unregister(conversation.inlet)
            os.close(conversation.inlet)
        if conversation.peer is not None:
            os.close(conversation.peer.pidfd)
        if conversation.sandbox is not None:
            self._admission.leave(conversation.sandbox)


def _drain(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(descriptor, 4096)


def _is_the_base(sender: tuple[int, int, int]) -> bool:
    """Whether a sender is of our user and in no sandbox, since sandboxes may have that user too."""
    pid, uid, _ = sender
    if uid != os.geteuid() or pid <= 0:
        return False
    try:
        return Target(pid, -1).namespace("pid") == Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return False
