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
from ulab_runtime.forkserver.admission import SILENT_S, Admission
from ulab_runtime.forkserver.birth import Child, give_birth
from ulab_runtime.forkserver.conversation import Conversation, in_a_hurry
from ulab_runtime.forkserver.listening import accept, listen, peer_of
from ulab_runtime.forkserver.stamp import environment_stamp
from ulab_runtime.forkserver.target import Target
from ulab_runtime.forkserver.wire import Refusal

log = logging.getLogger(__name__)
BIRTH_S = 20.0
"""How long a child may take to get into its sandbox before it is given up."""


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
        self._between: set[int] = set()
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
            if conversation.between is None:
                self._refuse(conversation, Refusal.MALFORMED)
                continue
            if conversation.between in self._between:
                os.kill(conversation.between, signal.SIGKILL)
            self._refuse(conversation, Refusal.FAILED)

    def _greet_sandbox(self, listener: socket.socket) -> None:
        connection = accept(listener)
        if connection is None:
            return
        peer = peer_of(connection)
        if peer is None:
            Conversation(connection, None, "", None).close()
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
        self._listen(conversation)
        if not conversation.tell({"nonce": conversation.nonce, "modules": self._modules}):
            self._end(conversation)

    def _listen(self, conversation: Conversation) -> None:
        self._selector.register(
            conversation.connection, selectors.EVENT_READ, lambda _: self._hear(conversation)
        )

    def _hear(self, conversation: Conversation) -> Child | None:
        if conversation.over:
            return None  # by what else happened in this round
        if conversation.until is None or not conversation.speaks():
            self._end(conversation)
        elif environment_stamp() != self._stamp:
            log.warning("The environment was changed: ending, to be started with the new one")
            self._refuse(conversation, Refusal.STALE)
            self._stopping = True
        else:
            return self._answer(conversation)
        return None

    def _answer(self, conversation: Conversation) -> Child | None:
        try:
            inlet, outlet = os.pipe()
        except OSError as error:
            self._fail(conversation, error)
            return None
        try:
            born = give_birth(conversation, outlet, self._abandon)
        except OSError as error:
            os.close(inlet)
            os.close(outlet)
            self._fail(conversation, error)
            return None
        if isinstance(born, Child):
            return born  # its numbers of descriptors are other files'
        os.close(outlet)
        os.set_blocking(inlet, False)
        conversation.inlet, conversation.between = inlet, born
        conversation.until = time.monotonic() + BIRTH_S
        self._between.add(born)
        # Until it is born nothing more is heard, since the request is still there to be read.
        self._selector.unregister(conversation.connection)
        self._selector.register(inlet, selectors.EVENT_READ, lambda _: self._born(conversation))
        return None

    def _born(self, conversation: Conversation) -> None:
        inlet = conversation.inlet
        if inlet is None:
            return
        try:
            heard = os.read(inlet, 4096)
        except BlockingIOError:
            return
        self._selector.unregister(inlet)
        os.close(inlet)
        conversation.inlet = None
        news: dict[str, Any] = json.loads(heard) if heard else {"refused": Refusal.FAILED}
        if "refused" in news:
            self._refuse(conversation, news["refused"])
            return
        conversation.until = None
        # Not reaped, so the number is still its own.
        self._running[news["pid"]] = conversation
        try:
            pidfd = os.pidfd_open(news["pid"])
        except OSError as error:
            os.kill(news["pid"], signal.SIGKILL)
            self._fail(conversation, error)
            return
        if conversation.tell({"pid": news["inside"]}, [pidfd]):
            self._listen(conversation)
        else:
            # Nobody waits for it any more.
            os.kill(news["pid"], signal.SIGKILL)
        os.close(pidfd)

    def _reap(self) -> None:
        ended = os.WEXITED | os.WNOHANG
        with contextlib.suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, ended | os.WNOWAIT):
                pid = found.si_pid
                if pid not in self._running and pid not in self._between:
                    # What was said of it was written before it became ours.
                    for conversation in list(self._conversations.values()):
                        self._born(conversation)
                _, status = os.waitpid(pid, 0)
                self._between.discard(pid)
                if whose := self._running.pop(pid, None):
                    whose.tell({"ended": os.waitstatus_to_exitcode(status)})
                    self._end(whose)

    def _abandon(self) -> None:
        """In a child: close what is the server's, and leave no object that would do so later."""
        self._selector.close()
        for listener in self._listeners:
            listener.close()
        with in_a_hurry():  # the server may have closed one in the meantime
            for conversation in self._conversations.values():
                conversation.connection.close()

    def _fail(self, conversation: Conversation, error: OSError) -> None:
        log.error("No child: %s", error)
        self._refuse(conversation, Refusal.FAILED)

    def _refuse(self, conversation: Conversation, why: str) -> None:
        conversation.tell({"refused": why})
        self._end(conversation)

    def _end(self, conversation: Conversation) -> None:
        if conversation.over:
            return
        if self._conversations.pop(conversation.connection.fileno(), None) is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(conversation.connection)
        if conversation.inlet is not None:
            self._selector.unregister(conversation.inlet)
        conversation.close()
        if conversation.sandbox is not None:
            self._admission.leave(conversation.sandbox)


def _drain(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(descriptor, 4096)
