"""A temporary base of our own, with the settings in force and a state that is thrown away."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ulab_core import database
from ulab_core.layout import FORK_SERVER_KINDS, Layout
from ulab_core.settings import Settings
from ulab_deploy.base import Base
from ulab_deploy.bench.hub_process import (
    Hub,
    free_ports,
    launch,
    new_token,
    service_lines,
    without_own_variables,
)
from ulab_deploy.up import HUB_CONFIG, answers
from ulab_deploy.up import serves as base_serves
from ulab_runtime.forkserver.client import greets

MLFLOW = "/services/mlflow/"
WARM_S = 120.0
LOOK_S = 0.2
IS_AWAY = (None, 404, 502, 503)


def temporary(settings: Settings, folder: Path, port: int) -> Settings:
    """The settings of a base that serves students as `settings` says, but touches nothing of it."""
    server = settings.server.model_copy(
        update={
            "host": "127.0.0.1",
            "port": port,
            "public_url": "",
            "state_dir": folder / "state",
        }
    )
    return settings.model_copy(
        update={
            "server": server,
            "database": settings.database.model_copy(update={"url": ""}),
            "mlflow": settings.mlflow.model_copy(update={"database_url": ""}),
        }
    )


def as_variables(settings: Settings) -> dict[str, str]:
    """The ``ULAB_…`` variables that say the same as `settings`."""
    return {
        f"ULAB_{section}__{key}".upper(): value if isinstance(value, str) else json.dumps(value)
        for section, values in settings.model_dump(mode="json").items()
        for key, value in values.items()
        if value is not None
    }


def prepare(settings: Settings, folder: Path) -> Base:
    """Make the state of a temporary base; it gets no curricula and no data sets."""
    [port] = free_ports(1)
    chosen = temporary(settings, folder, port)
    base = Base(chosen, Layout.of(chosen))
    before = os.umask(0o022)
    try:
        base.layout.prepare()
        database.upgrade(base.settings)
    finally:
        os.umask(before)
    return base


def start(base: Base, folder: Path) -> Hub:
    """Start what `ulab up` starts."""
    token = new_token()
    config = folder / "hub_config.py"
    config.write_text(f"load_subconfig({str(HUB_CONFIG)!r})\n" + service_lines(token))
    environment = environment_of(base.settings, os.environ)
    command = [sys.executable, "-P", "-m", "ulab_hub.app", "-f", str(config)]
    return launch(
        command,
        environment,
        base.layout.hub,
        base.layout.logs / "hub.log",
        base.settings.server.local_url,
        token,
    )


def environment_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    return without_own_variables(environ) | as_variables(settings)


def serves(base: Base) -> bool:
    """Whether the hub, the portal and MLflow's gateway answer through the proxy."""
    return base_serves(base) and answers(base, MLFLOW) not in IS_AWAY


def wait_until_warm(layout: Layout) -> None:
    """Wait until the servers that students' processes are forked from have loaded everything."""
    until = time.monotonic() + WARM_S
    for kind in FORK_SERVER_KINDS:
        while not greets(layout.fork_for_base(kind)) and time.monotonic() < until:
            time.sleep(LOOK_S)


def remove_sockets(layout: Layout) -> None:
    """Remove the folder of sockets, which lies outside the state when its path is long."""
    shutil.rmtree(layout.socket_dir, ignore_errors=True)
