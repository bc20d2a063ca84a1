"""What `test_warm_kernels` has done inside its sandbox, with kernels of either way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from kernels_inside import WARM, manager_of, serve, shared, start
from traitlets.config import Config

WAS_FORKED = "import sys; print('ulab_runtime.forkserver' in sys.modules)"
PATIENCE_S = 20


async def run(way: str, code: str) -> dict[str, Any]:
    return await (await shared(way)).run(code)


async def value(way: str, expression: str) -> Any:
    return await (await shared(way)).value(expression)


async def completion(way: str, code: str) -> list[str]:
    kernel = await shared(way)
    reply = await kernel.reply(kernel.client.complete(code, len(code)))
    return list(reply["matches"])


async def debug_info(way: str) -> dict[str, Any]:
    """What the debugger says of itself, less what has to be each kernel's own."""
    kernel = await shared(way)
    content = {"type": "request", "command": "debugInfo", "seq": 1, "arguments": {}}
    message = kernel.client.session.msg("debug_request", content)
    kernel.client.control_channel.send(message)
    found = await kernel.reply(message["header"]["msg_id"], "control")
    for own in ("tmpFilePrefix", "hashSeed"):
        assert found["body"].pop(own)
    return found


async def answer_a_question(way: str) -> dict[str, Any]:
    kernel = await shared(way)
    request = await kernel.ask("print(input('How many? ') * 2)", allow_stdin=True)
    question = await kernel.client.get_stdin_msg(timeout=PATIENCE_S)
    kernel.client.input("21")
    return {**question["content"], **await kernel.hear(request)}


async def interrupt(way: str, code: str) -> list[Any]:
    """Interrupt a cell: what came of it, and whether the kernel goes on."""
    kernel = await shared(way)
    request = await kernel.started(code)
    await asyncio.sleep(0.4)
    await kernel.manager.interrupt_kernel()
    found = await kernel.hear(request)
    return [found["error"][0], await kernel.value("1 + 1")]


async def restart(way: str) -> dict[str, Any]:
    kernel = await start(way)
    await kernel.run("kept = 1")
    before = (kernel.process, kernel.manager.connection_file)
    await kernel.manager.restart_kernel()
    await kernel.client.wait_for_ready(timeout=PATIENCE_S)
    found = {
        "error": (await kernel.run("kept"))["error"],
        "same process": kernel.process is before[0],
        "same kind": type(kernel.process) is type(before[0]),
        "same file": kernel.manager.connection_file == before[1],
        "old one lives": before[0].poll() is None,
    }
    await kernel.end()
    return found


async def shut_down(way: str, now: bool) -> list[bool]:
    """End a kernel: whether it still runs, and whether it had time to do what it does at last."""
    kernel = await start(way)
    trace = Path.home() / f"last-words-{way}-{now}"
    await kernel.run(f"import atexit, pathlib; atexit.register(pathlib.Path('{trace}').touch)")
    process = kernel.process
    await kernel.end(now)
    return [process.poll() is None, await kernel.manager.is_alive(), trace.exists()]


async def end(way: str, code: str) -> Any:
    """The exit status of a kernel that runs `code`."""
    kernel = await start(way)
    await kernel.ask(code)
    status = await kernel.ended()
    await kernel.end()
    return status


async def be_told_of_caller(way: str) -> Any:
    """What a kernel sees of the folder and environment that its caller chose."""
    folder = Path.home() / "elsewhere"
    folder.mkdir(exist_ok=True)
    env = {**os.environ, "GIVEN": "by the caller", "TZ": "America/New_York"}
    kernel = await start(way, cwd=str(folder), env=env)
    found = await kernel.value(
        "[__import__('os').getcwd(), __import__('os').environ['GIVEN'],"
        " __import__('os').environ.get('PWD'), __import__('time').strftime('%Z', (2024, *[1] * 8))]"
    )
    await kernel.end()
    return found


async def numbers() -> list[list[float]]:
    """Random numbers of two forked kernels."""
    kernel = await start(WARM)
    expression = (
        "[__import__('random').random(), __import__('numpy').random.rand(),"
        " __import__('torch').rand(1).item()]"
    )
    found = [await kernel.value(expression), await (await shared(WARM)).value(expression)]
    await kernel.end()
    return found


