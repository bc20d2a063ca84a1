"""What is passed on to MLflow and back, through real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ulab_mlflow.forwarding import Forwarder

PATIENCE_S = 20


@asynccontextmanager
async def served(app: Starlette, socket: Path) -> AsyncIterator[httpx.AsyncClient]:
    server = uvicorn.Server(uvicorn.Config(app, uds=str(socket), log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://base") as client:
        yield client
    server.should_exit = server.force_exit = True
    await serving


async def test_what_mlflow_has_not_said_to_the_end_is_let_go_when_the_reader_leaves(
    tmp_path: Path,
) -> None:
    left = asyncio.Event()

    async def begin_and_wait(request: Request) -> Response:
        async def words() -> AsyncIterator[bytes]:
            try:
                yield b"first"
                await asyncio.sleep(600)
            finally:
                left.set()

        return StreamingResponse(words())

    forwarder = Forwarder(tmp_path / "mlflow.sock", b"key")

    async def pass_on(request: Request) -> Response:
        return await forwarder.forward(request, "", "ann", None, 1)

    mlflow = Starlette(routes=[Route("/", begin_and_wait)])
    gateway = Starlette(routes=[Route("/", pass_on)])
    async with (
        served(mlflow, tmp_path / "mlflow.sock"),
        served(gateway, tmp_path / "gateway.sock") as reader,
        asyncio.timeout(PATIENCE_S),
    ):
        async with reader.stream("GET", "/") as answer:
            # It comes as it is said, however little it is.
            assert await anext(answer.aiter_raw()) == b"first"
            assert not left.is_set()
        await left.wait()
    await forwarder.close()
