"""What every Jupyter program in a sandbox does: kernels over unix sockets."""

from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821

# A kernel's TCP ports could be read by every process of the host.
c.KernelManager.transport = "ipc"
# Our kernel, which guards its memory, in the place of IPython's own.
c.KernelSpecManager.ensure_native_kernel = False
