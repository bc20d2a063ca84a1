"""Run cells in a person's own kernel, through the proxy as JupyterLab does."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ANSWER_S = 90


class Kernel:
    """A kernel of someone's server.

    Use `open_kernel` to get one.
    """

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket

    async def run(self, code: str) -> list[dict[str, Any]]:
        """Execute a cell and give back what JupyterLab would be told of it, until it has ended."""
        request = uuid.uuid4().hex
        await self._socket.write_message(json.dumps(_execute_request(request, code)))
        heard: list[dict[str, Any]] = []
        while True:
            answer = await asyncio.wait_for(self._socket.read_message(), ANSWER_S)
            assert answer is not None, f"the connection was closed; heard {heard}"
            if isinstance(answer, bytes):
                continue
            message = json.loads(answer)
            if message["channel"] != "iopub":
                continue
            state = message["content"].get("execution_state")
            own = message["parent_header"].get("msg_id") == request
            if own:
                heard.append({"type": message["msg_type"], **message["content"]})
            elif state == "restarting":
                heard.append({"type": "status", **message["content"]})
            if (own and state == "idle") or state == "restarting":
                return heard

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


def _execute_request(request: str, code: str) -> dict[str, Any]:
    return {
        "channel": "shell",
        "header": {
            "msg_id": request,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid.uuid4().hex,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
    }
