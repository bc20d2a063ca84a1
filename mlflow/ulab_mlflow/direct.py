"""Hands MLflow what its Flask application answers straight, and files in large pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.middleware.wsgi import build_environ
from starlette.responses import FileResponse
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What students' loops call. Answers are short, so each is sent as one piece.
_DIRECT = re.compile(
    r"/(?:ajax-)?api/2\.0/mlflow/"
    r"(?:runs|metrics|experiments|registered-models|model-versions|artifacts)/[a-z-]+"
)
# Python runs one thread at a time, and SQLite writes for one; more only wait for one another. Some
# are let in beside it, so that a long search holds up nobody.
THREADS = 8


# Each piece of a file costs a thread's turn and a way through all layers.
PIECE = 1024 * 1024


def in_large_pieces(receive: Receive) -> Receive:
    """Receive a body in fewer and larger pieces, each of `PIECE` bytes and little more."""

    async def receive_more() -> Message:
        message = await receive()
        parts, size = [message.get("body", b"")], len(message.get("body", b""))
        while message.get("more_body", False) and size < PIECE:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        return (
            {**message, "body": b"".join(parts)} if message["type"] == "http.request" else message
        )

    return receive_more


class Direct:
    """MLflow's application with a shorter way to its API for runs.

    MLflow mounts its Flask application, with authorisation and checks of its own in it, below
    FastAPI for the few routes that are FastAPI's. Their layers do nothing for the others but cost
    as much as a request to the database: Flask names the workspace, checks the host and asks who
    may do it, as it does where MLflow is run without FastAPI at all.

    Parameters
    ----------
    whole
        All of MLflow: a FastAPI application.
    flask
        The Flask application in it.
    """

    def __init__(self, whole: Any, flask: Any) -> None:
        self.whole: ASGIApp = whole
        self._flask = flask
        self._native = [route for route in whole.routes if not isinstance(route, Mount)]
        self._threads: CapacityLimiter | None = None
        FileResponse.chunk_size = PIECE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.is_direct(scope):
            await self._answer(scope, receive, send)
        else:
            await self.whole(scope, in_large_pieces(receive), send)

    def is_direct(self, scope: Scope) -> bool:
        """Whether Flask would get this request anyhow."""
        if scope["method"] not in ("GET", "POST") or not _DIRECT.fullmatch(scope["path"]):
            return False
        return not any(route.matches(scope)[0] is Match.FULL for route in self._native)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        environ = build_environ(scope, b"".join(parts))
        if self._threads is None:
            self._threads = CapacityLimiter(THREADS)
        start, body = await to_thread.run_sync(self._ask, environ, limiter=self._threads)
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _ask(self, environ: dict[str, Any]) -> tuple[Message, bytes]:
        begun: list[Message] = []

        def start_response(status: str, headers: Iterable[tuple[str, str]], _: Any = None) -> None:
            encoded = [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ]
            code = int(status.split(" ", 1)[0])
            begun[:] = [{"type": "http.response.start", "status": code, "headers": encoded}]

        answer = self._flask(environ, start_response)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return begun[0], body
