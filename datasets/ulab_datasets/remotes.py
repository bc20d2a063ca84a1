"""Where data sets are kept besides this machine: a folder, a host over SSH, or S3."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ulab_core.i18n import mark
from ulab_core.settings import Datasets
from ulab_datasets.errors import RemoteFailed

CONNECT_S = "30"
READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True)
class Remote:
    """A remote.

    Attributes
    ----------
    url
        A folder, ``ssh://host/folder`` or ``s3://bucket/folder``.
    options
        More of what DVC says of a remote: ``keyfile``, ``endpointurl``, ``profile``.
    known_hosts
        For SSH: the file with the keys of the hosts that are trusted; no other is.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict)
    known_hosts: str = "~/.ssh/known_hosts"

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0] if "://" in self.url else ""


def remote_of(settings: Datasets) -> Remote | None:
    """The remote of a base; None when none is set."""
    if not settings.remote:
        return None
    plain = Remote(settings.remote)
    by_scheme = {
        "ssh": {"keyfile": settings.remote_key_file, "timeout": CONNECT_S},
        "s3": {
            "endpointurl": settings.remote_endpoint,
            "profile": settings.remote_profile,
            "connect_timeout": CONNECT_S,
        },
    }
    options = {name: value for name, value in by_scheme.get(plain.scheme, {}).items() if value}
    return Remote(plain.url, options, settings.remote_known_hosts or plain.known_hosts)


def refuse_open_secrets(remote: Remote) -> None:
    """See that nobody else on the machine can read the keys to a remote.

    Raises
    ------
    RemoteFailed
        Somebody can.
    """
    for path in _secrets(remote):
        if path.is_file() and path.stat().st_mode & READABLE_BY_OTHERS:
            raise RemoteFailed(
                mark("Others can read {file}, which opens {remote}. Run: chmod 600 {file}"),
                file=path,
                remote=remote.url,
            )


def _secrets(remote: Remote) -> Iterator[Path]:
    if remote.scheme == "ssh" and "keyfile" in remote.options:
        yield Path(remote.options["keyfile"]).expanduser()
    if remote.scheme == "s3":
        named = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
        yield Path(named).expanduser()
