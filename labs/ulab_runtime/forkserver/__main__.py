"""Run a fork server, as ``python -m ulab_runtime.forkserver --help`` says.

It starts itself anew with a clean environment before it imports anything, so that a token in the
environment it was given is nowhere in the memory that children inherit.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ulab_runtime.forkserver.threads import NONE_IN_THE_PARENT, THREADS

KEPT = ("PATH", "TZ", *THREADS)
CLEAN = "--clean"
# The working directory is left out of where modules are found. -P would do that too, but for
# good: kernels import modules that lie beside the notebook.
PROGRAM = "import sys; del sys.path[0]; from ulab_runtime.forkserver.__main__ import main; main()"


def start_clean(arguments: list[str], scratch: Path) -> None:
    """Execute this program again, with nothing in its environment that it doesn't need."""
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= NONE_IN_THE_PARENT
    env |= {"LANG": "C.UTF-8", "HOME": str(scratch), "MPLCONFIGDIR": str(scratch / "matplotlib")}
    python = [sys.executable, "-Xfrozen_modules=off", "-c", PROGRAM]
    os.execve(sys.executable, [*python, CLEAN, *arguments], env)


def main() -> None:
    """Serve, or, in a forked child, be what was asked for."""
    parser = argparse.ArgumentParser(prog="ulab_runtime.forkserver", description=__doc__)
    parser.add_argument("--for-sandboxes", type=Path, help="socket for processes in sandboxes")
    parser.add_argument("--for-base", type=Path, help="socket for the base's own processes")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for caches")
    parser.add_argument("--rehearse", help="MODULE:FUNCTION that does what children do first")
    parser.add_argument(CLEAN, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("modules", nargs="*", help="what to import beforehand")
    options = parser.parse_args()
    options.scratch.mkdir(mode=0o700, exist_ok=True)
    if not options.clean:
        start_clean(sys.argv[1:], options.scratch)
    # Only now, so that nothing is imported twice.
    from ulab_runtime.forkserver.serving import serve

    serve(options.for_sandboxes, options.for_base, options.modules, options.rehearse)


if __name__ == "__main__":
    main()
