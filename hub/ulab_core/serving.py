"""Serve a web service of ours on a unix socket that only the proxy reaches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from ulab_core.layout import Layout

Application = Callable[[Any, Any, Any], Awaitable[None]]
GRACE_S = 5
IDLE_S = 75  # longer than the proxy keeps an idle connection; see deploy/web/proxy.mjs


def service_socket(layout: Layout, service: str) -> Path:
    """Where a service listens.

    A port of the loopback could be taken by a student's process while the service is away, and
    would then be sent everyone's cookies; a socket in a closed folder can't.
    """
    return layout.socket_dir / f"service-{service}.sock"


def serve(application: Application, layout: Layout, service: str) -> None:
    """Serve until the hub says stop."""
    _serve(application, uds=str(service_socket(layout, service)))


def serve_on_port(application: Application, port: int) -> None:
    """The same on a port of the loopback, for measurements."""
    _serve(application, host="127.0.0.1", port=port)


def _serve(application: Application, **where: Any) -> None:
    uvicorn.run(
        application,
        log_level="warning",
        server_header=False,
        # Only the proxy in front reaches the socket, and it says how the browser came.
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=IDLE_S,
        **where,
    )
