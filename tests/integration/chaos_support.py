"""The portal and the workers of the chaos test as processes: `python chaos_support.py portal`."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

REAL = "ULAB_CHAOS_SANDBOX"
"""Set to grade in real sandboxes; without it a stand-in says at once what the cells would."""


def serve_portal(port: int) -> None:
    import uvicorn
    from integration.portal_support import KnownPeople

    from ulab_core.settings import load_settings
    from ulab_portal.app import create_app

    app = create_app(load_settings(), KnownPeople())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def work() -> None:
    from ulab_coursework import grading, worker

    if not os.environ.get(REAL):
        grading.execute = at_once
    worker.main()


def at_once(notebook: Any, *_: object) -> Any:
    """What the sandbox would give for the answers of this test, after a moment."""
    from nbformat.v4 import new_output

    from ulab_coursework.execution import Execution

    time.sleep(random.uniform(0.0, 0.3))
    right = any("return a + b" in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
        if not right and "42" in cell.source:
            cell.outputs = [new_output("error", ename="AssertionError", evalue="", traceback=[])]
    return Execution(notebook, True, "")


if __name__ == "__main__":
    # This folder's modules are imported by the name that pytest gives them.
    sys.path[0] = str(Path(__file__).parent.parent)
    if sys.argv[1] == "portal":
        serve_portal(int(sys.argv[2]))
    else:
        work()
