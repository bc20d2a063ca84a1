"""Submitted notebooks as files named by their SHA-256: written once, safely, never changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ulab_core.layout import Layout


def digest(content: bytes) -> str:
    """The name that `content` is stored under."""
    return hashlib.sha256(content).hexdigest()


def keep(layout: Layout, content: bytes) -> str:
    """Store `content` so that it survives a power cut, and return its SHA-256.

    The name is given with a hard link, which fails when the name is taken: what is there
    already has the same content and stays.
    """
    sha256 = digest(content)
    target = layout.submission_file(sha256)
    if target.exists():
        return sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{sha256}.{os.getpid()}.{os.urandom(4).hex()}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o440)
        try:
            os.link(temporary, target)
        except FileExistsError:
            return sha256
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)
    return sha256


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fetch(layout: Layout, sha256: str) -> bytes:
    """The bytes that were stored under `sha256`."""
    return layout.submission_file(sha256).read_bytes()
