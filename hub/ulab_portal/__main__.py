"""Run the portal as the hub's managed service."""

from __future__ import annotations

from ulab_core.layout import Layout
from ulab_core.process import die_with_parent
from ulab_core.serving import serve
from ulab_core.settings import load_settings
from ulab_portal.app import create_app


def main() -> None:
    """Serve until the hub says stop."""
    die_with_parent()
    settings = load_settings()
    serve(create_app(settings), Layout.of(settings), "ulab")


if __name__ == "__main__":
    main()
