"""The scripts and styles that pages load, under addresses that change with their content."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ulab_core import look
from ulab_core.programs import NPM

OWN = Path(__file__).parent / "static"
PREFIX = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/services/ulab/")
# Address below static/, and the file; only these files of the npm packages are served.
MATHJAX = NPM / "mathjax" / "es5"
VENDOR = {
    "vendor/mathjax/tex-svg-full.js": MATHJAX / "tex-svg-full.js",
    "vendor/mathjax/ui/safe.js": MATHJAX / "ui" / "safe.js",
    "vendor/htmx.js": NPM / "htmx.org" / "dist" / "htmx.min.js",
    "vendor/echarts.js": NPM / "echarts" / "dist" / "echarts.simple.min.js",
    # Has scatter plots and tips as well.
    "vendor/echarts-common.js": NPM / "echarts" / "dist" / "echarts.common.min.js",
}
FOR_EVER = "public, max-age=31536000, immutable"


def file_of(name: str) -> Path | None:
    """The file behind an address below ``static/``, if there is one."""
    if name in VENDOR:
        return VENDOR[name]
    for folder in (OWN, look.STATIC):
        candidate = folder / name
        if candidate.parent == folder and candidate.is_file():
            return candidate
    return None


@functools.cache
def asset_url(name: str) -> str:
    """The asset's address with its digest, so that it can be cached for ever."""
    found = file_of(name)
    digest = hashlib.sha256(found.read_bytes()).hexdigest()[:12] if found else "0"
    return f"{PREFIX}static/{name}?v={digest}"


class Assets(StaticFiles):
    """Serves `OWN`, the shared look and `VENDOR`, and nothing else."""

    def __init__(self) -> None:
        super().__init__(directory=OWN)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        found = file_of(path)
        return (str(found), found.stat()) if found and found.is_file() else ("", None)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        fixed = b"v=" in scope.get("query_string", b"")
        response.headers["cache-control"] = FOR_EVER if fixed else "no-cache"
        return response
