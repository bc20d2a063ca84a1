"""What a sandbox is to be, as plain data, and the command line that makes it so."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ulab_runtime.host import Host
from ulab_runtime.limits import MEBIBYTE, Limits, rlimits

# Waits above another process, and ends as it does.
STAND_ABOVE = '"$@"; exit "$?"'


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, seen at `target` inside."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class SandboxSpec:
    """All that a sandbox is given; what isn't named here doesn't exist inside.

    Parameters
    ----------
    command
        The program and its arguments; the program as a path seen inside.
    mounts
        In order. A target can't lie below an earlier writable one, since whoever owns that folder
        decides what is there. Usually starts with `environment_mounts`.
    env
        The whole environment, nothing is inherited. It travels as the process environment, never
        on a command line, where the machine's other users could read it.
    cwd
        The working directory inside.
    network
        Whether the host's network is shared; without it there is only a loopback of its own.
    limits
        What all its processes may use together.
    uid, gid
        As root: the host user and group it runs as, never 0. Otherwise None, which means ours.
    groups
        As root: further host groups whose files it may use, never 0.
    devices
        Device nodes it may open, at the same place.
    user
        The name that this uid has inside.
    outlives_parent
        Whether it lives on when the process that started it dies.
    """

    command: Sequence[str]
    mounts: Sequence[Mount]
    env: Mapping[str, str]
    cwd: str
    network: bool
    limits: Limits
    uid: int | None = None
    gid: int | None = None
    devices: Sequence[Path] = ()
    user: str = "student"
    outlives_parent: bool = False
    groups: Sequence[int] = ()

    @property
    def home(self) -> str:
        return self.env.get("HOME", self.cwd)


def command_line(
    spec: SandboxSpec,
    host: Host,
    *,
    limit_memory: bool = False,
    account_fds: tuple[int, int] | None = None,
) -> list[str]:
    """The program and arguments that start `spec` on `host`; to be run with ``spec.env``.

    As root there are two bubblewraps: the outer arranges the file system with root's rights, so
    that a folder below one closed to others can be shown; the inner, run as the sandbox's own
    user, makes the namespaces, so that nothing inside is root on the host. Where only root may
    make namespaces, the inner runs as root and its command becomes the user. As an ordinary user
    one bubblewrap does both.

    Parameters
    ----------
    limit_memory
        Whether memory is limited process by process, because no cgroup does it.
    account_fds
        Descriptors with the content of ``/etc/passwd`` and ``/etc/group``.
    """
    _check(spec, host)
    bwrap = str(host.bwrap)
    command = [
        str(host.prlimit),
        *rlimits(spec.limits, memory=limit_memory),
        "--",
        *spec.command,
    ]
    files = _file_system(spec, host, account_fds)
    if not host.as_root:
        # bubblewrap dies with what stands above it, so that to kill the outermost process is to
        # end everything.
        above = ["/bin/sh", "-c", STAND_ABOVE, "sh"] if spec.outlives_parent else []
        only = [bwrap, "--die-with-parent", *_namespaces(spec), *files, *_kernel_views(spec)]
        return [*above, *only, "--", *command]
    life = [] if spec.outlives_parent else ["--die-with-parent"]
    outer = [bwrap, *life, *files, "--bind", "/proc", "/proc", "--dev", "/dev"]
    for device in spec.devices:
        outer += ["--dev-bind", str(device), str(device)]
    become = [
        str(host.setpriv),
        f"--reuid={spec.uid}",
        f"--regid={spec.gid}",
        f"--groups={','.join(map(str, spec.groups))}" if spec.groups else "--clear-groups",
        "--no-new-privs",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]
    spaces = _namespaces(spec, with_user=host.user_namespaces)
    inner = [bwrap, "--die-with-parent", *spaces, "--bind", "/", "/", *_kernel_views(spec)]
    if not host.user_namespaces:
        # Only root may make namespaces here, so root does, and the user comes after.
        return [*outer, "--", *inner, "--", *become, "--", *command]
    return [*outer, "--", *become, "--", *inner, "--", *command]


def _check(spec: SandboxSpec, host: Host) -> None:
    if host.as_root and (not spec.uid or not spec.gid):
        raise ValueError("as root a sandbox needs a uid and a gid that are not 0")
    if not host.as_root and (spec.uid is not None or spec.gid is not None or spec.groups):
        raise ValueError("only root can choose a sandbox's uid, gid and groups")
    if 0 in spec.groups:
        raise ValueError("a sandbox can't have the group 0")
    writable: list[PurePosixPath] = []
    for mount in spec.mounts:
        target = PurePosixPath(mount.target)
        if not target.is_absolute() or ".." in target.parts or target == PurePosixPath("/"):
            raise ValueError(f"{mount.target} can't be a mount's target")
        if any(target.is_relative_to(other) for other in writable):
            raise ValueError(f"{mount.target} lies in a folder that is writable inside")
        if mount.writable:
            writable.append(target)


def _namespaces(spec: SandboxSpec, *, with_user: bool = True) -> list[str]:
    kinds = ["pid", "ipc", "uts", "cgroup"] + ([] if spec.network else ["net"])
    user = ["--unshare-user", "--disable-userns", "--cap-drop", "ALL"] if with_user else []
    unshare = [f"--unshare-{kind}" for kind in kinds]
    return [*user, *unshare, "--new-session", "--hostname", "ulab"]


def _file_system(spec: SandboxSpec, host: Host, account_fds: tuple[int, int] | None) -> list[str]:
    temporary = str(spec.limits.memory_mb * MEBIBYTE)
    arguments = ["--perms", "1777", "--size", temporary, "--tmpfs", "/tmp"]
    for points_to, place in host.links:
        arguments += ["--symlink", points_to, place]
    arguments += _mounted(tuple(spec.mounts))
    if account_fds is not None:
        arguments += ["--perms", "0755", "--dir", "/etc"]
        for fd, place in zip(account_fds, ("/etc/passwd", "/etc/group"), strict=True):
            arguments += ["--perms", "0444", "--ro-bind-data", str(fd), place]
    return arguments


@functools.lru_cache(maxsize=64)
def _mounted(mounts: tuple[Mount, ...]) -> tuple[str, ...]:
    arguments: list[str] = []
    covered: list[PurePosixPath] = []
    made: set[PurePosixPath] = {PurePosixPath("/")}
    for mount in mounts:
        target = PurePosixPath(mount.target)
        for folder in reversed(target.parents):
            if folder in made or any(folder.is_relative_to(c) for c in covered):
                continue
            # bubblewrap would close them to others when the source is closed to others.
            arguments += ["--perms", "0755", "--dir", str(folder)]
            made.add(folder)
        arguments += ["--bind" if mount.writable else "--ro-bind", str(mount.source), str(target)]
        covered.append(target)
    return tuple(arguments)


def _kernel_views(spec: SandboxSpec) -> list[str]:
    """/proc and /dev of the sandbox's own, and then no further change of what is where."""
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    for device in spec.devices:
        arguments += ["--dev-bind", str(device), str(device)]
    shared = str(spec.limits.memory_mb * MEBIBYTE)
    arguments += ["--perms", "1777", "--size", shared, "--tmpfs", "/dev/shm"]
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", spec.cwd]


def account_files(spec: SandboxSpec, uid: int, gid: int) -> tuple[str, str]:
    """The content of ``/etc/passwd`` and ``/etc/group``: this user and nobody else."""
    passwd = (
        f"{spec.user}:x:{uid}:{gid}::{spec.home}:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
    return passwd, f"{spec.user}:x:{gid}:\nnogroup:x:65534:\n"
