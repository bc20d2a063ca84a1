"""Run cells in a person's own kernel, through the proxy as JupyterLab does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ANSWER_S = 90
ASK_AGAIN_S = 2


class Kernel:
    """A kernel of someone's server.

    Use `open_kernel` to get one.
    """

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket

    async def run(self, code: str) -> list[dict[str, Any]]:
        """Execute a cell and give back what JupyterLab would be told of it, until it has ended."""
        request = await self._send("execute_request", _execute_content(code))
        heard: list[dict[str, Any]] = []
        while True:
            message = await asyncio.wait_for(self._next_published(), ANSWER_S)
            state = message["content"].get("execution_state")
            own = message["parent_header"].get("msg_id") == request
            if own:
                heard.append({"type": message["msg_type"], **message["content"]})
            elif state == "restarting":
                heard.append({"type": "status", **message["content"]})
            if (own and state == "idle") or state == "restarting":
                return heard

    async def wait_until_back(self) -> None:
        """Wait until a restarted kernel is heard again.

        Its requests may get through before what it publishes does, as the server's sockets connect
        to it again one by one: what it publishes in between reaches nobody.
        """
        asked = set()
        async with asyncio.timeout(ANSWER_S):
            while True:
                asked.add(await self._send("kernel_info_request", {}))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ASK_AGAIN_S):
                        while (await self._next_published())["parent_header"].get(
                            "msg_id"
                        ) not in asked:
                            pass
                    return

    async def text(self, code: str) -> str:
        """What a cell writes, errors included."""
        parts = []
        for heard in await self.run(code):
            if heard["type"] == "stream":
                parts.append(heard["text"])
            elif heard["type"] == "error":
                parts.append("\n".join(heard["traceback"]))
            elif heard["type"] == "execute_result":
                parts.append(heard["data"]["text/plain"])
        return "".join(parts)

    async def _send(self, kind: str, content: dict[str, Any]) -> str:
        request = uuid.uuid4().hex
        await self._socket.write_message(json.dumps(_shell_request(request, kind, content)))
        return request

    async def _next_published(self) -> dict[str, Any]:
        while True:
            answer = await self._socket.read_message()
            assert answer is not None, "the connection was closed"
            if isinstance(answer, bytes):
                continue
            message: dict[str, Any] = json.loads(answer)
            if message["channel"] == "iopub":
                return message


async def open_kernel(
    url: str, name: str, token: str, *, spec: str = "python3", running: str = ""
) -> Kernel:
    """Start a kernel in the server of `name`, which has to be running.

    Parameters
    ----------
    url
        The base's address.
    token
        A token of this person.
    spec
        Which kernel spec it is of.
    running
        The number of a kernel that runs, to connect to instead.
    """
    headers = {"Authorization": f"token {token}"}
    if not running:
        async with httpx.AsyncClient(headers=headers, timeout=60) as client:
            answer = await client.post(f"{url}/user/{name}/api/kernels", json={"name": spec})
        assert answer.status_code == 201, answer.text
        running = answer.json()["id"]
    address = url.replace("http", "ws", 1)
    channels = f"{address}/user/{name}/api/kernels/{running}/channels"
    socket = await websocket_connect(HTTPRequest(channels, headers=headers))
    return Kernel(socket)


def _shell_request(request: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel": "shell",
        "header": {
            "msg_id": request,
            "msg_type": kind,
            "username": "",
            "session": uuid.uuid4().hex,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": content,
    }


def _execute_content(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
