"""Runs MLflow's own server where only the gateway can reach it: on a unix socket."""

from __future__ import annotations

import configparser
import gc
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from ulab_core.layout import Layout
from ulab_core.process import die_with_parent
from ulab_core.secret_files import shared_key
from ulab_core.serving import IDLE_S
from ulab_core.settings import Settings, load_settings
from ulab_mlflow import lookups, sqlite_stores, withholding
from ulab_mlflow.identity import HOOK, KEY_FILE_VARIABLE
from ulab_mlflow.names import PLATFORM, identity_key_file, socket_of, store_url


def environment(settings: Settings) -> dict[str, str]:
    """The variables MLflow's server is set up with; writes nothing.

    The underscored ones are what ``mlflow server`` itself hands to its workers. It is not called
    here because it would be one more process of 250 MiB, whose worker outlives its ``kill -9``.
    Their names are written out since MLflow's server reads its environment when it is imported.
    """
    rooms = Layout.of(settings)
    store = store_url(settings)
    return {
        "_MLFLOW_SERVER_FILE_STORE": store,
        "_MLFLOW_SERVER_REGISTRY_STORE": store,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": (rooms.mlflow / "artifacts").as_uri(),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
        "MLFLOW_ENABLE_WORKSPACES": "true",
        "MLFLOW_BASIC_AUTH_FAIL_CLOSED": "true",
        # Its own roles in each workspace: to do everything there, or to read everything.
        "MLFLOW_RBAC_SEED_DEFAULT_ROLES": "false",
        "MLFLOW_AUTH_CONFIG_PATH": str(rooms.mlflow / "auth.ini"),
        "MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        # It never removes the lock files that it makes here.
        "TMPDIR": str(rooms.mlflow / "tmp"),
        KEY_FILE_VARIABLE: str(identity_key_file(settings)),
    }


def secret_environment(settings: Settings) -> dict[str, str]:
    """The variables that hold secrets; makes those that don't exist yet."""
    secrets = Layout.of(settings).secrets
    return {
        "MLFLOW_AUTH_ADMIN_USERNAME": PLATFORM,
        "MLFLOW_AUTH_ADMIN_PASSWORD": shared_key(secrets / "mlflow-admin.key").hex(),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": shared_key(secrets / "mlflow-csrf.key").hex(),
    }


def auth_config(settings: Settings) -> Mapping[str, str]:
    """What MLflow's authentication reads: who isn't given a right has none."""
    accounts = Layout.of(settings).mlflow / "accounts.sqlite"
    return {
        "default_permission": "NO_PERMISSIONS",
        "grant_default_workspace_access": "false",
        "database_uri": settings.mlflow.database_url or f"sqlite:///{accounts}",
        "authorization_function": HOOK,
    }


def create_app() -> Any:
    """MLflow's application with authentication; called in each worker."""
    die_with_parent()
    sqlite_stores.prepare()
    from mlflow.server import app
    from mlflow.server.auth import create_app as create_mlflow
    from mlflow.server.handlers import initialize_backend_stores

    from ulab_mlflow import guards
    from ulab_mlflow.direct import Direct
    from ulab_mlflow.promotion import Promotions

    Promotions(load_settings()).guard(app)
    guards.prepare(app)
    whole = create_mlflow()
    # Else the first requests make the stores, several at once, and import what is needed for it.
    initialize_backend_stores()
    lookups.prepare()
    withholding.prepare()
    # What was imported lives as long as the process; each search would otherwise pay for looking
    # through it for garbage.
    gc.collect()
    gc.freeze()
    return Direct(whole, app)


def _write_auth_config(file: Path, values: Mapping[str, str]) -> None:
    config = configparser.ConfigParser(interpolation=None)
    # MLflow reads it with interpolation, where a "%" (in a database's password) is written twice.
    config["mlflow"] = {key: value.replace("%", "%%") for key, value in values.items()}
    draft = file.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as stream:
        draft.chmod(0o600)
        config.write(stream)
    draft.replace(file)


def main() -> None:
    """Serve until told to stop, or until the hub that started us dies."""
    die_with_parent()
    settings = load_settings()
    rooms = Layout.of(settings)
    rooms.prepare()
    socket = socket_of(settings)
    for room in ("artifacts", "tmp"):
        (rooms.mlflow / room).mkdir(exist_ok=True)
    for variable in [name for name in os.environ if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        del os.environ[variable]
    os.environ.update(environment(settings))
    os.environ.update(secret_environment(settings))
    tempfile.tempdir = None  # so that it is looked for again
    _write_auth_config(rooms.mlflow / "auth.ini", auth_config(settings))
    socket.unlink(missing_ok=True)
    uvicorn.run(
        f"{__name__ if __name__ != '__main__' else 'ulab_mlflow.server'}:create_app",
        factory=True,
        uds=str(socket),
        workers=settings.mlflow.workers,
        log_level="warning",
        # Whoever is behind the gateway is said by the signed header, never by an address.
        proxy_headers=False,
        server_header=False,
        # Longer than the gateway keeps an idle connection, so that none is closed as it is used.
        timeout_keep_alive=IDLE_S,
    )


if __name__ == "__main__":
    main()
