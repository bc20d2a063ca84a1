"""SSH for DVC that trusts known hosts alone: dvc-ssh takes whoever answers for the right host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import asyncssh
from dvc_objects.fs import known_implementations
from dvc_ssh import SSHFileSystem


class StrictSSH(SSHFileSystem):
    """Asks nobody for a password, and lends the host no agent."""

    known_hosts: ClassVar[str] = ""

    def _prepare_credentials(self, **config: Any) -> dict[str, Any]:
        return {
            **super()._prepare_credentials(**config),
            "known_hosts": self.known_hosts,
            "client_factory": asyncssh.SSHClient,
            "agent_forwarding": False,
        }


@contextmanager
def trusting(known_hosts: str) -> Iterator[None]:
    """Have DVC use this, with the hosts of a file.

    Raises
    ------
    ConnectionError
        The host can't be trusted, or trusts us not.
    """
    StrictSSH.known_hosts = str(Path(known_hosts).expanduser())
    known_implementations["ssh"] = {"class": f"{__name__}.{StrictSSH.__name__}"}
    try:
        yield
    except asyncssh.Error as error:
        raise ConnectionError(str(error)) from error
