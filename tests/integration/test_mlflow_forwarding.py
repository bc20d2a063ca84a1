"""What is passed on to MLflow and back, through real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ulab_core.errors import UserError
from ulab_mlflow.forwarding import MIB, SHORT, Forwarder

PATIENCE_S = 20
METHODS = ["GET", "HEAD", "POST", "PUT"]


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


@asynccontextmanager
async def passed_on(
    mlflow: Starlette, folder: Path, limit_mb: int = 1
) -> AsyncIterator[httpx.AsyncClient]:
    """A reader of what is passed on to `mlflow` and back."""
    forwarder = Forwarder(folder / "mlflow.sock", b"key")

    async def pass_on(request: Request) -> Response:
        try:
            return await forwarder.forward(request, "/below", "ann", None, limit_mb)
        except UserError as error:
            return PlainTextResponse(type(error).__name__, error.status)

    gateway = Starlette(routes=[Route("/below/{path:path}", pass_on, methods=METHODS)])
    async with (
        served(mlflow, folder / "mlflow.sock"),
        served(gateway, folder / "gateway.sock") as reader,
        asyncio.timeout(PATIENCE_S),
    ):
        yield reader
    await forwarder.close()


def answering(answer: Callable[[Request], Awaitable[Response]]) -> Starlette:
    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


async def test_an_address_is_said_to_mlflow_as_it_was_said_to_us(tmp_path: Path) -> None:
    async def repeat(request: Request) -> Response:
        return Response(request.scope["raw_path"] + b"?" + request.scope["query_string"])

    async with passed_on(answering(repeat), tmp_path) as reader:
        for said in (
            "/a%20b/%E5%AE%9E?x=%2F&y=a+b&x=2",
            "/plain?filter=attributes.status%20%3D%20%27FINISHED%27&a[]=1",
            "/(a)!$&',;=:@~|?%25",
            "/a?",
        ):
            url = httpx.URL("http://base", raw_path=b"/below" + said.encode())
            assert (await reader.get(url)).text == said


async def test_bodies_of_any_size_arrive_whole_both_ways(tmp_path: Path) -> None:
    async def repeat(request: Request) -> Response:
        return Response(await request.body(), headers={"x-length-said": said_length(request)})

    def said_length(request: Request) -> str:
        return request.headers.get("content-length", "none")

    async with passed_on(answering(repeat), tmp_path, limit_mb=4) as reader:
        for size in (0, 1, SHORT, SHORT + 1, 3 * SHORT):
            body = bytes(range(256)) * (size // 256 + 1)
            answer = await reader.post("/below/", content=body[:size])
            assert answer.content == body[:size]
            assert answer.headers["x-length-said"] == str(size)
        unsaid = await reader.post("/below/", content=pieces(3 * SHORT))
        assert len(unsaid.content) == 3 * SHORT
        assert unsaid.headers["x-length-said"] == "none"
        head = await reader.head("/below/")
        assert (head.status_code, head.content) == (200, b"")


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024):
        yield bytes(1024)


async def test_a_body_that_turns_out_too_large_is_refused_and_does_not_end_in_mlflow(
    tmp_path: Path,
) -> None:
    ended = []

    async def take(request: Request) -> Response:
        await request.body()
        ended.append(True)
        return Response()

    async with passed_on(answering(take), tmp_path) as reader:
        for body in (bytes(MIB + 1), pieces(2 * MIB)):
            answer = await reader.put("/below/", content=body)
            assert (answer.status_code, answer.text) == (413, "TooLarge")
    assert not ended


async def test_a_refusal_before_the_whole_body_came_reaches_the_sender(tmp_path: Path) -> None:
    async def refuse(request: Request) -> Response:
        return PlainTextResponse("Permission denied", 403)

    async with passed_on(answering(refuse), tmp_path, limit_mb=64) as reader:
        for _ in range(2):
            answer = await reader.put("/below/", content=pieces(8 * MIB))
            assert (answer.status_code, answer.text) == (403, "Permission denied")


async def test_a_restart_of_mlflow_is_not_noticed_by_the_next_request(tmp_path: Path) -> None:
    async def answer(request: Request) -> Response:
        return Response(b"here")

    forwarder = Forwarder(tmp_path / "mlflow.sock", b"key")

    async def pass_on(request: Request) -> Response:
        return await forwarder.forward(request, "", "ann", None, 1)

    async with served(answering(pass_on), tmp_path / "gateway.sock") as reader:
        for _ in range(2):
            async with served(answering(answer), tmp_path / "mlflow.sock"):
                for _ in range(2):
                    assert (await reader.post("/", content=b"1")).text == "here"
    await forwarder.close()


async def test_without_mlflow_the_sentence_says_so(tmp_path: Path) -> None:
    async def answer(request: Request) -> Response:
        return Response(b"here")

    async with passed_on(answering(answer), tmp_path) as reader:
        (tmp_path / "mlflow.sock").unlink()
        down = await reader.post("/below/", content=b"1")
        assert (down.status_code, down.text) == (503, "MlflowDown")


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
