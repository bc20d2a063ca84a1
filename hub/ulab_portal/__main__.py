"""Run the portal where the hub told this managed service to listen."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import uvicorn

from ulab_core.process import die_with_parent
from ulab_core.settings import load_settings
from ulab_portal.app import create_app


def main() -> None:
    """Serve until the hub says stop."""
    die_with_parent()
    address = urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:8001"))
    uvicorn.run(
        create_app(load_settings()),
        host=address.hostname or "127.0.0.1",
        port=address.port or 8001,
        log_level="warning",
        # The proxy in front is ours, and it says how the browser came.
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
