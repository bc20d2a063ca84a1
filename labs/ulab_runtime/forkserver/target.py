"""The process whose sandbox a child is to join: who it is, and that it still is who it was."""

from __future__ import annotations

import os
import re
import resource
import select
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ulab_runtime.limits import CONTROLLERS, own_folders

# The names of /proc/<pid>/limits. prlimit(2) would need a privilege that a container's root lacks.
LIMITS = {
    "Max cpu time": resource.RLIMIT_CPU,
    "Max file size": resource.RLIMIT_FSIZE,
    "Max data size": resource.RLIMIT_DATA,
    "Max stack size": resource.RLIMIT_STACK,
    "Max core file size": resource.RLIMIT_CORE,
    "Max resident set": resource.RLIMIT_RSS,
    "Max processes": resource.RLIMIT_NPROC,
    "Max open files": resource.RLIMIT_NOFILE,
    "Max locked memory": resource.RLIMIT_MEMLOCK,
    "Max address space": resource.RLIMIT_AS,
    "Max pending signals": resource.RLIMIT_SIGPENDING,
    "Max msgqueue size": resource.RLIMIT_MSGQUEUE,
    "Max nice priority": resource.RLIMIT_NICE,
    "Max realtime priority": resource.RLIMIT_RTPRIO,
    "Max realtime timeout": resource.RLIMIT_RTTIME,
}
_LIMIT = re.compile(r"(?P<name>.+?)\s{2,}(?P<soft>\S+)\s+(?P<hard>\S+)")


class NoSuchTarget(Exception):
    """The process is gone, or is nobody whose sandbox could be joined."""


@dataclass(frozen=True)
class Status:
    """What ``/proc/<pid>/status`` says.

    Parameters
    ----------
    uid, gid
        All four of each (real, effective, saved, file system) must agree: a process in the middle
        of a change of user is not to be joined.
    umask
        Its file mode creation mask.
    groups
        Its further groups, which nobody in a sandbox can change.
    """

    uid: int
    gid: int
    umask: int
    groups: tuple[int, ...] = ()


def parse_status(text: str) -> Status:
    """
    Raises
    ------
    NoSuchTarget
        The process is of more than one user or group at once.
    """
    fields = {
        name: value.split()
        for name, _, value in (line.partition(":") for line in text.splitlines())
    }
    uids, gids = set(fields["Uid"]), set(fields["Gid"])
    if len(uids) != 1 or len(gids) != 1:
        raise NoSuchTarget("it is of several users")
    groups = tuple(int(group) for group in fields["Groups"])
    return Status(int(uids.pop()), int(gids.pop()), int(fields["Umask"][0], 8), groups)


def parse_limits(text: str) -> dict[int, tuple[int, int]]:
    """The soft and hard limits in a ``/proc/<pid>/limits``, by number."""
    found = {}
    for line in text.splitlines():
        match = _LIMIT.match(line)
        if match and match["name"] in LIMITS:
            soft, hard = (
                resource.RLIM_INFINITY if match[kind] == "unlimited" else int(match[kind])
                for kind in ("soft", "hard")
            )
            found[LIMITS[match["name"]]] = (soft, hard)
    return found


def is_alive(pidfd: int) -> bool:
    """Whether the process that a pidfd stands for hasn't ended."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return not poll.poll(0)


def pid_of(pidfd: int) -> int:
    """The number, in our PID namespace, of the process that a pidfd stands for.

    Raises
    ------
    NoSuchTarget
        It isn't a pidfd, or the process is gone or in a namespace that we don't see.
    """
    try:
        text = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    except OSError as error:
        raise NoSuchTarget(str(error)) from None
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise NoSuchTarget("no pidfd of a living process")


@dataclass(frozen=True)
class Target:
    """A process, held by a pidfd so that a later one with its number can't take its place.

    Whatever is read of it by number is true only if `is_alive` holds afterwards; `confirm` it.
    """

    pid: int
    pidfd: int

    def confirm(self) -> None:
        """
        Raises
        ------
        NoSuchTarget
            It has ended, so that what was read may be another's.
        """
        if not is_alive(self.pidfd):
            raise NoSuchTarget("it has ended")

    @property
    def proc(self) -> Path:
        return Path(f"/proc/{self.pid}")

    def status(self) -> Status:
        return parse_status((self.proc / "status").read_text())

    def namespace(self, kind: str) -> int:
        """The inode of a namespace, which identifies it."""
        return (self.proc / "ns" / kind).stat().st_ino

    def open_namespace(self, kind: str) -> int:
        return os.open(self.proc / "ns" / kind, os.O_RDONLY | os.O_CLOEXEC)

    def limits(self) -> dict[int, tuple[int, int]]:
        """Its resource limits, soft and hard, by number."""
        return parse_limits((self.proc / "limits").read_text())

    def cgroup_folders(self) -> Mapping[str, Path]:
        """Its cgroups, by controller."""
        return groups_of((self.proc / "cgroup").read_text())


def groups_of(cgroup: str) -> Mapping[str, Path]:
    """The cgroups named in a ``/proc/<pid>/cgroup`` that limit anything, by controller."""
    found = own_folders(cgroup, Path("/proc/self/mountinfo").read_text())
    return {name: path for name, path in found.items() if name in ("", *CONTROLLERS)}
