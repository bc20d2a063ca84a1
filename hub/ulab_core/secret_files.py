"""Files that only the base's own user can read: keys our processes share, first passwords."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

KEY_BYTES = 32


def shared_key(file: Path) -> bytes:
    """The key in `file`, made at first use.

    Safe when several processes ask at once: whoever comes first makes it and all get the same.

    Parameters
    ----------
    file
        A path below ``Layout.secrets``.

    Returns
    -------
    bytes
        32 random bytes, the same at every call.
    """
    try:
        return bytes.fromhex(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        pass
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        # A link, unlike a rename, doesn't replace what another process made meanwhile.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return bytes.fromhex(file.read_text(encoding="ascii"))


@contextmanager
def closed_file(path: Path, mode: Literal["w", "a"], encoding: str = "utf-8") -> Iterator[TextIO]:
    """Write a file that only its owner can read; it is on the disk when the block ends.

    Parameters
    ----------
    mode
        ``"w"`` to begin the file anew, ``"a"`` to add to it.
    """
    flags = os.O_APPEND if mode == "a" else os.O_TRUNC
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    # A writer of CSV ends its lines itself.
    with os.fdopen(descriptor, mode, encoding=encoding, newline="") as file:
        os.fchmod(descriptor, 0o600)
        yield file
        file.flush()
        os.fsync(descriptor)
