"""Takes in curricula from a Git repository: its files are read out of it, it is never checked out.

So no hook, filter, submodule or link of theirs is ever used.
"""

from __future__ import annotations

import functools
import io
import os
import re
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ulab_core.i18n import mark
from ulab_curricula.receiving import (
    MOST_BYTES_A_FILE,
    MOST_FILES,
    ROOMS,
    Entry,
    Kind,
    NotTaken,
    too_large,
)

LONGEST_S = 300
LARGEST_PACK = 512 * 1024 * 1024
# Trees that hold one another many times over would be listed for ever.
LONGEST_LIST = 4 * 1024 * 1024
_KEPT = (
    "PATH", "LANG", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*"
_URL = re.compile(
    rf"https://{_HOST}(:\d+)?/[\x21-\x7e]+"
    rf"|ssh://([A-Za-z0-9][\w.-]*@)?{_HOST}(:\d+)?/[\x21-\x7e]+"
    rf"|[A-Za-z0-9][\w.-]*@{_HOST}:[\w.~/][\w.~/-]*"
)
_REF = re.compile(r"[A-Za-z0-9][\w./-]{0,200}")
_MODES = {"100644": Kind.FILE, "100755": Kind.FILE, "120000": Kind.LINK}


@dataclass(frozen=True)
class Repository:
    """A fetched repository.

    Attributes
    ----------
    commit
        What was fetched.
    """

    folder: Path
    commit: str

    def entries(self) -> Iterator[Entry]:
        """What lies in its rooms."""
        listing = ["ls-tree", "-rlz", "--full-tree", self.commit, *ROOMS]
        listed = _git(listing, self.folder, LONGEST_LIST)
        lines = [line for line in listed.split(b"\0") if line]
        if len(lines) > MOST_FILES:
            raise NotTaken(mark("It holds more than {most} files."), most=MOST_FILES)
        for line in lines:
            about, _, name_of_file = line.partition(b"\t")
            mode, _, name, size = about.decode().split()
            path = name_of_file.decode("utf-8", "replace")
            if size.isdigit() and int(size) > MOST_BYTES_A_FILE:
                raise too_large(path)
            yield Entry(
                path,
                _MODES.get(mode, Kind.OTHER),
                lambda name=name: self._open(name),  # type: ignore[misc]
            )

    def _open(self, name: str) -> IO[bytes]:
        return io.BytesIO(_git(["cat-file", "blob", name], self.folder))


def is_address(text: str) -> bool:
    """Whether a text means a repository elsewhere rather than a path on this machine."""
    return "://" in text or "::" in text or bool(re.match(r"[\w.-]+@[^/]+:", text))


def refused_address(url: str) -> NotTaken | None:
    """Why a repository's address can't be used; a pure decision."""
    if _URL.fullmatch(url):
        return None
    return NotTaken(
        mark(
            "{url} can't be fetched: write https://host/path or ssh://user@host/path, without a "
            "password."
        ),
        url=ascii(url),
    )


@contextmanager
def fetched(url: str, ref: str = "") -> Iterator[Repository]:
    """Have a repository's newest state, or that of a branch or tag, while the block runs.

    Raises
    ------
    NotTaken
        The address can't be used, or nothing comes from it.
    """
    problem = refused_address(url)
    if problem is not None:
        raise problem
    if ref and not _REF.fullmatch(ref):
        raise NotTaken(mark("{ref} is no branch or tag."), ref=ascii(ref))
    with tempfile.TemporaryDirectory(prefix="ulab-fetch-") as scratch:
        folder = Path(scratch) / "repository.git"
        branch = [f"--branch={ref}"] if ref else []
        _git(
            [
                "clone", "--quiet", "--bare", "--depth=1", "--single-branch", "--no-tags",
                "--template=", *branch, "--", url, str(folder),
            ],
            Path(scratch),
        )  # fmt: skip
        commit = _git(["rev-parse", "--verify", "HEAD^{commit}"], folder).decode().strip()
        yield Repository(folder, commit)


def _git(arguments: list[str], folder: Path, most: int = LARGEST_PACK) -> bytes:
    """What git says; no file that it writes, this one included, becomes larger than `most`."""
    safe = ["-c", "core.hooksPath=/dev/null", "-c", "transfer.fsckObjects=true"]
    # Files, for which the system keeps the limit: a host may talk without end.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                ["git", *safe, *arguments], cwd=folder, env=environment(os.environ, folder),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True, preexec_fn=functools.partial(_limited, most),
            )  # fmt: skip
        except FileNotFoundError:
            raise NotTaken(mark("The program git is not installed.")) from None
        try:
            process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            raise NotTaken(mark("Git took longer than {most} s."), most=LONGEST_S) from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode == -signal.SIGXFSZ:
            raise NotTaken(mark("Git says more than {most} MiB of it."), most=most // 1024**2)
        if process.returncode:
            raise NotTaken(mark("Git could not fetch it: {reason}"), reason=_reason(err))
        out.seek(0)
        return out.read()


def _reason(err: IO[bytes]) -> str:
    """Why git gave up; what a host has it say is not shown without end."""
    err.seek(max(0, err.seek(0, os.SEEK_END) - 64 * 1024))
    lines = err.read().decode(errors="replace").strip().splitlines()
    said = next((line for line in lines if line.startswith("fatal:")), "".join(lines[-1:]))
    return said[:300]


def environment(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """What git is told: no settings of anybody's, no questions, and two ways to reach a host."""
    return {
        **{name: given[name] for name in _KEPT if name in given},
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ALLOW_PROTOCOL": "https:ssh",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        "GIT_NO_LAZY_FETCH": "1",
    }


def _limited(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
