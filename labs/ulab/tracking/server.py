"""Asks a tracking server over HTTP, with short patience, and says what kind of refusal it met."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from ulab.tracking.trouble import Refusal, Trouble

WORKSPACE_HEADER = "X-MLFLOW-WORKSPACE"
API = "/api/2.0/mlflow"
# To a server that is there; a batch of 1,000 takes a busy one seconds.
SECONDS = 60.0
SECONDS_TO_CONNECT = 5.0


def refusal(status: int, body: bytes) -> Refusal:
    """What an answer means that is not a success.

    A page instead of JSON does not come from the tracking server: while that restarts, a proxy or
    the hub answers for it, with 404 too. Nothing is given up for that.
    """
    try:
        answer = json.loads(body)
        settled = isinstance(answer, dict) and ("error_code" in answer or "detail" in answer)
    except ValueError:
        settled = False
    if not settled:
        kind = Trouble.LOGIN if status == 401 else Trouble.AWAY
        return Refusal(kind, f"HTTP {status}")
    if status in (408, 425, 429) or not 400 <= status < 500:
        kind = Trouble.AWAY
    else:
        kind = _KINDS.get(status, Trouble.REFUSED)
    sentence = str(answer.get("message") or answer.get("detail") or "")
    # MLflow puts its code before the sentence; the code says nothing to a student.
    return Refusal(kind, re.sub(r"^[A-Z_]+: ", "", sentence).strip() or f"HTTP {status}")


_KINDS = {401: Trouble.LOGIN, 403: Trouble.FORBIDDEN, 404: Trouble.MISSING}


class Server:
    """A tracking server, asked as the person whose token the environment holds.

    Parameters
    ----------
    uri
        Its address, such as ``http://127.0.0.1:8000/services/mlflow``.
    token
        Empty where the server asks for none.
    """

    def __init__(self, uri: str, token: str, language: str) -> None:
        parts = urlsplit(uri)
        self._class = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host = parts.hostname or ""
        self._port = parts.port
        self._below = parts.path.rstrip("/")
        self._connection: HTTPConnection | None = None
        self._headers = {"Accept-Language": language, "User-Agent": "ulab"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def of_environment(cls) -> Server:
        return cls(
            os.environ["MLFLOW_TRACKING_URI"],
            os.environ.get("MLFLOW_TRACKING_TOKEN", ""),
            os.environ.get("ULAB_LANGUAGE") or "zh",
        )

    def get(self, path: str, workspace: str | None, **query: str) -> dict[str, Any]:
        return self._ask("GET", f"{path}?{urlencode(query)}", workspace)

    def post(self, path: str, workspace: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        # Non-ASCII is escaped, so that a character more is a byte more.
        data = json.dumps(body).encode()
        return self._ask("POST", API + path, workspace, data, "application/json")

    def upload(self, file: Path, to: str, workspace: str | None) -> None:
        """Send a file as it is.

        Raises
        ------
        Refusal
            It was not taken.
        OSError
            The file can't be read.
        """
        with file.open("rb") as content:
            where = f"/api/2.0/mlflow-artifacts/artifacts/{quote(to)}"
            self._ask("PUT", where, workspace, content, "application/octet-stream")

    def _ask(
        self,
        method: str,
        path: str,
        workspace: str | None,
        data: bytes | IO[bytes] | None = None,
        kind: str = "",
    ) -> dict[str, Any]:
        headers = dict(self._headers)
        if workspace:
            headers[WORKSPACE_HEADER] = workspace
        if data is not None:
            headers["Content-Type"] = kind
            # Otherwise an open file is sent in chunks, which a gateway can't measure beforehand.
            size = len(data) if isinstance(data, bytes) else os.fstat(data.fileno()).st_size
            headers["Content-Length"] = str(size)
        reused = self._connection is not None
        try:
            status, body = self._exchange(method, path, data, headers)
        except (OSError, HTTPException) as error:
            self.close()
            if not reused:
                raise Refusal(Trouble.AWAY, str(error) or type(error).__name__) from None
            # The server may have closed it while it was idle. Asking twice does no harm: every
            # request but making a run can be repeated, and that one is looked for first.
            if data is not None and not isinstance(data, bytes):
                data.seek(0)
            try:
                status, body = self._exchange(method, path, data, headers)
            except (OSError, HTTPException) as again:
                self.close()
                raise Refusal(Trouble.AWAY, str(again) or type(again).__name__) from None
        if status >= 300:
            raise refusal(status, body)
        try:
            answer = json.loads(body or b"{}")
        except ValueError:
            raise Refusal(Trouble.AWAY, f"HTTP {status}") from None
        return answer if isinstance(answer, dict) else {}

    def _exchange(
        self, method: str, path: str, data: bytes | IO[bytes] | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._class(self._host, self._port, timeout=SECONDS_TO_CONNECT)
            self._connection.connect()
            self._connection.sock.settimeout(SECONDS)
        self._connection.request(method, self._below + path, data, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, body

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
