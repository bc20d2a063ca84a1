"""Passes a request on to MLflow and its answer back, both as a stream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from urllib.parse import quote_from_bytes

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    UnixConnector,
)
from multidict import CIMultiDict
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from yarl import URL

from ulab_core.errors import TooLarge
from ulab_core.i18n import mark
from ulab_mlflow.admin import MlflowDown
from ulab_mlflow.names import IDENTITY_HEADER, WORKSPACE_HEADER
from ulab_mlflow.signature import sign

MIB = 1024 * 1024
SHORT = MIB
"""What is no longer than this many bytes is passed on in one piece."""
READ_AHEAD = MIB // 4
CONNECTIONS = 200
KEPT_S = 30
"""Seconds an idle connection is kept; MLflow keeps it longer (see `ulab_mlflow.server`)."""

# Everything that may stand in a request line.
_AS_IS = "".join(map(chr, range(33, 127)))

# Hop-by-hop ones belong to one connection; the rest would tell MLflow about the browser's login or
# address, which it must learn from the signed header alone.
_NOT_SENT = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "expect", "host", "authorization", "cookie", "origin",
        "referer", "forwarded", "x-real-ip", "accept-encoding",
    }
)  # fmt: skip
_NOT_SENT_PREFIXES = ("x-forwarded-", "x-ulab-", "x-mlflow-workspace", "sec-fetch-", "x-scheme")
_NOT_RETURNED = frozenset(
    {
        "connection", "keep-alive", "transfer-encoding", "trailer", "upgrade", "set-cookie",
        "server", "date", "www-authenticate",
    }
)  # fmt: skip


def request_headers(
    received: Iterable[tuple[bytes, bytes]], client: str, identity: str, workspace: str | None
) -> CIMultiDict[str]:
    """The headers MLflow gets.

    Parameters
    ----------
    received
        What the browser sent, names in lower case.
    client
        The browser's address as far as it is known; without one, parts of MLflow would trust the
        request as one from the machine itself.
    identity
        The signed header's value.
    """
    ours = {
        "host": "mlflow",
        "accept-encoding": "identity",
        "x-forwarded-for": client or "unknown",
        IDENTITY_HEADER: identity,
    }
    if workspace is not None:
        ours[WORKSPACE_HEADER] = workspace
    sent = CIMultiDict[str]()
    for raw, value in received:
        name = raw.decode("latin-1")
        if _passes(name):
            sent.add(name, value.decode("ascii", "replace"))
    sent.update(ours)
    return sent


def _passes(name: str) -> bool:
    # "_" and "-" become the same in WSGI, so a look-alike could replace a header of ours.
    return "_" not in name and name not in _NOT_SENT and not name.startswith(_NOT_SENT_PREFIXES)


def has_body(request: Request) -> bool:
    """Whether a body follows, be it empty."""
    return "content-length" in request.headers or "transfer-encoding" in request.headers


class PassedOn(StreamingResponse):
    """MLflow's answer, passed on as it comes and let go when the reader has it or leaves."""

    def __init__(self, answer: ClientResponse) -> None:
        super().__init__(answer.content.iter_any(), answer.status)
        self._answer = answer
        self.raw_headers = [
            (name.lower(), value)
            for name, value in answer.raw_headers
            if name.lower().decode("latin-1") not in _NOT_RETURNED
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            size = self._answer.content_length
            if size is not None and size <= SHORT:
                body = await self._answer.read()
                start = {"status": self.status_code, "headers": self.raw_headers}
                await send({"type": "http.response.start", **start})
                await send({"type": "http.response.body", "body": body})
            else:
                await super().__call__(scope, receive, send)
        finally:
            self.let_go()

    async def whole(self) -> bytes:
        """All of the answer, for whoever passes on something else."""
        try:
            return await self._answer.read()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Free the connection to MLflow; close it where the answer has not come to its end."""
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


class Forwarder:
    """The connections to MLflow's socket."""

    def __init__(self, socket: Path, key: bytes) -> None:
        self._socket, self._key = socket, key
        self._session: ClientSession | None = None

    async def forward(
        self, request: Request, below: str, person: str, workspace: str | None, limit_mb: int
    ) -> PassedOn:
        """Send `request` on as `person`.

        Parameters
        ----------
        below
            What to leave out of the path.
        limit_mb
            The largest body taken, in MiB.

        Raises
        ------
        TooLarge
            The body is larger.
        MlflowDown
            MLflow can't be reached, or went away before it answered.
        """
        headers = request.headers
        forwarded = headers.get("x-forwarded-for", "").split(",")[0].strip()
        client = forwarded or (request.client.host if request.client else "")
        size = int(headers["content-length"]) if "content-length" in headers else None
        if size is not None and size > limit_mb * MIB:
            raise _too_large(limit_mb)
        body: bytes | _Counted | None = None
        if size is not None and size <= SHORT:
            body = await request.body()
        elif has_body(request):
            body = _Counted(request, limit_mb)
        try:
            answer = await self._open().request(
                request.method,
                _target(request.scope, below),
                headers=request_headers(
                    headers.raw, client, sign(self._key, person, time.time()), workspace
                ),
                data=body.parts() if isinstance(body, _Counted) else body,
                allow_redirects=False,
            )
        except (ClientError, OSError, TimeoutError):
            if isinstance(body, _Counted) and body.too_large is not None:
                raise body.too_large from None
            raise MlflowDown from None
        return PassedOn(answer)

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=UnixConnector(
                    str(self._socket), limit=CONNECTIONS, keepalive_timeout=KEPT_S
                ),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=READ_AHEAD,
                skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
                # A large artifact or a slow search takes its time; a dead server is seen at once.
                timeout=ClientTimeout(total=None, connect=60, sock_connect=5, sock_read=600),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _target(scope: Scope, below: str) -> URL:
    raw: bytes = scope["raw_path"][len(below) :]
    if scope["query_string"]:
        raw += b"?" + scope["query_string"]
    # Said to MLflow as it was said to us, not as another program understood it.
    return URL(f"http://mlflow{quote_from_bytes(raw, _AS_IS)}", encoded=True)


class _Counted:
    """The body of a request, unless it turns out to be larger than it may be.

    Attributes
    ----------
    too_large
        The refusal once it did; whoever sends the body on reports no more than that it ended.
    """

    def __init__(self, request: Request, limit_mb: int) -> None:
        self._request, self._limit_mb = request, limit_mb
        self.too_large: TooLarge | None = None

    async def parts(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._request.stream():
            size += len(chunk)
            if size > self._limit_mb * MIB:
                self.too_large = _too_large(self._limit_mb)
                raise self.too_large
            yield chunk


def _too_large(limit_mb: int) -> TooLarge:
    return TooLarge(
        mark("This is more than the {limit} MiB that can be kept with a run at once."),
        limit=limit_mb,
    )
