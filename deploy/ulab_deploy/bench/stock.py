"""The stock JupyterHub that a base is compared with: local processes and no sandboxes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx

from ulab_core.programs import STOCK_PROXY, node
from ulab_deploy.bench.hub_process import (
    Hub,
    free_ports,
    launch,
    new_token,
    service_lines,
    without_own_variables,
)

MEMORY_MB_PER_STUDENT = 570
CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}/"
c.JupyterHub.db_url = "sqlite:///{folder}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}/"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.cmd = [{server!r}]
c.Spawner.args = {arguments!r}
c.Spawner.default_url = "/lab"
c.JupyterHub.services = []
c.JupyterHub.load_roles = []
"""


def start(folder: Path) -> Hub:
    """Start the stock hub on a port of its own.

    Parameters
    ----------
    folder
        Empty; everything is written in it.
    """
    (folder / "homes").mkdir()
    port, hub_port, api_port = free_ports(3)
    token = new_token()
    config = folder / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            port=port,
            hub_port=hub_port,
            api_port=api_port,
            folder=folder,
            proxy=[str(node()), str(STOCK_PROXY)],
            server=str(Path(sys.prefix, "bin", "jupyterhub-singleuser")),
            arguments=["--allow-root"] if os.geteuid() == 0 else [],
        )
        + service_lines(token)
    )
    scratch = folder / "tmp"
    scratch.mkdir()
    environment = without_own_variables(os.environ) | {"TMPDIR": str(scratch)}
    # A student's shell and kernels find the environment's programs, as after its activation.
    programs = Path(sys.prefix, "bin")
    environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
    command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
    return launch(
        command, environment, folder, folder / "hub.log", f"http://127.0.0.1:{port}", token
    )


def serves(hub: Hub) -> bool:
    """Whether the hub answers through its proxy."""
    try:
        return httpx.get(f"{hub.url}/hub/api/", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
