"""The proxy between browsers and the unix sockets of the hub and its services."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from integration.hub_stub import free_port
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from ulab_core.programs import PROXY, node
from ulab_hub.services import socket_url

MANY = 200
LARGE = 100 * 2**20
PIECE = bytes(2**20)


class Refusing(RequestHandler):
    def post(self) -> None:
        self.set_status(403)
        self.finish("no")


class Telling(RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        for number in range(3):
            self.write(f"data: {number}\n\n")
            await self.flush()
            await asyncio.sleep(0.3)


@stream_request_body
class Large(RequestHandler):
    def prepare(self) -> None:
        self.seen = 0
        self.request.connection.set_max_body_size(2 * LARGE)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> None:
        self.seen += len(chunk)

    def put(self) -> None:
        self.finish(str(self.seen))

    async def get(self) -> None:
        for _ in range(LARGE // len(PIECE)):
            self.write(PIECE)
            await self.flush()


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


HANDLERS = [
    ("/b/refused", Refusing),
    ("/b/events", Telling),
    ("/b/large", Large),
    ("/b/echo", Echo),
]


class Backend:
    """A web server of the hub's kind on a unix socket, which can go and come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.start()

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        ready.wait()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = HTTPServer(Application(HANDLERS))
        server.add_socket(bind_unix_socket(str(self.path)))
        ready.set()
        await self._over.wait()
        server.stop()
        await server.close_all_connections()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    running = Backend(tmp_path_factory.mktemp("backend") / "b.sock")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def proxy(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the proxy, whose ``/b/`` leads to the backend."""
    port, api = free_port(), tmp_path_factory.mktemp("proxy") / "api.sock"
    process = subprocess.Popen(
        [
            *(str(node()), str(PROXY), "--log-level", "error"),
            *("--ip", "127.0.0.1", "--port", str(port), "--api-socket", str(api)),
        ],
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": "t"},
    )
    try:
        transport = httpx.HTTPTransport(uds=str(api))
        until = time.monotonic() + 20
        while not api.exists() and time.monotonic() < until:
            time.sleep(0.05)
        with httpx.Client(transport=transport, base_url="http://proxy") as client:
            client.post(
                "/api/routes/b",
                json={"target": socket_url(backend.path)},
                headers={"Authorization": "token t"},
            ).raise_for_status()
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def post(proxy: str, body: bytes = b"username=a&password=b") -> int:
    """Post as a simple program does, which asks for the connection to be closed."""
    host, port = proxy.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"POST /b/refused HTTP/1.1\r\nHost: {proxy}\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1])


def test_what_a_backend_answers_at_once_reaches_the_browser(proxy: str) -> None:
    one_by_one = Counter(post(proxy) for _ in range(MANY))
    with httpx.Client(base_url=f"http://{proxy}") as client:
        kept_open = Counter(
            client.post("/b/refused", data={"a": "b"}).status_code for _ in range(MANY)
        )
    assert (one_by_one, kept_open) == ({403: MANY}, {403: MANY})


def test_a_backend_that_was_restarted_is_found_again(proxy: str, backend: Backend) -> None:
    for _ in range(5):
        assert post(proxy) == 403
        backend.stop()
        backend.start()
        assert post(proxy) == 403


def test_events_arrive_as_they_happen(proxy: str) -> None:
    with httpx.stream("GET", f"http://{proxy}/b/events", timeout=20) as answer:
        arrivals = [time.monotonic() for piece in answer.iter_raw() if piece]
    assert len(arrivals) == 3
    assert arrivals[-1] - arrivals[0] > 0.4


def test_a_large_body_passes_both_ways(proxy: str) -> None:
    body = (PIECE for _ in range(LARGE // len(PIECE)))
    assert httpx.put(f"http://{proxy}/b/large", content=body, timeout=60).text == str(LARGE)
    with httpx.stream("GET", f"http://{proxy}/b/large", timeout=60) as answer:
        assert sum(map(len, answer.iter_raw())) == LARGE


def test_web_sockets_pass(proxy: str) -> None:
    async def talk() -> list[str | bytes | None]:
        connection = await websocket_connect(f"ws://{proxy}/b/echo")
        await asyncio.sleep(0.1)
        await connection.write_message("hello")
        await connection.write_message("again")
        heard = [await connection.read_message() for _ in range(2)]
        connection.close()
        return heard

    assert asyncio.run(talk()) == ["hello", "again"]
