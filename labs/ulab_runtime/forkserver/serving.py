"""A fork server's life: import, rehearse, serve, and in a child become what was asked for."""

from __future__ import annotations

import importlib
import logging
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from setproctitle import setproctitle

from ulab_core.process import die_with_parent
from ulab_runtime.forkserver import preload
from ulab_runtime.forkserver.server import ForkServer
from ulab_runtime.forkserver.threads import note_pools
from ulab_runtime.module_files import note_files

log = logging.getLogger(__name__)
OWN_LOGS = "ulab_runtime.forkserver"
TITLE_LENGTH = 80


def serve(
    for_sandboxes: Path | None, for_base: Path | None, modules: Sequence[str], rehearsal: str | None
) -> None:
    """Serve until told to stop; in a forked child, run its program.

    Parameters
    ----------
    modules
        What to import beforehand.
    rehearsal
        ``module:function``, which does what children do first; or None.
    """
    die_with_parent()
    # Once before its environment is replaced, after which it could not find where titles lie.
    setproctitle(f"ulab fork server ({', '.join(modules)})"[:TITLE_LENGTH])
    _log_own_words()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    start = time.monotonic()
    preload.import_all(modules)
    if rehearsal:
        module, _, function = rehearsal.partition(":")
        found = preload.rehearse(getattr(importlib.import_module(module), function))
        log.info("The rehearsal found %d more modules", len(found))
    note_files()
    note_pools()
    preload.settle_memory()
    if len(running := preload.threads()) > 1:
        log.warning("Threads that children will lack: %s", ", ".join(running))
    imported = sorted({name.partition(".")[0] for name in sys.modules})
    server = ForkServer(for_sandboxes, for_base, imported)
    log.info("Serving, %d modules imported in %.1f s", len(sys.modules), time.monotonic() - start)
    child = server.serve()
    if child is None:
        # Without ending Python properly: libraries would only complain about each other.
        os._exit(0)
    child.live()


def _log_own_words() -> None:
    """Write down what fork servers say, and not what the libraries they import do."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s fork server: %(message)s"))
    own = logging.getLogger(OWN_LOGS)
    own.addHandler(handler)
    own.setLevel(logging.INFO)
    own.propagate = False
