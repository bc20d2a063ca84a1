"""Passes a request on to MLflow and its answer back, both as a stream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx
from anyio import CancelScope
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ulab_core.errors import TooLarge
from ulab_core.i18n import mark
from ulab_mlflow.admin import MlflowDown
from ulab_mlflow.names import IDENTITY_HEADER, WORKSPACE_HEADER
from ulab_mlflow.signature import sign

MIB = 1024 * 1024

# Hop-by-hop ones belong to one connection; the rest would tell MLflow about the browser's login or
# address, which it must learn from the signed header alone.
_NOT_SENT = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "authorization", "cookie", "origin", "referer",
        "forwarded", "x-real-ip", "accept-encoding",
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
) -> list[tuple[bytes, bytes]]:
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
    kept = [(name, value) for name, value in received if _passes(name.decode("latin-1"))]
    return kept + [(name.encode(), value.encode("latin-1")) for name, value in ours.items()]


def _passes(name: str) -> bool:
    # "_" and "-" become the same in WSGI, so a look-alike could replace a header of ours.
    return "_" not in name and name not in _NOT_SENT and not name.startswith(_NOT_SENT_PREFIXES)


def has_body(request: Request) -> bool:
    """Whether a body follows, be it empty."""
    return "content-length" in request.headers or "transfer-encoding" in request.headers


class PassedOn(StreamingResponse):
    """MLflow's answer, passed on as it comes and let go when the reader has it or leaves."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.aiter_raw(), answer.status_code)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.let_go()

    async def whole(self) -> bytes:
        """All of the answer, for whoever passes on something else."""
        try:
            return b"".join([part async for part in self._answer.aiter_raw()])
        finally:
            await self.let_go()

    async def let_go(self) -> None:
        """Free the connection to MLflow, even in a task that is being ended."""
        with CancelScope(shield=True):
            await self._answer.aclose()


class Forwarder:
    """The connections to MLflow's socket."""

    def __init__(self, socket: Path, key: bytes) -> None:
        self._key = key
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=str(socket), limits=httpx.Limits(max_connections=200)
            ),
            base_url="http://mlflow",
            # A large artifact or a slow search takes its time; a dead server is seen at once.
            timeout=httpx.Timeout(600, connect=5, pool=60),
        )

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
        raw: bytes = request.scope["raw_path"]
        query: bytes = request.scope["query_string"]
        target = raw[len(below) :] + (b"?" + query if query else b"")
        forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
        client = forwarded or (request.client.host if request.client else "")
        if int(request.headers.get("content-length", 0)) > limit_mb * MIB:
            raise _too_large(limit_mb)
        outgoing = self._client.build_request(
            request.method,
            httpx.URL("http://mlflow", raw_path=target),
            headers=request_headers(
                request.headers.raw, client, sign(self._key, person, time.time()), workspace
            ),
            content=_counted(request, limit_mb) if has_body(request) else None,
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx.TransportError:
            raise MlflowDown from None
        returned = PassedOn(answer)
        returned.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode() not in _NOT_RETURNED
        ]
        return returned

    async def close(self) -> None:
        await self._client.aclose()


async def _counted(request: Request, limit_mb: int) -> AsyncIterator[bytes]:
    """The body, unless it turns out to be larger than it may be."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_mb * MIB:
            raise _too_large(limit_mb)
        yield chunk


def _too_large(limit_mb: int) -> TooLarge:
    return TooLarge(
        mark("This is more than the {limit} MiB that can be kept with a run at once."),
        limit=limit_mb,
    )
