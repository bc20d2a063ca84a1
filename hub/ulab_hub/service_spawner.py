"""Look after managed services more closely than JupyterHub does by itself."""

from __future__ import annotations

from jupyterhub.services import service
from traitlets import Integer


class CloseServiceSpawner(service._ServiceSpawner):
    """Starts a service as JupyterHub does, notices its death soon, and ends it soon.

    JupyterHub makes this object itself and hands it no configuration, so that these can't be set
    from outside.
    """

    poll_interval = Integer(2)
    interrupt_timeout = Integer(5)


def look_after_services() -> None:
    """Let the hub use the closer spawner; call it before the hub makes its services."""
    service._ServiceSpawner = CloseServiceSpawner
