"""Keys that several of our processes share, each in a file that only their user can read."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

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
