"""The hub as an ordinary user of the machine, without root's help."""

from __future__ import annotations

from pathlib import Path

from integration.sandbox_support import run_as_ordinary_user

SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from integration.hub_support import start_base
from integration.kernel_support import open_kernel

async def use(base, token):
    kernel = await open_kernel(base.url, "ann", token)
    print("homes", await kernel.text("import os; print(os.listdir('/home'), os.getuid())"))
    print("greed", await kernel.text("x = bytearray(5 * 1024**3)"))

base = start_base(Path(sys.argv[1]), services=[], limits={"memory_mb": 1200})
try:
    base.create_user("ann")
    client = base.client("ann")
    base.start_server(client, "ann")
    asyncio.run(use(base, base.api_token("ann")))
    print("stop", client.api("DELETE", "users/ann/server").status_code)
finally:
    base.stop()
"""


def test_a_server_starts_computes_and_stops_without_root(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    done = run_as_ordinary_user(SCRIPT, folder)
    user = folder.stat().st_uid
    assert user != 0
    assert done.returncode == 0, done.stderr[-6000:]
    assert f"homes ['ann'] {user}" in done.stdout
    assert "This cell needs more memory than your server may use (1.17 GiB)." in done.stdout
    assert "stop 20" in done.stdout
    assert (folder / "state" / "homes" / "ann").stat().st_uid == user
