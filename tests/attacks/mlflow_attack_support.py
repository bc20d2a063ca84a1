"""How a student attacks MLflow through the gateway."""

from __future__ import annotations

import socket
from typing import Any

from attacks.leak_people import COURSE, headers_of
from attacks.leak_server import Answer, answer_to
from attacks.leak_things import Things, snapshot
from integration.mlflow_support import Site

from ulab_mlflow.names import PREFIX

V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
CURRENT = f"{V2}/users/current"


def post(site: Site, path: str, body: Any, person: str = "m-attacker", **more: str) -> Answer:
    headers = headers_of(site, person, COURSE) | more
    return answer_to(site, "POST", path, headers, body)


def get(site: Site, path: str, person: str = "m-attacker", **more: str) -> Answer:
    return answer_to(site, "GET", path, headers_of(site, person, COURSE) | more)


def theirs_alone(site: Site, things: Things) -> dict[str, Any]:
    """What is kept of the things, without what the attacker rightly does beside them."""
    kept = snapshot(site, things)
    below = f"workspaces/{things.workspace}/{things.ids['experiment']}/"
    kept["files"] = {name: size for name, size in kept["files"].items() if name.startswith(below)}
    beside = ("experiments", "registry", "versions")
    return {what: value for what, value in kept.items() if what not in beside}


def said(line: socket.socket, request: bytes) -> bytes:
    """All that comes back for bytes that no client would send."""
    line.sendall(request)
    parts = []
    try:
        while part := line.recv(65536):
            parts.append(part)
    except TimeoutError:
        pass
    return b"".join(parts)


def raw(site: Site, path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [
        f"{method} {PREFIX}{path} HTTP/1.1",
        "Host: base",
        "Connection: close",
        f"Authorization: Bearer {site.token('m-attacker')}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
