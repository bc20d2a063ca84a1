"""Ask a fork server for a child, and look after it as `subprocess.Popen` does."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.target import is_alive

FORK_SERVERS = "/run/ulab"
"""Where a sandbox sees the folder of the fork servers' socket for sandboxes."""
SOCKET_VARIABLE = "ULAB_FORK_SERVER"
"""Names that socket, as seen in the sandbox."""
GREETING_S = 3.0
"""A fork server greets within milliseconds unless dozens of requests are before this one."""
BIRTH_S = 30.0
STATUS_S = 0.5
UNKNOWN_STATUS = 255
"""The exit status of a child whose fork server died before it did."""


class NotForked(Exception):
    """There is no child, and a cold start is needed.

    Parameters
    ----------
    reason
        A `wire.Refusal`, ``missing`` when no fork server answers, or the caller's own word.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ForkedProcess:
    """A child of a fork server, used like a `subprocess.Popen`.

    Parameters
    ----------
    pid
        Its number in its own PID namespace.
    pidfd
        Stands for it wherever the caller is; closed when it has ended.
    connection
        Brings its exit status.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int, connection: socket.socket) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self._connection = connection
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """None while it runs, else its exit status; -n when signal n ended it."""
        if self.returncode is None and not is_alive(self.pidfd):
            # The fork server reaps it at once, and says the status right after.
            self._conclude(self._heard(STATUS_S))
        return self.returncode

    def _heard(self, timeout_s: float) -> int:
        self._connection.settimeout(timeout_s)
        with contextlib.suppress(OSError, wire.Malformed):
            return int(wire.receive(self._connection).message.get("ended", UNKNOWN_STATUS))
        return UNKNOWN_STATUS

    def _conclude(self, status: int) -> None:
        self.returncode = status
        self._connection.close()
        os.close(self.pidfd)

    def abandon(self) -> None:
        """Let it live without us: nothing more is heard of it."""
        self._conclude(UNKNOWN_STATUS)

    def wait(self, timeout: float | None = None) -> int:
        """
        Raises
        ------
        subprocess.TimeoutExpired
            It still runs after `timeout` seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(0.02)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork(
    path: Path,
    *,
    module: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    descriptors: Sequence[int],
    sandbox: int | None = None,
    willing: Callable[[Sequence[str]], None] = lambda modules: None,
) -> ForkedProcess:
    """Ask for a child that runs ``module.main()``.

    Parameters
    ----------
    path
        The fork server's socket.
    descriptors
        The child's standard output, its standard error, and what it gets from number 3 on.
    sandbox
        A pidfd of a process in the sandbox, from the base; None asks for the caller's own.
    willing
        Told the top-level modules that the child would start with; raises `NotForked` if that
        would not do.

    Raises
    ------
    NotForked
        There is no child.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        _connect(connection, path)
        greeting = _hear(connection)
        willing(greeting["modules"])
        request = {
            "nonce": greeting["nonce"],
            "module": module,
            "argv": list(argv),
            "env": dict(env),
            "cwd": cwd,
        }
        wire.send(connection, request, [*([] if sandbox is None else [sandbox]), *descriptors])
        connection.settimeout(BIRTH_S)
        packet = wire.receive(connection)
        answer = _accepted(packet.message)
        return ForkedProcess(answer["pid"], packet.descriptors[0], connection)
    except NotForked:
        connection.close()
        raise
    except (OSError, wire.Malformed, LookupError):
        connection.close()
        raise NotForked("missing") from None


def greets(path: Path) -> bool:
    """Whether a fork server has imported everything and answers."""
    return bool(modules_of(path))


def modules_of(path: Path) -> list[str]:
    """The top-level modules that a fork server has imported; none when it doesn't answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            _connect(connection, path)
            return list(wire.receive(connection).message.get("modules", ()))
        except (OSError, wire.Malformed):
            return []


def _connect(connection: socket.socket, path: Path) -> None:
    # Python's own timeout would not wait for a place in the queue, which a flood keeps full.
    waits = struct.pack("ll", int(GREETING_S), 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, waits)
    connection.connect(str(path))
    connection.settimeout(GREETING_S)


def _hear(connection: socket.socket) -> dict[str, Any]:
    return _accepted(wire.receive(connection).message)


def _accepted(message: dict[str, Any]) -> dict[str, Any]:
    if "refused" in message:
        raise NotForked(str(message["refused"]))
    return message
