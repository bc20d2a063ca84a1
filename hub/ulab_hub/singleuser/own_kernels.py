"""Find the kernels that people made themselves, such as those of their virtual environments."""

from __future__ import annotations

from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager


class OwnKernels(KernelSpecManager):
    """Also looks in the home, which JupyterHub keeps from a server as it does user configuration.

    The base's kernels come first, so that none of theirs takes its name.
    """

    def _kernel_dirs_default(self) -> list[str]:
        own = Path.home() / ".local" / "share" / "jupyter" / "kernels"
        return [*super()._kernel_dirs_default(), str(own)]
