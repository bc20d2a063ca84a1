"""Kernels, and what they are asked, in the sandbox of `test_warm_kernels`.

Runs as a program inside: it reads a line of JSON for each act and answers with one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import traceback
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

ANSWER_S = 60
STOCK, WARM = "stock", "warm"


class Kernel:
    """A kernel that was started, and its client."""

    def __init__(self, manager: Any, client: AsyncKernelClient, folder: Any) -> None:
        self.manager = manager
        self.client = client
        self._folder = folder

    @property
    def process(self) -> Any:
        return self.manager.provisioner.process

    async def ask(self, code: str, **options: Any) -> str:
        """The number of a request to run `code`."""
        return self.client.execute(code, **options)

    async def hear(self, request: str) -> dict[str, Any]:
        """What came of a request to run code, once the kernel is idle again."""
        found: dict[str, Any] = {"text": {}, "data": []}
        while True:
            message = await self.client.get_iopub_msg(timeout=ANSWER_S)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                name = content["name"]
                found["text"][name] = found["text"].get(name, "") + content["text"]
            elif kind in ("display_data", "execute_result"):
                found["data"].append(content["data"])
            elif kind == "error":
                found["error"] = [content["ename"], content["evalue"]]
            elif kind == "status" and content["execution_state"] == "idle":
                return found

    async def run(self, code: str) -> dict[str, Any]:
        return await self.hear(await self.ask(code))

    async def value(self, expression: str) -> Any:
        """What an expression is, which JSON can carry."""
        found = await self.run(f"import json as _j; print('\\n' + _j.dumps({expression}))")
        assert "error" not in found, found
        return json.loads(found["text"]["stdout"].splitlines()[-1])

    async def reply(self, request: str, channel: str = "shell") -> dict[str, Any]:
        """The content of the answer to a request."""
        while True:
            get = getattr(self.client, f"get_{channel}_msg")
            message = await get(timeout=ANSWER_S)
            if message["parent_header"].get("msg_id") == request:
                return dict(message["content"])

    async def started(self, code: str) -> str:
        """The number of a request to run `code`, once it says that it runs."""
        # A loop in C leaves no other thread the time to send what was printed.
        first = "print('running', flush=True); import time; time.sleep(0.2)"
        request = await self.ask(f"{first}\n{code}")
        while True:
            message = await self.client.get_iopub_msg(timeout=ANSWER_S)
            if message["msg_type"] == "stream" and "running" in message["content"]["text"]:
                return request

    async def ended(self) -> int | None:
        """Its exit status, once it has ended."""
        for _ in range(ANSWER_S * 20):
            if (status := await self.manager.provisioner.poll()) is not None:
                return int(status)
            await asyncio.sleep(0.05)
        return None

    async def end(self, now: bool = True) -> None:
        self.client.stop_channels()
        await self.manager.shutdown_kernel(now=now)
        self._folder.cleanup()


def manager_of(way: str, folder: str) -> AsyncKernelManager:
    """A kernel's manager, which gets it from our provisioner or from Jupyter's own."""
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{folder}/s")
    manager.connection_file = f"{folder}/c.json"
    if way == STOCK:
        manager.kernel_spec.metadata.pop("kernel_provisioner")
    return manager


async def start(way: str, **options: Any) -> Kernel:
    """Start a kernel and wait until it answers."""
    folder = tempfile.TemporaryDirectory(prefix="k", dir="/tmp")
    manager = manager_of(way, folder.name)
    await manager.start_kernel(**options)
    kernel = Kernel(manager, await connected(manager), folder)
    assert (type(kernel.process).__name__ == "ForkedProcess") == (way == WARM), kernel.process
    return kernel


async def connected(manager: Any) -> AsyncKernelClient:
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=ANSWER_S)
    return client


_shared: dict[str, Kernel] = {}


async def shared(way: str) -> Kernel:
    """The kernel of acts that leave a kernel as it was."""
    if way not in _shared:
        _shared[way] = await start(way)
    return _shared[way]


async def serve(acts: Any) -> None:
    """Answer each line of standard input."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        try:
            result = await getattr(acts, asked["act"])(*asked["arguments"])
            answer = {"result": result}
        except BaseException:
            answer = {"failed": traceback.format_exc()}
        print(json.dumps(answer), file=answers)
    for kernel in _shared.values():
        await kernel.end()
