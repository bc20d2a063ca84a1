"""A real hub whose fork servers a test can kill, make stale or put something else in place of."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from integration.fork_support import CONFIG, WARM_S, program, wait_until
from integration.hub_support import Base, HubClient
from prometheus_client.parser import text_string_to_metric_families

from ulab_core.layout import FORK_SERVER_KINDS
from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.client import greets
from ulab_runtime.lives import Life, command_in_sandbox

NOTICED_S = 2
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
Counts = dict[tuple[str, str], float]


class WarmBase(Base):
    """A base with fork servers that are warm once it has started.

    Attributes
    ----------
    watched
        When this file is touched, the fork servers are stale.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.watched = folder / "watched"
        self.watched.touch()
        extra = CONFIG.format(program=program(self.watched))
        extra += f"\nc.Spawner.poll_interval = {NOTICED_S}"
        names = [f"fork-server-{kind}" for kind in FORK_SERVER_KINDS]
        super().__init__(folder, names, extra, **settings)

    def start(self) -> None:
        super().start()
        self.wait_until_warm()

    def wait_until_warm(self) -> None:
        for kind in FORK_SERVER_KINDS:
            path = self.layout.fork_for_base(kind)
            wait_until(partial(greets, path), WARM_S, f"{path} is not warm")

    @property
    def kernel_socket(self) -> Path:
        return self.layout.fork_for_sandboxes

    def fork_server(self, kind: str) -> Life:
        """The life of a fork server."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(str(self.layout.fork_for_base(kind)))
            return Life.of(wire.connected_peer(connection)[0])

    def server_life(self, name: str) -> Life:
        """The life of a person's forked server."""
        return Life(*self.server_state(name)["server"])

    def server_starts(self) -> Counts:
        """How many servers were started, by way and reason."""
        admin = self.client(self.settings.accounts.admin)
        return counts(admin.get("/hub/metrics").text, "ulab_server_starts")

    def kernel_starts(self, name: str, token: str) -> Counts:
        """How many kernels a person's server has started, by way and reason."""
        headers = {"Authorization": f"token {token}"}
        answer = httpx.get(f"{self.url}/user/{name}/metrics", headers=headers)
        assert answer.status_code == 200, answer.text
        return counts(answer.text, "ulab_kernel_starts")

    def stop_server(self, client: HubClient, name: str) -> None:
        """Stop a person's server and wait until the hub knows of none."""
        assert client.api("DELETE", f"users/{name}/server").status_code in (202, 204)
        wait_until(
            lambda: not client.api("GET", f"users/{name}").json()["servers"],
            30,
            f"the server of {name} does not stop",
        )


def counts(page: str, name: str) -> Counts:
    """A counter's values on a page of metrics."""
    return {
        (sample.labels["way"], sample.labels["reason"]): sample.value
        for family in text_string_to_metric_families(page)
        if family.name == name
        for sample in family.samples
        if sample.name == f"{name}_total"
    }


def more(before: Counts, after: Counts) -> Counts:
    """What was counted in between."""
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    return {key: value for key, value in grown.items() if value}


def start_and_read(base: Base, client: HubClient, name: str, language: str) -> list[str]:
    """Start a server and give back what the waiting person reads."""
    headers = {"Accept-Language": language}
    asked = threading.Thread(
        target=client.api, args=("POST", f"users/{name}/server"), kwargs={"json": {}}
    )
    asked.start()
    wait_until(
        lambda: bool(client.api("GET", f"users/{name}").json()["servers"]), 10, "it was not asked"
    )
    read = client.api("GET", f"users/{name}/server/progress", headers=headers).text
    asked.join()
    base.wait_for_server(client, name)
    events = [json.loads(line[6:]) for line in read.splitlines() if line.startswith("data: ")]
    return [event.get("message", "") for event in events]


def namespaces(pid: int) -> dict[str, str]:
    return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in NAMESPACES}  # noqa: PTH115


def inhabitants(pid_namespace: str) -> list[int]:
    """The processes of this machine in a PID namespace."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if str((folder / "ns" / "pid").readlink()) == pid_namespace:
                    found.append(int(folder.name))
    return found


class Remains:
    """What a server's sandbox consists of, to look later whether it is gone."""

    def __init__(self, base: Base, name: str) -> None:
        state = base.server_state(name)
        self.sandbox = Life(*state["life"])
        inside = command_in_sandbox(self.sandbox.pid)
        assert inside is not None
        self._pid_namespace = namespaces(inside)["pid"]
        self._groups = [Path(folder) for folder in state.get("groups", ())]

    def wait_until_gone(self) -> None:
        wait_until(lambda: not self.left(), 30, "something of its sandbox is still there")

    def left(self) -> list[object]:
        groups = [folder for folder in self._groups if folder.exists()]
        outermost = [self.sandbox] if self.sandbox.lasts() else []
        return [*outermost, *inhabitants(self._pid_namespace), *groups]


@contextmanager
def put_aside(path: Path) -> Iterator[None]:
    """Have nothing at a path meanwhile."""
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextmanager
def refusing(path: Path, reason: str) -> Iterator[None]:
    """Have something at a fork server's socket meanwhile that refuses everybody."""
    with put_aside(path), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen()

        def refuse() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        wire.send(connection, {"refused": reason})

        threading.Thread(target=refuse, daemon=True).start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
