"""Start a person's Jupyter server: forked from the warmed parent, or cold where that can't be."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prometheus_client import Counter

from ulab_hub.singleuser.start import LISTEN_VARIABLE
from ulab_runtime.forkserver.client import NotForked, fork
from ulab_runtime.forkserver.target import NoSuchTarget, pid_of
from ulab_runtime.lives import Life
from ulab_runtime.sandbox import Sandbox, SandboxSpec
from ulab_runtime.waiting import start_waiting

log = logging.getLogger(__name__)
MODULE = "ulab_hub.singleuser.start"
OFF = "off"
SERVER_STARTS = Counter(
    "ulab_server_starts", "Jupyter servers started, warm or cold, and why cold.", ["way", "reason"]
)


@dataclass(frozen=True)
class Started:
    """A server that is starting.

    Parameters
    ----------
    server
        The forked server; None when the sandbox itself runs it.
    why_cold
        Why it isn't forked: what `NotForked` says, or ``off``. Empty when it is.
    """

    sandbox: Sandbox
    server: Life | None
    why_cold: str


def start_server(
    spec: SandboxSpec,
    fork_server: Path | None,
    arguments: Sequence[str],
    listener: int,
    log_file: IO[bytes],
    name: str,
) -> Started:
    """Start a server in a sandbox of its own.

    Parameters
    ----------
    spec
        The sandbox, with the command of a cold start.
    fork_server
        The socket where the base asks for servers; None for cold starts only.
    arguments
        The server's arguments, without the program.
    listener
        The descriptor of the socket it accepts on.
    name
        Names its cgroups.

    Raises
    ------
    NotSetUp
        The sandbox ended at once.
    """
    waiting = start_waiting(spec, name=name, stdout=log_file, pass_fds=(listener,))
    try:
        life, why_cold = None, ""
        try:
            if fork_server is None:
                raise NotForked(OFF)
            life = _fork(spec, fork_server, arguments, listener, log_file.fileno(), waiting.pidfd())
            waiting.stay()
        except NotForked as error:
            why_cold = error.reason
            if why_cold != OFF:
                log.warning("A server starts cold, which takes seconds longer: %s", why_cold)
            waiting.run_cold()
    except BaseException:
        waiting.sandbox.end()
        raise
    SERVER_STARTS.labels(way="cold" if why_cold else "warm", reason=why_cold).inc()
    return Started(waiting.sandbox, life, why_cold)


def _fork(
    spec: SandboxSpec,
    fork_server: Path,
    arguments: Sequence[str],
    listener: int,
    log_file: int,
    sandbox: int,
) -> Life:
    try:
        process = fork(
            fork_server,
            module=MODULE,
            argv=arguments,
            # The child finds it behind its standard descriptors.
            env={**spec.env, LISTEN_VARIABLE: "3"},
            cwd=spec.cwd,
            descriptors=[log_file, log_file, listener],
            sandbox=sandbox,
        )
    finally:
        os.close(sandbox)
    # The hub finds it again by its life, as it does after a restart, and needs no connection.
    try:
        return Life.of(pid_of(process.pidfd))
    except (NoSuchTarget, ProcessLookupError):
        raise NotForked("ended") from None
    finally:
        process.abandon()
