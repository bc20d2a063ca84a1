"""The proxy, with ways to services that listen on unix sockets."""

from __future__ import annotations

from typing import Any

from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets import validate


class SocketProxy(ConfigurableHTTPProxy):
    """configurable-http-proxy, whose additional routes may lead to unix sockets.

    The Node program can do it and the hub's own route uses it; only JupyterHub's check of
    `extra_routes` knows nothing but TCP.
    """

    @validate("extra_routes")
    def _validate_extra_routes(self, proposal: Any) -> dict[str, str]:
        routes: dict[str, str] = proposal.value
        for place, target in routes.items():
            if not (place.startswith("/") and place.endswith("/")):
                raise ValueError(f"the route {place} must begin and end with a slash")
            if not target.startswith("http+unix://"):
                raise ValueError(f"the route {place} must lead to a unix socket, not to {target}")
        return routes
