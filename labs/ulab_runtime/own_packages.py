"""A person's own Python packages, which win over the base's of the same name.

The base's Python is a virtual environment, in which Python's user site doesn't exist. Inside a
sandbox it does: ``pip install`` and ``pip install --user`` put packages into ``~/.local``, and
whatever lies there is found before the base's.
"""

from __future__ import annotations

import importlib.machinery
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

VARIABLE = "ULAB_OWN_PACKAGES"
"""Names the Python that finds a person's own packages: the base's, by its ``sys.prefix``.

A virtual environment of the person's own inherits the variable and has its own versions. Grading
runs without.
"""
FOUND_VARIABLE = "ULAB_OWN_MODULES"
"""Tells a kernel that was started cold which of its modules are the person's own."""
SUFFIXES = tuple(importlib.machinery.all_suffixes())


def user_site(env: Mapping[str, str]) -> Path | None:
    """The folder of a person's own packages, or None where they are not to be found."""
    if env.get(VARIABLE) != sys.prefix or env.get("PYTHONNOUSERSITE"):
        return None
    base = env.get("PYTHONUSERBASE") or (env["HOME"] + "/.local" if env.get("HOME") else "")
    if not base.startswith("/"):
        return None
    return Path(sysconfig.get_path("purelib", "posix_user", {"userbase": base}))


def show_own_packages() -> None:
    """Have this process find a person's own packages before the base's."""
    folder = user_site(os.environ)
    if folder is None:
        return
    site.ENABLE_USER_SITE = True
    try:
        # It has to be there for what is installed later to be found by a running kernel.
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    known = list(sys.path)
    site.addsitedir(str(folder))
    added = [entry for entry in sys.path if entry not in known]
    base = sysconfig.get_path("purelib")
    place = known.index(base) if base in known else len(known)
    sys.path[:] = [*known[:place], *added, *known[place:]]


def be_no_virtual_environment_for_pip() -> None:
    """Let pip, in its own process, install for the user.

    pip refuses that in a virtual environment because the user's packages would not be found
    first. Here they are.
    """
    if user_site(os.environ) is not None and runs_pip(sys.orig_argv):
        sys.base_prefix = sys.prefix
        sys.base_exec_prefix = sys.exec_prefix


def runs_pip(command: Sequence[str]) -> bool:
    """Whether a command line of Python's, the interpreter first, is one of pip's."""
    for place, word in enumerate(command[1:], start=1):
        if word == "-m":
            return command[place + 1 : place + 2] == ["pip"]
        if not word.startswith("-"):
            return Path(word).name.startswith("pip")
    return False


def earliest_folders(env: Mapping[str, str]) -> Iterator[Path]:
    """The folders in which a process with this environment looks before everything else."""
    for entry in env.get("PYTHONPATH", "").split(os.pathsep):
        if entry:
            yield Path(entry)


def own_folders(env: Mapping[str, str]) -> Iterator[Path]:
    """The folders of a person's own packages, in which a process looks before the base's."""
    folder = user_site(env)
    if folder is None:
        return
    yield folder
    # A package that is being developed lies elsewhere, and a .pth file names the place.
    for file in sorted(folder.glob("*.pth")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        yield from (
            folder / line for line in lines if line and not line.startswith(("#", "import"))
        )


def importable(folder: Path) -> set[str]:
    """The top-level names that can be imported from a folder, and that its distributions claim."""
    found = set()
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return set()
    for entry in entries:
        name = entry.name
        if name.endswith(".dist-info"):
            found |= _claimed(Path(entry.path))
        elif name.endswith(SUFFIXES):
            found.add(name.partition(".")[0])
        elif entry.is_dir() and name.isidentifier():
            found.add(name)
    return found


def _claimed(distribution: Path) -> set[str]:
    try:
        return set((distribution / "top_level.txt").read_text().split())
    except OSError:
        return set()


def shadowed(env: Mapping[str, str], modules: Iterable[str]) -> list[str]:
    """Which of these modules a process with this environment would take from elsewhere.

    Parameters
    ----------
    modules
        Top-level names.
    """
    preloaded = set(modules) | {"sitecustomize", "usercustomize"}
    found: set[str] = set()
    for folder in earliest_folders(env):
        if folder != CUSTOMIZATION:
            found |= importable(folder) & preloaded
    for folder in own_folders(env):
        # The standard library comes before these.
        found |= importable(folder) & preloaded - sys.stdlib_module_names
    return sorted(found)


CUSTOMIZATION = Path(__file__).parent / "share" / "python"
"""Goes into ``PYTHONPATH``, so that every Python of a sandbox calls `show_own_packages`."""
