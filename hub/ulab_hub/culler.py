"""Run JupyterHub's idle culler so that it ends with the hub."""

from __future__ import annotations

from jupyterhub_idle_culler import main as cull

from ulab_core.process import die_with_parent


def main() -> None:
    """Cull until the hub ends; takes the idle culler's own options."""
    die_with_parent()
    cull()


if __name__ == "__main__":
    main()
