"""Notice within seconds that a managed service died; JupyterHub looks every half minute."""

from __future__ import annotations

from jupyterhub.services import service
from traitlets import Integer

POLL_SECONDS = 2


class WatchedServiceSpawner(service._ServiceSpawner):
    """Starts a service as JupyterHub does, and looks after it more often.

    JupyterHub makes this object itself and hands it no configuration, so the interval can't be
    set from outside.
    """

    poll_interval = Integer(POLL_SECONDS)


def watch_closely() -> None:
    """Let the hub use the closer watch; call it before the hub makes its services."""
    service._ServiceSpawner = WatchedServiceSpawner
