"""The bare work of a notebook: its cells executed in a fork of a warmed process, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

WARMED = "import math, torch, torchvision"


def bare_s(cells: Sequence[str], times: int, env: Mapping[str, str]) -> float:
    """Seconds that fork, cells and end take on one core, on average."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ulab_deploy.bench.bare"],
        input=json.dumps({"cells": list(cells), "times": times}),
        env=dict(env) | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    given = json.load(sys.stdin)
    exec(WARMED, {})
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    code = [compile(source, "<cell>", "exec") for source in given["cells"]]
    begun = time.monotonic()
    for _ in range(given["times"]):
        pid = os.fork()
        if pid == 0:
            try:
                names = {"__name__": "__main__"}
                for cell in code:
                    exec(cell, names)
                os._exit(0)
            except BaseException:
                os._exit(1)
        if os.waitpid(pid, 0)[1]:
            raise SystemExit(1)
    print((time.monotonic() - begun) / given["times"])


if __name__ == "__main__":
    main()
