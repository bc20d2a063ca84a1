"""The look that the hub's and the portal's pages share: style sheet, scripts, logo, navbar."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"


@functools.cache
def version() -> str:
    """A short digest of the assets, for addresses that may be cached for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
