"""Import in the parent what its children would otherwise each import for themselves."""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from ulab_runtime.forkserver.linux import collapse_memory

log = logging.getLogger(__name__)


def import_all(modules: Iterable[str]) -> list[str]:
    """Import them, and say which can't be; a child that needs one of those fails by itself."""
    missing = []
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            missing.append(name)
    if missing:
        log.warning("Not imported beforehand, since it can't be: %s", " ".join(missing))
    return missing


def rehearse(act: Callable[[], None]) -> list[str]:
    """Do, in a child, what children do first, and import what that turned out to need.

    Much is imported late, by the first cell or the first page. Which modules those are changes with
    every release of Jupyter, so they are found out and not listed.

    Parameters
    ----------
    act
        Runs in a child that is thrown away.

    Returns
    -------
    list of str
        The modules that were imported because of it.
    """
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(inlet)
            act()
            with os.fdopen(outlet, "w") as file:
                json.dump(list(sys.modules), file)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(outlet)
    with os.fdopen(inlet) as file:
        heard = file.read()
    os.waitpid(child, 0)
    if not heard:
        log.warning("The rehearsal failed, so the first steps of children are not warm")
        return []
    found = [name for name in json.loads(heard) if name not in sys.modules and _plain(name)]
    missing = set(import_all(found))
    return [name for name in found if name not in missing]


def _plain(name: str) -> bool:
    return not name.startswith("__") and all(part.isidentifier() for part in name.split("."))


def settle_memory() -> None:
    """Leave as little as possible that a child would copy by only looking at it."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # The collector writes into every object it looks at, which would unshare its page.
    gc.freeze()
    collapse_memory()


def threads() -> list[str]:
    """The names of this process's threads; only one of them would live on in a child."""
    return [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
