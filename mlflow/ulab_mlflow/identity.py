"""What MLflow calls to learn who is asking: the gateway's signed header, never a password."""

from __future__ import annotations

import functools
import logging
import os
import secrets
import time
from pathlib import Path

from flask import Response, g, request
from werkzeug.datastructures import Authorization

from ulab_core.secret_files import shared_key
from ulab_mlflow.names import IDENTITY_HEADER
from ulab_mlflow.signature import signer

HOOK = f"{__name__}:authorize"
KEY_FILE_VARIABLE = "ULAB_MLFLOW_IDENTITY_KEY"

_log = logging.getLogger(__name__)
_known: set[str] = set()


def authorize() -> Authorization | Response:
    """Who is asking, or a refusal.

    Notes
    -----
    MLflow calls this several times a request and must get the same answer each time: some of its
    filters take an answer without a name for "authentication is not set up" and let everything
    through. The first answer is therefore kept for the request, and nothing is ever raised.
    """
    try:
        kept: Authorization | Response | None = g.get("ulab_identity")
        if kept is None:
            kept = g.ulab_identity = _identify()
        return kept
    except Exception:
        _log.exception("the identity of a request could not be told")
        return _refusal()


def _identify() -> Authorization | Response:
    name = signer(_key(), request.headers.get(IDENTITY_HEADER, ""), time.time())
    if name is None:
        return _refusal()
    _ensure_user(name)
    return Authorization("ulab", {"username": name, "password": ""})


def _refusal() -> Response:
    return Response("This request was not signed by the gateway.", 401)


@functools.cache
def _key() -> bytes:
    return shared_key(Path(os.environ[KEY_FILE_VARIABLE]))


def _ensure_user(name: str) -> None:
    """Let MLflow know the person; the password is a formality that nobody is told."""
    if name in _known:
        return
    # Imported late: MLflow's own module imports this one while it is set up.
    from mlflow.exceptions import MlflowException
    from mlflow.server.auth import store

    if not store.has_user(name):
        try:
            store.create_user(name, secrets.token_urlsafe(32))
        except MlflowException:
            if not store.has_user(name):
                raise
    _known.add(name)