async def own_memory() -> list[int]:
    """The MiB that a new kernel shares with the fork server, and those that it has to itself."""
    kernel = await start(WARM)
    await kernel.run("import os, pathlib; from ulab_runtime import used_memory as m")
    found = [
        await kernel.value("m.inherited() >> 20"),
        await kernel.value(
            "m.taken([m.process_of(pathlib.Path(f'/proc/{os.getpid()}'))], m.inherited()) >> 20"
        ),
    ]
    await kernel.end()
    return list(found)


async def be_restarted() -> list[Any]:
    """Kill a kernel that a Jupyter server would look after, and find another in its place."""
    settings = Config()
    settings.KernelManager.transport = "ipc"
    settings.KernelRestarter.time_to_dead = 0.2
    managers = AsyncMultiKernelManager(config=settings)
    managers.kernel_manager_class = "jupyter_client.ioloop.AsyncIOLoopKernelManager"
    identity = await managers.start_kernel(kernel_name="python3")
    manager = managers.get_kernel(identity)
    first = manager.provisioner.process
    restarted = asyncio.Event()
    manager.add_restart_callback(restarted.set)
    os.kill(first.pid, signal.SIGKILL)
    await asyncio.wait_for(restarted.wait(), PATIENCE_S)
    # It is in its place before its manager is ready to end it.
    while manager.provisioner.process in (first, None) or not manager.ready.done():
        await asyncio.sleep(0.05)
    second = manager.provisioner.process
    found = [first.poll(), second.poll(), type(second).__name__]
    await managers.shutdown_all(now=True)
    return found


async def explain_a_death(way: str, code: str) -> list[str]:
    """What a browser is told, below the cell and of the kernel, when `code` ended a kernel."""
    from ulab_runtime.kernel_deaths import TellingConnection

    kernel = await start(way)
    await kernel.ask(code)
    await kernel.ended()

    class Connection(TellingConnection):
        subprotocol = None
        channels: ClassVar[dict[str, Any]] = {}

        def write_message(self, message: str, binary: bool = False) -> None:
            told.append(json.loads(message)["content"])

    told: list[dict[str, Any]] = []
    connection = Connection(parent=kernel.manager)
    connection._running = {"msg_id": "of the cell"}
    connection.on_kernel_restarted()
    await kernel.end()
    return [content.get("text") or content["execution_state"] for content in told]


async def leave_an_orphan(way: str) -> bool:
    """Kill whoever started a kernel; whether the kernel still runs soon after."""
    command = [sys.executable, __file__, "orphan", way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as requester:
        assert requester.stdout is not None
        kernel = os.pidfd_open(int(requester.stdout.readline()))
        requester.kill()
    for _ in range(PATIENCE_S * 10):
        await asyncio.sleep(0.1)
        try:
            signal.pidfd_send_signal(kernel, 0)
        except ProcessLookupError:
            return False
    return True


async def start_for_orphan(way: str) -> None:
    kernel = await start(way)
    print(kernel.process.pid, flush=True)
    await asyncio.sleep(600)


async def execute_notebook(by: str) -> str:
    """What a notebook that is run by nbclient or nbgrader says of its kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(WAS_FORKED)])
    if by == "nbgrader":
        from nbgrader.preprocessors import Execute

        notebook, _ = await asyncio.to_thread(Execute().preprocess, notebook, {})
    else:
        from nbclient import NotebookClient

        await NotebookClient(notebook, kernel_name="python3").async_execute()
    return str(notebook.cells[0].outputs[0]["text"])


async def outlive_the_fork_server() -> list[Any]:
    """After the fork server was killed: a kernel's answer, and its status when it has ended."""
    kernel = await shared(WARM)
    found = [await kernel.value("6 * 7"), await kernel.manager.provisioner.poll()]
    await kernel.ask("import os; os._exit(3)")
    return [*found, await kernel.ended()]


async def fall_back() -> str:
    """The kind of process a kernel is when nobody can fork one."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        manager = manager_of(WARM, folder)
        await manager.start_kernel()
        kind = type(manager.provisioner.process).__name__
        await manager.shutdown_kernel(now=True)
    return kind


if __name__ == "__main__":
    if sys.argv[1:2] == ["orphan"]:
        asyncio.run(start_for_orphan(sys.argv[2]))
    else:
        asyncio.run(serve(sys.modules[__name__]))
