"""Warm starts on a base that an ordinary user of the machine runs, without root's help."""

from __future__ import annotations

import json
from pathlib import Path

from integration.sandbox_support import run_as_ordinary_user

SCRIPT = """
import asyncio, json, os, signal, sys
from pathlib import Path
from integration.kernel_support import open_kernel
from integration.warm_hub_support import Remains, WarmBase, put_aside
from ulab_core.process import children

async def in_kernel(code):
    kernel = await open_kernel(base.url, "ann", base.api_token("ann"))
    return await kernel.text(code)

said = {}
base = WarmBase(Path(sys.argv[1]), limits={"memory_mb": 1200}, warm={"kernel_modules": ["numpy"]})
try:
    base.start()
    for name in ("ann", base.settings.accounts.admin):
        base.create_user(name)
    ann = base.client("ann")
    base.start_server(ann, "ann")
    server = base.server_life("ann")
    said["forked"] = server.pid in children(base.fork_server("server").pid)
    said["kernel"] = asyncio.run(in_kernel("import os; print(os.getppid(), os.listdir('/home'))"))
    said["greed"] = asyncio.run(in_kernel("x = bytearray(5 * 1024**3)"))
    base.kill_hub()
    base.start()
    said["found"] = server.lasts() and server == base.server_life("ann")
    said["kernel again"] = asyncio.run(in_kernel("import os; print(os.getuid())"))
    ann, remains = base.client("ann"), Remains(base, "ann")
    base.stop_server(ann, "ann")
    remains.wait_until_gone()
    with put_aside(base.layout.fork_for_base("server")):
        base.start_server(ann, "ann")
    said["cold"] = asyncio.run(in_kernel("print(7)"))
    said["starts"] = [[*way, number] for way, number in base.server_starts().items()]
    remains = Remains(base, "ann")
    os.kill(remains.sandbox.pid, signal.SIGKILL)
    remains.wait_until_gone()
finally:
    base.stop()
print(json.dumps(said))
"""


def test_servers_and_kernels_are_forked_without_root(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    done = run_as_ordinary_user(SCRIPT, folder)
    assert done.returncode == 0, done.stderr[-6000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert "This cell needs more memory than your server may use (1.17 GiB)." in said.pop("greed")
    assert said == {
        "forked": True,
        "kernel": "0 ['ann']\n",
        "found": True,
        "kernel again": f"{folder.stat().st_uid}\n",
        "cold": "7\n",
        # Since the hub was killed.
        "starts": [["cold", "missing", 1.0]],
    }
