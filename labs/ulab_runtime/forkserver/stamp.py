"""Notice that the environment was changed since a fork server imported it."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

OURS = ("ulab", "ulab_core", "ulab_runtime", "ulab_coursework", "ulab_mlflow", "ulab_hub")


def environment_stamp() -> dict[str, int]:
    """The times, in nanoseconds, of what an update of the environment can't leave as it was.

    Installing, updating or removing a distribution makes or removes a folder in site-packages, so
    the folder's own time is enough for all of them. Our own packages may be a checkout, where
    files are changed in place.
    """
    return {str(path): _changed(path) for path in _watched()}


def _watched() -> Iterator[Path]:
    yield Path(sys.prefix, "pyvenv.cfg")
    site_packages = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    yield from site_packages
    for package in OURS:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if not any(Path(folder).is_relative_to(known) for known in site_packages):
                yield from Path(folder).rglob("*.py")


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
