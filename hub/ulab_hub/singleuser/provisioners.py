"""Find the kernel provisioners when this is imported: in a fork server once for all its children.

Looking through every installed distribution's entry points costs a server 15 ms otherwise.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from jupyter_client.provisioning.factory import KernelProvisionerFactory

FOUND = entry_points(group=KernelProvisionerFactory.GROUP_NAME)


def use_found() -> None:
    """Have Jupyter not look for them again."""
    factory = KernelProvisionerFactory
    factory._get_all_provisioners = staticmethod(lambda: FOUND)  # type: ignore[method-assign]
