"""Names that the gateway, the server and the kernels of students have to agree on."""

from __future__ import annotations

from pathlib import Path

from ulab_core.layout import Layout
from ulab_core.settings import Settings

PLATFORM = "U-Lab"
"""MLflow's administrator, as which the platform itself acts. No person's name has capitals."""

PREFIX = "/services/mlflow"

IDENTITY_HEADER = "X-ULab-Identity"
WORKSPACE_HEADER = "X-MLFLOW-WORKSPACE"


def socket_of(settings: Settings) -> Path:
    """The unix socket that MLflow listens on; only the base's own user can reach it."""
    return Layout.of(settings).socket_dir / "mlflow.sock"


def identity_key_file(settings: Settings) -> Path:
    return Layout.of(settings).secrets / "mlflow-identity.key"


def store_url(settings: Settings) -> str:
    """MLflow's database."""
    file = Layout.of(settings).mlflow / "mlflow.sqlite"
    return settings.mlflow.database_url or f"sqlite:///{file}"
