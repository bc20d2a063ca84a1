"""What a Jupyter server does when it starts, done once in advance to find out what it imports."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from ulab_hub.singleuser import provisioners
from ulab_hub.singleuser.start import listen_on_inherited, write_lab_settings

SINGLEUSER = Path(__file__).parent


def rehearse() -> None:
    """Set up a server as a person's would be, without serving anybody."""
    from jupyter_server.serverapp import ServerApp
    from jupyterhub.singleuser.extension import JupyterHubSingleUser

    provisioners.use_found()
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as own:
        os.environ |= {
            "HOME": folder,
            "ULAB_LAB_SETTINGS": folder,
            "JUPYTER_CONFIG_PATH": str(SINGLEUSER),
            "JUPYTER_RUNTIME_DIR": folder,
            "JUPYTERHUB_API_TOKEN": "none",
            "JUPYTERHUB_CLIENT_ID": "none",
            "JUPYTERHUB_USER": "nobody",
            "JUPYTERHUB_SERVICE_PREFIX": "/user/nobody/",
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/user/nobody/",
            "JUPYTERHUB_API_URL": "http://127.0.0.1:0/hub/api",
            "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
        }
        write_lab_settings(Path(folder), "zh")
        hub: Any = JupyterHubSingleUser
        hub.check_hub_version = _nobody_to_ask
        listen_on_inherited(ServerApp, own.detach())
        logging.disable(logging.WARNING)
        JupyterHubSingleUser.initialize_server([])


async def _nobody_to_ask(self: Any) -> None:
    """There is no hub yet."""
