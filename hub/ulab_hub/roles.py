"""What each user, server and service may ask of the hub: the least it needs, and no more."""

from __future__ import annotations

from typing import Any

PORTAL = "ulab"
MLFLOW = "mlflow"
CULLER = "idle-culler"

SERVICE_ACCESS = [f"access:services!service={PORTAL}", f"access:services!service={MLFLOW}"]
USER_SCOPES = ["self", *SERVICE_ACCESS]
# A server's token lies in the student's sandbox: it speaks as the student, to our services only.
SERVER_TOKEN_SCOPES = ["users:activity!user", "access:servers!server", *SERVICE_ACCESS]
# With these the portal's page acts for the person who is looking at it, with their own token.
PORTAL_CLIENT_SCOPES = [
    f"access:services!service={PORTAL}",
    "access:servers!user",
    "servers!user",
    "read:users!user",
]


def roles() -> list[dict[str, Any]]:
    """The hub's roles, in the form of ``JupyterHub.load_roles``."""
    return [
        {
            "name": "user",
            "description": "A person: own things, the portal and MLflow",
            "scopes": USER_SCOPES,
        },
        {
            "name": "portal",
            "description": "The portal sees who has a server running, and starts servers",
            "scopes": ["list:users", "read:users", "read:servers", "servers"],
            "services": [PORTAL],
        },
        {
            "name": "mlflow",
            "description": "The MLflow gateway sees who exists",
            "scopes": ["list:users", "read:users:name"],
            "services": [MLFLOW],
        },
        {
            "name": "culler",
            "description": "The idle culler ends servers that nobody uses",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": [CULLER],
        },
    ]
