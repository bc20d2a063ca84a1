"""Tiny wheels, and a person's terminal, for tests of packages that people install themselves."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

PROMPT_S = 20


def write_wheel(folder: Path, name: str, version: str, source: str, command: str = "") -> None:
    """Make a wheel with one module.

    Parameters
    ----------
    command
        The name of a program that calls the module's ``main()``.
    """
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if command:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{command} = {name}:main\n"
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)


async def in_terminal(url: str, name: str, token: str, command: str) -> str:
    """Type a command into a new terminal of a person's server, and give back what it writes."""
    headers = {"Authorization": f"token {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        answer = await client.post(f"{url}/user/{name}/api/terminals")
    assert answer.status_code == 200, answer.text
    address = url.replace("http", "ws", 1)
    where = f"{address}/user/{name}/terminals/websocket/{answer.json()['name']}"
    socket = await websocket_connect(HTTPRequest(where, headers=headers))
    # What is typed is shown too, and must not look like what is written.
    await socket.write_message(json.dumps(["stdin", f"echo be''gun; {command}; echo en''ded\r"]))
    written = ""
    while "ended" not in written:
        message = await asyncio.wait_for(socket.read_message(), PROMPT_S)
        assert isinstance(message, str), written
        kind, *content = json.loads(message)
        written += content[0] if kind == "stdout" else ""
    return written.rpartition("begun")[2].partition("ended")[0].strip()
