"""The Python kernel of a sandbox: IPython's, ended before its neighbours when memory runs out."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from pathlib import Path

from ulab_runtime.module_files import noted_files

KERNELS = Path(__file__).parent / "share" / "kernels"
"""The folder of our kernel spec; its parent goes into ``JUPYTER_PATH``."""
OOM_SCORE = 500
NO_POLLER = 1
"""What ipykernel takes for: no need to watch who started this kernel, nor to print its address."""


def offer_to_the_oom_killer(score: int = OOM_SCORE) -> None:
    """Have the kernel of the machine end this process before those with a lower score."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score))


def end_with(pid: int) -> None:
    """End this process when process `pid` does: a kernel without its server is of no use.

    ipykernel watches its parent, which of a forked kernel is the fork server.
    """
    try:
        requester = os.pidfd_open(pid)
    except (OSError, ValueError):
        return  # it is in another PID namespace

    def wait() -> None:
        poll = select.poll()
        poll.register(requester, select.POLLIN)
        poll.poll()
        os._exit(1)

    threading.Thread(target=wait, name="end-with-server", daemon=True).start()


def draw_below_the_cell() -> None:
    """Tell a matplotlib that was imported before ipykernel what it tells one imported later."""
    if matplotlib := sys.modules.get("matplotlib"):
        # As it is imported, it looks for the IPython whose cells it is to draw below.
        sys.modules.pop("matplotlib_inline.backend_inline", None)
        matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]


def main() -> None:
    """Run a kernel, as ``python -m ulab_runtime.kernel -f CONNECTION_FILE``."""
    # The notebook's folder comes back once IPython runs: until then a student's random.py
    # would be imported instead of Python's.
    if sys.path[:1] == [str(Path.cwd())] or sys.path[:1] == [""]:
        del sys.path[0]
    offer_to_the_oom_killer()
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(parent_handle=NO_POLLER)
    with noted_files():
        app.initialize(sys.argv[1:])
    draw_below_the_cell()
    if app.shell is not None:
        app.shell.extension_manager.load_extension("ulab_runtime.memory")
        app.shell.extension_manager.load_extension("ulab_runtime.own_modules")
    if (starter := os.environ.get("JPY_PARENT_PID", "")).isdigit():
        end_with(int(starter))
    app.start()


if __name__ == "__main__":
    main()
