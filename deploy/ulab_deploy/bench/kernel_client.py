"""One cell in one kernel of a student's server, asked for through the proxy as a browser would."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from ulab_core.errors import UserError
from ulab_core.i18n import mark

CELL = "import torch, torchvision, mlflow; torch.ones(3).sum()"


class CellFailed(UserError):
    """A kernel did not start, or its cell ended with an error."""


async def run_first_cell(
    client: httpx.AsyncClient, url: str, student: str, token: str, patience_s: float
) -> None:
    """Start a kernel of the default kind and run `CELL` in it, until its reply is here.

    Raises
    ------
    CellFailed
    """
    headers = {"Authorization": f"token {token}"}
    kernels = f"/user/{student}/api/kernels"
    answer = await client.post(f"{url}{kernels}", headers=headers, json={})
    if answer.status_code != 201:
        raise CellFailed(
            mark("The kernel of {student} did not start: {reason}"),
            student=student,
            reason=f"HTTP {answer.status_code}",
        )
    address = url.replace("http", "ws", 1)
    request = HTTPRequest(
        f"{address}{kernels}/{answer.json()['id']}/channels",
        headers=headers,
        connect_timeout=patience_s,
        request_timeout=patience_s,
    )
    connection = await websocket_connect(request)
    try:
        message = execute_request()
        await connection.write_message(json.dumps(message))
        while True:
            received = await connection.read_message()
            if received is None:
                raise CellFailed(
                    mark("The connection to the kernel of {student} was closed."), student=student
                )
            if isinstance(received, str) and over(
                student, json.loads(received), message["header"]["msg_id"]
            ):
                return
    finally:
        connection.close()


def over(student: str, message: dict[str, Any], request: str) -> bool:
    """Whether `message` is the reply to `request`.

    Raises
    ------
    CellFailed
        The reply says that the cell failed, or the message that the kernel died.
    """
    content = message.get("content", {})
    if content.get("execution_state") in ("dead", "restarting"):
        raise CellFailed(mark("The kernel of {student} died."), student=student)
    mine = message.get("parent_header", {}).get("msg_id") == request
    if not mine or message.get("msg_type") != "execute_reply":
        return False
    if content.get("status") != "ok":
        raise CellFailed(
            mark("The torch cell of {student} failed: {reason}"),
            student=student,
            reason=f"{content.get('ename')}: {content.get('evalue')}",
        )
    return True


def execute_request() -> dict[str, Any]:
    return {
        "channel": "shell",
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid.uuid4().hex,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": CELL,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
        "buffers": [],
    }
