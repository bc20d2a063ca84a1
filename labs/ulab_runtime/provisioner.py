"""A kernel provisioner: kernels forked from a warmed parent, or cold where that can't be."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from ulab_runtime.forkserver.client import SOCKET_VARIABLE, ForkedProcess, NotForked, fork
from ulab_runtime.own_packages import FOUND_VARIABLE, shadowed

MODULE = "ulab_runtime.kernel"
OWN_PACKAGES = "own-packages"
OTHER_COMMAND = "other-command"
OTHER_PYTHON = "other-python"
NOT_OFFERED = "not-offered"
READ_LATE = {
    "PYTHONPATH", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE",
    "PYTHONSTARTUP", "PYTHONBREAKPOINT", "PYTHONASYNCIODEBUG",
}  # fmt: skip
"""Variables of Python's that a forked kernel heeds as well as one that starts afresh."""


def arguments_of(command: Sequence[str]) -> list[str]:
    """What follows ``python … -m ulab_runtime.kernel`` in a kernel's command.

    Raises
    ------
    NotForked
        It is another Python's, or another program's.
    """
    if MODULE not in command or command[0] != sys.executable:
        raise NotForked(OTHER_COMMAND)
    return list(command[list(command).index(MODULE) + 1 :])


def refuse_other_python(env: Mapping[str, str]) -> None:
    """
    Raises
    ------
    NotForked
        Python would start with other settings than the parent did.
    """
    if any(name.startswith("PYTHON") and name not in READ_LATE for name in env):
        raise NotForked(OTHER_PYTHON)


class WarmProvisioner(LocalProvisioner):
    """Gets kernels from the fork server; in everything else the stock provisioner."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a kernel, cold when it can't be warm."""
        env = dict(kwargs["env"])
        if not kwargs.get("independent"):
            env["JPY_PARENT_PID"] = str(os.getpid())
        try:
            process: Any = await asyncio.to_thread(self._fork, cmd, env, kwargs)
        except _Own as own:
            self._count(OWN_PACKAGES)
            kwargs["env"] = {**kwargs["env"], FOUND_VARIABLE: ",".join(own.modules)}
            return await super().launch_kernel(cmd, **kwargs)
        except NotForked as error:
            self._count(error.reason)
            return await super().launch_kernel(cmd, **kwargs)
        self._count("")
        # A child leads a session of its own, and so a group of its own.
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    def _fork(self, cmd: list[str], env: dict[str, str], kwargs: dict[str, Any]) -> ForkedProcess:
        path = os.environ.get(SOCKET_VARIABLE)
        if not path:
            raise NotForked(NOT_OFFERED)
        refuse_other_python(env)

        def willing(modules: Sequence[str]) -> None:
            if own := shadowed(env, modules):
                raise _Own(own)

        return fork(
            Path(path),
            module=MODULE,
            argv=arguments_of(cmd),
            env=env,
            cwd=str(kwargs.get("cwd") or Path.cwd()),
            descriptors=outputs_of(kwargs),
            willing=willing,
        )

    def _count(self, reason: str) -> None:
        if reason not in ("", NOT_OFFERED):
            self.log.warning("This kernel starts cold, which takes seconds longer: %s", reason)
        # Only a server has a page of metrics to show it on.
        if "jupyter_server.prometheus.metrics" in sys.modules:
            from ulab_runtime.metrics import KERNEL_STARTS

            KERNEL_STARTS.labels(way="cold" if reason else "warm", reason=reason).inc()

    async def send_signal(self, signum: int) -> None:
        # By its number a group that has ended can't be told from a later one.
        if self.process is not None and self.process.poll() is None:
            await super().send_signal(signum)


class _Own(NotForked):
    """The person has packages of their own in the place of preloaded ones."""

    def __init__(self, modules: list[str]) -> None:
        super().__init__(OWN_PACKAGES)
        self.modules = modules


def outputs_of(kwargs: Mapping[str, Any]) -> list[int]:
    """The descriptors of a child's standard output and error, wanted as `subprocess.Popen`'s.

    Raises
    ------
    NotForked
        A pipe or nothing is wanted, which the stock way makes.
    """
    output = descriptor_of(kwargs.get("stdout"), 1)
    error = kwargs.get("stderr")
    return [output, output if error == subprocess.STDOUT else descriptor_of(error, 2)]


def descriptor_of(wanted: Any, own: int) -> int:
    """The descriptor that an argument of `subprocess.Popen` means; `own` when it means none.

    Raises
    ------
    NotForked
        It asks for one that is to be made.
    """
    if wanted is None:
        return own
    if isinstance(wanted, int):
        if wanted < 0:
            raise NotForked(OTHER_COMMAND)
        return wanted
    return int(wanted.fileno())
