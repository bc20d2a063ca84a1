"""MLflow's HTTP API, spoken over its unix socket as the platform itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.secret_files import shared_key
from ulab_core.settings import Settings
from ulab_mlflow.names import (
    IDENTITY_HEADER,
    PLATFORM,
    WORKSPACE_HEADER,
    identity_key_file,
    socket_of,
)
from ulab_mlflow.signature import sign

GONE = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's word for what isn't there."""


class MlflowDown(UserError):
    """MLflow doesn't answer; the hub is starting it again."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            mark("Experiment tracking is being restarted. Try again in half a minute.")
        )


class MlflowRefusal(Exception):
    """MLflow answered with an error.

    Attributes
    ----------
    code
        MLflow's word for it, such as ``RESOURCE_ALREADY_EXISTS``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Admin:
    """Calls MLflow as its administrator.

    Parameters
    ----------
    socket
        Where MLflow listens.
    key
        The key of identity headers.
    """

    def __init__(self, socket: Path, key: bytes) -> None:
        self._key = key
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)),
            base_url="http://mlflow/api/",
            timeout=httpx.Timeout(60, connect=5),
        )

    @classmethod
    def of(cls, settings: Settings) -> Admin:
        """That of the base with these settings."""
        return cls(socket_of(settings), shared_key(identity_key_file(settings)))

    def call(
        self,
        method: str,
        path: str,
        *,
        inside: str | None = None,
        person: str = PLATFORM,
        **values: Any,
    ) -> dict[str, Any]:
        """Call one endpoint.

        Parameters
        ----------
        path
            Below ``/api/``, such as ``2.0/mlflow/experiments/create``.
        inside
            The workspace to act in.
        person
            Whose rights it takes.
        **values
            Query parameters of a GET, else the JSON body.

        Raises
        ------
        MlflowDown
            There is no answer.
        MlflowRefusal
            The answer is an error.
        """
        headers = {IDENTITY_HEADER: sign(self._key, person, time.time())}
        if inside is not None:
            headers[WORKSPACE_HEADER] = inside
        asks = method == "GET"
        try:
            response = self._client.request(
                method,
                path,
                headers=headers,
                params=values if asks else None,
                json=None if asks else values,
            )
        except httpx.TransportError:
            raise MlflowDown from None
        if response.is_error:
            raise _refusal(response)
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def pages(
        self, method: str, path: str, *, inside: str, **values: Any
    ) -> Iterator[dict[str, Any]]:
        """Each answer of a search, as long as there are more."""
        while True:
            answer = self.call(method, path, inside=inside, **values)
            yield answer
            if not answer.get("next_page_token"):
                return
            values["page_token"] = answer["next_page_token"]

    def create(
        self, method: str, path: str, *, inside: str | None = None, **values: Any
    ) -> dict[str, Any] | None:
        """Like `call`, but None when what should be created is there already."""
        try:
            return self.call(method, path, inside=inside, **values)
        except MlflowRefusal as refusal:
            if refusal.code != "RESOURCE_ALREADY_EXISTS":
                raise
            return None

    def close(self) -> None:
        self._client.close()


def _refusal(response: httpx.Response) -> MlflowRefusal:
    try:
        body = response.json()
        return MlflowRefusal(str(body["error_code"]), str(body.get("message", "")))
    except (ValueError, KeyError, TypeError):
        return MlflowRefusal(f"HTTP {response.status_code}", response.text[:200])
