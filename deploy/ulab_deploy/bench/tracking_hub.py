"""Answers the gateway's question whose token it is, so that no hub has to run for a measurement."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

SCOPE = "access:services!service=mlflow"


class Known(NamedTuple):
    """A hub that knows one person."""

    api_url: str
    token: str
    """The person's."""


@contextmanager
def hub_of(person: str) -> Iterator[Known]:
    """Answer as JupyterHub's ``/user`` does, on the loopback, until the block ends."""
    token = secrets.token_hex(16)
    model = {"kind": "user", "name": person, "admin": False, "scopes": [SCOPE]}

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            knows = secrets.compare_digest(self.headers.get("authorization", ""), f"token {token}")
            body = json.dumps(model if knows else {"message": "Forbidden"}).encode()
            self.send_response(200 if knows else 403)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Known(f"http://127.0.0.1:{server.server_port}/hub/api", token)
    finally:
        server.shutdown()
        server.server_close()


def service_variables(known: Known) -> dict[str, str]:
    """What JupyterHub tells its service ``mlflow`` by the environment."""
    return {
        "JUPYTERHUB_SERVICE_NAME": "mlflow",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/mlflow/",
        "JUPYTERHUB_API_URL": known.api_url,
        "JUPYTERHUB_API_TOKEN": secrets.token_hex(16),
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "service-mlflow",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([SCOPE]),
    }
