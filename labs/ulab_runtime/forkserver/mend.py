"""What a forked child must mend before it can pass for a process that was started afresh."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import logging
import multiprocessing.process
import os
import random
import signal
import site
import sys
import sysconfig
import tempfile
import time
import types
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from setproctitle import setproctitle

from ulab_runtime.forkserver import threads
from ulab_runtime.own_packages import show_own_packages


def signals() -> None:
    """No handler, wake-up descriptor or blocked signal of the parent's."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def descriptors(standard: Sequence[int], more: Sequence[int]) -> int:
    """Have these descriptors as 0, 1, 2 and, behind them, 3 and on; close all others.

    Only the standard ones are inherited by what the child executes.

    Returns
    -------
    int
        The number that the last of them has now.
    """
    wanted = [*standard, *more]
    # Out of the way first: one of them may have a number that another is to get.
    above = max(64, max(wanted) + 1)
    safe = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, above) for number in wanted]
    for place, number in enumerate(safe):
        os.dup2(number, place, inheritable=place < len(standard))
    close_all_but(range(len(wanted)))
    return len(wanted) - 1


def close_all_but(kept: Container[int]) -> None:
    """Close every other descriptor, those included that a limit would no longer let us open."""
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)


def environment(env: Mapping[str, str]) -> None:
    """The given variables and no others, and what Python keeps of variables."""
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    tempfile.tempdir = None
    site.USER_BASE = site.USER_SITE = None
    sysconfig.get_config_vars()["userbase"] = site.getuserbase()
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    threads.use(env)


def python(module: str, argv: Sequence[str]) -> None:
    """The process's name and arguments, as of ``python -m module``, and where modules are found."""
    setproctitle(" ".join(["python", "-m", module, *argv]))
    spec = importlib.util.find_spec(module)
    sys.argv = [(spec and spec.origin) or module, *argv]
    options = [f"-X{name}={value}" for name, value in sys._xoptions.items()]
    sys.orig_argv = [sys.executable, *options, "-m", module, *argv]
    sys.modules["__main__"] = types.ModuleType("__main__")
    # Where a spawned process looks for modules that are beside its parent's.
    multiprocessing.process.ORIGINAL_DIR = str(Path.cwd())  # type: ignore[attr-defined]
    # The base's other packages are in no sandbox.
    sys.path[:] = [p for p in sys.path if p.endswith(".zip") or Path(p).is_dir()]
    for entry in reversed([p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    show_own_packages()


def randomness() -> None:
    """Numbers of its own: forked generators would give every student the same ones.

    Python's own generator sees to itself after a fork.
    """
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()
    # With the parent's key, one student's processes could speak to another's.
    multiprocessing.current_process().authkey = os.urandom(32)


def logs() -> None:
    """No handlers but those that libraries set when they are imported."""
    for logger in (logging.getLogger(), logging.getLogger("ulab_runtime.forkserver")):
        for handler in list(logger.handlers):
            logger.removeHandler(handler)


def libraries() -> None:
    """What libraries keep of the parent's home."""
    if matplotlib := sys.modules.get("matplotlib"):
        _mend_matplotlib(matplotlib)
    if "jedi.settings" in sys.modules:
        _mend_completion(sys.modules["parso.cache"], sys.modules["jedi.settings"])


def _mend_completion(parso: Any, jedi: Any) -> None:
    folder = parso._default_cache_path = parso._get_default_cache_path()
    jedi.cache_directory = str(folder.with_name("jedi"))


def _mend_matplotlib(matplotlib: Any) -> None:
    for name, form in (("get_configdir", "CONFIGDIR=%s"), ("get_cachedir", "CACHEDIR=%s")):
        remembering = getattr(matplotlib, name)
        if hasattr(remembering, "__wrapped__"):
            setattr(matplotlib, name, matplotlib._logged_cached(form)(remembering.__wrapped__))
    # The person's own matplotlibrc, in their home or working directory.
    found = matplotlib.matplotlib_fname()
    if not found.startswith(matplotlib.get_data_path()):
        matplotlib.rc_file(found)
    if style := sys.modules.get("matplotlib.style"):
        own = Path(matplotlib.get_configdir(), "stylelib")
        style.USER_LIBRARY_PATHS[:] = [str(own)]
        if own.is_dir():
            style.reload_library()
    if backend := os.environ.get("MPLBACKEND"):
        matplotlib.rcParams["backend"] = backend
