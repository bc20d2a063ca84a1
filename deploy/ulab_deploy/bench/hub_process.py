"""One temporary JupyterHub, stock or ours: started, waited for, left to be ended by pid."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import die_with_parent, end_all
from ulab_deploy.supervisor import last_words

READY_S = 240.0
STOP_S = 40.0
STOP_S_PER_STUDENT = 1.0
REST_S = 5.0
# A base that has only just come up still loads libraries, and would slow down what is timed.
QUIET_CPU = 0.15
QUIET_SAMPLE_S = 1.0
QUIET_SAMPLES = 2
QUIET_S = 90.0
# Longer than any base waits: a start that a base would have given up on is measured all the same.
SPAWN_PATIENCE_S = 1200

SERVICE = "bench"
SCOPES = ["admin:users", "admin:servers", "admin:server_state", "tokens", "access:servers"]


class HubDidNotStart(UserError):
    """A temporary hub never came to serve."""

    exit_code = 4


@dataclass(frozen=True)
class Hub:
    """A hub that is being measured.

    Attributes
    ----------
    url
        The proxy's address, without a slash at the end.
    token
        Of a service that may start servers.
    """

    url: str
    token: str
    log: Path
    process: subprocess.Popen[bytes]


def new_token() -> str:
    return secrets.token_hex(32)


def service_lines(token: str) -> str:
    """The lines of a ``jupyterhub_config.py`` that let the measuring client in."""
    service = {"name": SERVICE, "api_token": token}
    role = {"name": SERVICE, "scopes": SCOPES, "services": [SERVICE]}
    return (
        f"c.JupyterHub.services = [*c.JupyterHub.services, {service!r}]\n"
        f"c.JupyterHub.load_roles = [*c.JupyterHub.load_roles, {role!r}]\n"
        f"c.Spawner.start_timeout = {SPAWN_PATIENCE_S}\n"
        f"c.Spawner.http_timeout = {SPAWN_PATIENCE_S}\n"
    )


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on, each another."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def without_own_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what points to a base, or changes how Jupyter or MLflow behave."""
    prefixes = ("ULAB_", "JUPYTER", "JPY_", "IPYTHON", "MLFLOW_", "CONFIGPROXY_")
    return {name: value for name, value in environ.items() if not name.startswith(prefixes)}


def launch(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path, url: str, token: str
) -> Hub:
    """Start a hub that ends when this process does."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C reaches us alone, and we say when the hub is to end.
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    return Hub(url, token, log, process)


def wait_until_serving(hub: Hub, serves: Callable[[], bool]) -> None:
    """Wait until `serves` says so and the hub's processes have nothing left to load.

    Raises
    ------
    HubDidNotStart
    """
    until = time.monotonic() + READY_S
    while not serves():
        if hub.process.poll() is not None or time.monotonic() > until:
            raise HubDidNotStart(
                mark("The hub to be measured does not start. It said at last:\n{said}"),
                said="\n".join(last_words(hub.log.read_text(errors="replace"))),
            )
        time.sleep(0.2)
    wait_until_quiet(hub.process.pid)


def wait_until_quiet(pid: int) -> None:
    """Wait until the processes from `pid` downwards have nothing left to do, or `QUIET_S`."""
    until = time.monotonic() + QUIET_S
    quiet = 0
    before = _cpu_s(pid)
    while quiet < QUIET_SAMPLES and time.monotonic() < until:
        time.sleep(QUIET_SAMPLE_S)
        now = _cpu_s(pid)
        quiet = quiet + 1 if now - before < QUIET_CPU * QUIET_SAMPLE_S else 0
        before = now


def _cpu_s(pid: int) -> float:
    """CPU seconds that the processes from `pid` downwards have used so far."""
    try:
        top = psutil.Process(pid)
        processes = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_times(process) for process in processes)


def _times(process: Any) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def end(hub: Hub, students: int) -> None:
    """End the hub and everything below this process: politely first, so that it tidies up."""
    if hub.process.poll() is None:
        hub.process.terminate()
        try:
            hub.process.wait(STOP_S + STOP_S_PER_STUDENT * students)
        except subprocess.TimeoutExpired:
            hub.process.kill()
            hub.process.wait()
    # This process adopts orphans, so that no server or kernel escapes.
    end_all(REST_S)
