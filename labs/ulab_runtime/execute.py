"""Run a notebook's code cells inside a sandbox and write down, cell by cell, what came of each.

Called as ``python -m ulab_runtime.execute NOTEBOOK RESULTS``. The notebook is read and removed
before its code runs. ``RESULTS/<index>.json`` appears when a cell has ended, so what was done
before a hard kill is kept. Whoever reads the results must not trust them: the notebook's code
runs as the same user.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

CELL_OUTPUT_BYTES = 2 * 1024 * 1024
ANSWER_S = 10


class CellStatus(StrEnum):
    """How a code cell ended."""

    OK = "ok"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    DIED = "died"
    """The kernel ended during this cell."""
    NOT_RUN = "not_run"
    """The kernel was gone, or the time for the whole notebook was used up."""


class _Client(NotebookClient):
    """nbclient that keeps only so much of a cell's output, so that a flood can't fill memory."""

    kept = 0

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> Any:
        self.kept += len(json.dumps(msg["content"], default=str))
        if self.kept > CELL_OUTPUT_BYTES and msg["msg_type"] != "error":
            return None
        return super().output(outs, msg, display_id, cell_index)


async def execute(
    notebook: nbformat.NotebookNode,
    results: Path,
    cell_timeout_s: float,
    total_timeout_s: float,
) -> None:
    """Run the code cells in order and write a result for each.

    Parameters
    ----------
    results
        An existing folder.
    cell_timeout_s
        Seconds a cell may run; it is then interrupted and the next one runs.
    total_timeout_s
        Seconds after which no further cell is started and the running one is interrupted.
    """
    until = time.monotonic() + total_timeout_s
    # TCP would need a network; a socket path must be short.
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as private:
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{private}/s")
        manager.connection_file = f"{private}/c.json"
        client = _Client(
            notebook, km=manager, allow_errors=True, interrupt_on_timeout=False, store_history=False
        )
        async with client.async_setup_kernel(cwd=str(Path.cwd())):
            alive = True
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                status = CellStatus.NOT_RUN
                left = until - time.monotonic()
                if alive and left > 0:
                    client.kept = 0
                    client.timeout = max(1, int(min(cell_timeout_s, left)))
                    status = await _run_cell(client, cell, index)
                    if status is CellStatus.TIMED_OUT:
                        alive = await _interrupt(client)
                    elif status is CellStatus.DIED:
                        alive = False
                _write(results, index, status, cell)
            if not alive:
                await manager.shutdown_kernel(now=True)


async def _run_cell(client: NotebookClient, cell: nbformat.NotebookNode, index: int) -> CellStatus:
    cell.outputs = []
    cell.execution_count = None
    replies: list[dict[str, Any]] = []
    client.on_cell_executed = lambda **seen: replies.append(seen["execute_reply"] or {})
    try:
        await client.async_execute_cell(cell, index, store_history=True)
    except CellTimeoutError:
        return CellStatus.TIMED_OUT
    except (DeadKernelError, RuntimeError):
        return CellStatus.DIED
    if not cell.source.strip():
        return CellStatus.OK
    content = replies[-1].get("content", {}) if replies else {}
    if content.get("status") == "ok":
        return CellStatus.OK
    if not any(output.output_type == "error" for output in cell.outputs):
        cell.outputs.append(
            nbformat.v4.new_output(
                "error",
                ename=str(content.get("ename", "Error")),
                evalue=str(content.get("evalue", "")),
                traceback=list(content.get("traceback", [])),
            )
        )
    return CellStatus.ERROR


async def _interrupt(client: NotebookClient) -> bool:
    """Stop what runs; whether the kernel listens afterwards."""
    manager: Any = client.km
    channels: Any = client.kc
    with contextlib.suppress(Exception):
        await manager.interrupt_kernel()
        await channels.kernel_info(reply=True, timeout=ANSWER_S)
        return True
    return False


def _write(results: Path, index: int, status: CellStatus, cell: nbformat.NotebookNode) -> None:
    temporary = results / f".{index}.part"
    temporary.write_text(json.dumps({"status": status, "outputs": cell.outputs}))
    temporary.replace(results / f"{index}.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--cell-timeout", type=float, required=True)
    parser.add_argument("--total-timeout", type=float, required=True)
    options = parser.parse_args()
    notebook = nbformat.read(options.notebook, as_version=4)
    # The tests in it are nobody's business once the kernel runs.
    options.notebook.unlink()
    os.environ.pop("JPY_PARENT_PID", None)
    asyncio.run(
        execute(
            notebook,
            options.results,
            options.cell_timeout,
            options.total_timeout,
        )
    )


if __name__ == "__main__":
    main()
