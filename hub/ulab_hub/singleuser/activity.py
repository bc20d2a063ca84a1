"""A Jupyter Server extension: a kernel that computes counts as activity, so nobody ends it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tornado.ioloop import PeriodicCallback

EVERY_MS = 30_000


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "ulab_hub.singleuser.activity"}]


def _load_jupyter_server_extension(app: Any) -> None:
    def note() -> None:
        kernels = app.kernel_manager.list_kernels()
        if any(kernel.get("execution_state") == "busy" for kernel in kernels):
            app.web_app.settings["api_last_activity"] = datetime.now(UTC)

    PeriodicCallback(note, EVERY_MS).start()
