"""Run the portal as the hub's managed service."""

from __future__ import annotations

import gc

from ulab_core.layout import Layout
from ulab_core.process import die_with_parent
from ulab_core.serving import serve
from ulab_core.settings import load_settings
from ulab_portal.app import create_app


def main() -> None:
    """Serve until the hub says stop."""
    die_with_parent()
    settings = load_settings()
    app = create_app(settings)
    # What was imported stays: looking through it for garbage took half the time of a large page.
    gc.collect()
    gc.freeze()
    serve(app, Layout.of(settings), "ulab")


if __name__ == "__main__":
    main()
