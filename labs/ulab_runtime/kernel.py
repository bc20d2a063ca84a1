"""The Python kernel of a sandbox: IPython's, ended before its neighbours when memory runs out."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

KERNELS = Path(__file__).parent / "share" / "kernels"
"""The folder of our kernel spec; its parent goes into ``JUPYTER_PATH``."""
OOM_SCORE = 500


def offer_to_the_oom_killer(score: int = OOM_SCORE) -> None:
    """Have the kernel of the machine end this process before those with a lower score."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score))


def main() -> None:
    """Run a kernel, as ``python -m ulab_runtime.kernel -f CONNECTION_FILE``."""
    # The notebook's folder comes back once IPython runs: until then a student's random.py
    # would be imported instead of Python's.
    if sys.path[:1] == [str(Path.cwd())] or sys.path[:1] == [""]:
        del sys.path[0]
    offer_to_the_oom_killer()
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize()
    if app.shell is not None:
        app.shell.extension_manager.load_extension("ulab_runtime.memory")
    app.start()


if __name__ == "__main__":
    main()
