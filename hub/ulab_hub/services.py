"""The processes that the hub starts, restarts and routes to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ulab_core.layout import Layout
from ulab_core.serving import service_socket
from ulab_core.settings import CONFIG_VARIABLE, DEFAULT_FILE, Settings
from ulab_hub.limits import thread_variables
from ulab_hub.roles import CULLER, MLFLOW, PORTAL, PORTAL_CLIENT_SCOPES

# What a process needs besides our own variables.
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV")

# debugpy's server finds the modules that are packed with it only after it was imported itself.
KERNEL_MODULES = (
    "ulab_runtime.kernel", "ipykernel.kernelapp", "debugpy.server",
    "ulab_runtime.judge.student", "ulab_runtime.judge.bench",
)  # fmt: skip

UNCHANGED_IN_A_HOST = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-._~")


def settings_environment(
    settings: Settings, environ: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """The variables by which a process we start finds the same settings.

    Parameters
    ----------
    folder
        The folder that the settings were read in.
    """
    found = {name: value for name, value in environ.items() if name.startswith("ULAB_")}
    if CONFIG_VARIABLE in found:
        found[CONFIG_VARIABLE] = str(folder / found[CONFIG_VARIABLE])
    elif (folder / DEFAULT_FILE).is_file():
        found[CONFIG_VARIABLE] = str(folder / DEFAULT_FILE)
    found["ULAB_SERVER__STATE_DIR"] = str(settings.server.state_dir)
    return found


def prefix(service: str) -> str:
    """Where a service's pages lie."""
    return f"/services/{service}/"


def routes(layout: Layout) -> dict[str, str]:
    """The proxy's ways to the services that have pages, in the form of ``Proxy.extra_routes``.

    JupyterHub's own way, a service's ``url``, leads to TCP ports only.
    """
    return {prefix(name): socket_url(service_socket(layout, name)) for name in (PORTAL, MLFLOW)}


def socket_url(path: Path) -> str:
    """The address of a unix socket, as JupyterHub and its proxy write it.

    The path stands where a host's name does, and clients put those into small letters, so capitals
    are encoded too.
    """
    host = "".join(
        chr(byte) if byte in UNCHANGED_IN_A_HOST else f"%{byte:02x}" for byte in os.fsencode(path)
    )
    return f"http+unix://{host}"


def services(settings: Settings) -> list[dict[str, Any]]:
    """The hub's services, in the form of ``JupyterHub.services``."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= settings_environment(settings, os.environ, Path.cwd())

    def service(name: str, module: str, *, page: bool = False, **more: Any) -> dict[str, Any]:
        found = {
            "name": name,
            "command": [sys.executable, "-P", "-m", module],
            "environment": environment,
            "cwd": str(settings.server.state_dir),
            **more,
        }
        if page:
            found["environment"] = environment | {"JUPYTERHUB_SERVICE_PREFIX": prefix(name)}
            found["oauth_redirect_uri"] = f"{prefix(name)}oauth_callback"
            found["oauth_no_confirm"] = True
        return found

    wanted = [
        service(
            PORTAL,
            "ulab_portal",
            page=True,
            oauth_client_allowed_scopes=PORTAL_CLIENT_SCOPES,
        ),
        service(MLFLOW, "ulab_mlflow.gateway", page=True),
        service("mlflow-server", "ulab_mlflow.server"),
        *(
            service(f"grading-worker-{number}", "ulab_coursework.worker")
            for number in range(1, settings.grading.workers + 1)
        ),
    ]
    return [*wanted, *_fork_servers(settings, environment), _culler(settings, environment)]


def _fork_servers(settings: Settings, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    if not settings.warm.enabled:
        return []
    layout = Layout.of(settings)

    def fork_server(kind: str, modules: Sequence[str], *arguments: str) -> dict[str, Any]:
        return {
            "name": f"fork-server-{kind}",
            "command": [
                sys.executable, "-P", "-m", "ulab_runtime.forkserver",
                f"--for-base={layout.fork_for_base(kind)}",
                f"--scratch={layout.run / f'fork-{kind}'}",
                *arguments, *modules,
            ],
            "environment": {**environment, **thread_variables(settings)},
            "cwd": str(settings.server.state_dir),
        }  # fmt: skip

    return [
        fork_server(
            "server",
            settings.warm.server_modules,
            "--rehearse=ulab_hub.singleuser.rehearsal:rehearse",
        ),
        fork_server(
            "kernel",
            [*KERNEL_MODULES, *settings.warm.kernel_modules],
            f"--for-sandboxes={layout.fork_for_sandboxes}",
            "--rehearse=ulab_runtime.kernel_rehearsal:rehearse",
        ),
    ]


def _culler(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": CULLER,
        "command": [
            sys.executable,
            "-P",
            "-m",
            "ulab_hub.culler",
            f"--timeout={settings.limits.idle_minutes * 60}",
            "--cull-every=300",
            # It can't speak to the hub's unix socket, so it asks through the proxy.
            f"--url={settings.server.local_url}/hub/api",
        ],
        "environment": dict(environment),
        "cwd": str(settings.server.state_dir),
    }
