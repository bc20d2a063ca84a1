"""What the running server serves, and ways to ask it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from integration.mlflow_support import Site

from ulab_core.secret_files import shared_key
from ulab_mlflow import server
from ulab_mlflow.admin import Admin
from ulab_mlflow.names import (
    IDENTITY_HEADER,
    PREFIX,
    WORKSPACE_HEADER,
    identity_key_file,
    socket_of,
)
from ulab_mlflow.signature import sign


def platform(site: Site) -> Admin:
    """MLflow's administrator, past the gateway."""
    return Admin.of(site.settings)


_PROBE = """
import json
from ulab_mlflow.server import create_app
app = create_app()
from fastapi.routing import iter_route_contexts
from mlflow.server import app as flask
from mlflow.server.graphql.graphql_schema_extensions import schema
routes = [
    (method, rule.rule) for rule in flask.url_map.iter_rules() for method in rule.methods
]
mounts = []
for found in iter_route_contexts(app.whole.routes):
    if getattr(found, "methods", None):
        routes += [(method, found.path) for method in found.methods]
    else:
        mounts.append([str(found.path), type(found.original_route).__name__])
kinds = schema.graphql_schema
operations = [
    f"{kind.name}.{name}"
    for kind in (kinds.query_type, kinds.mutation_type, kinds.subscription_type)
    if kind
    for name in kind.fields
]
print(json.dumps({"routes": routes, "operations": operations, "mounts": mounts}))
"""


@dataclass(frozen=True)
class Served:
    """What MLflow answers to at all."""

    routes: frozenset[tuple[str, str]]
    operations: frozenset[str]
    mounts: tuple[tuple[str, str], ...]


def served(site: Site) -> Served:
    """Everything the server serves, asked of a process that is set up as the running one is."""
    found = subprocess.run(
        [sys.executable, "-c", _PROBE],
        env=server_environment(site),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(found.stdout.splitlines()[-1])
    return Served(
        frozenset((method, rule) for method, rule in said["routes"] if method != "OPTIONS"),
        frozenset(said["operations"]),
        tuple(tuple(mount) for mount in said["mounts"]),
    )


def server_environment(site: Site) -> dict[str, str]:
    """That of the MLflow process that runs."""
    assert site.server.process is not None
    raw = Path(f"/proc/{site.server.process.pid}/environ").read_bytes()
    started = dict(pair.split("=", 1) for pair in raw.decode().split("\0") if "=" in pair)
    return (
        os.environ
        | started
        | server.environment(site.settings)
        | server.secret_environment(site.settings)
    )


class Answer(NamedTuple):
    status: int
    text: str


def told(answer: Answer) -> str:
    return f"{answer.status} {answer.text[:200]}"


_lines = threading.local()
IDLE_S = 2  # less than the gateway keeps an idle connection


def _line(site: Site) -> http.client.HTTPConnection:
    """This thread's connection to the gateway."""
    known: dict[str, tuple[http.client.HTTPConnection, float]] = _lines.__dict__
    now = time.monotonic()
    line, used = known.get(site.url, (None, now))
    if line is None:
        line = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=120)
    elif now - used > IDLE_S:
        line.close()  # it opens again by itself
    known[site.url] = (line, now)
    return line


def answer_to(
    site: Site, method: str, path: str, headers: Mapping[str, str], body: Any = None
) -> Answer:
    """What the gateway says; with as little work as can be, since thousands ask.

    Parameters
    ----------
    body
        Bytes are sent as they are, everything else as JSON.
    """
    sent = dict(headers)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent["content-type"] = "application/json"
    line = _line(site)
    line.request(method, PREFIX + path, body=body, headers=sent)
    answer = line.getresponse()
    return Answer(answer.status, answer.read().decode("utf-8", "replace"))


@contextmanager
def past_the_gateway(site: Site, person: str, workspace: str) -> Iterator[httpx.Client]:
    """MLflow itself, with a signature that says who asks."""
    key = shared_key(identity_key_file(site.settings))
    headers = {IDENTITY_HEADER: sign(key, person, time.time()), WORKSPACE_HEADER: workspace}
    transport = httpx.HTTPTransport(uds=str(socket_of(site.settings)))
    with httpx.Client(
        transport=transport, base_url="http://mlflow", headers=headers, timeout=60
    ) as client:
        yield client
