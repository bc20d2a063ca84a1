"""Put a forked child into a sandbox: its cgroups, limits, namespaces and user, and nothing more.

The order in which namespaces can be entered is research of our own on Linux 5.15 to 6.18: the rules
are those of setns(2) and user_namespaces(7).
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from ulab_runtime.forkserver import linux
from ulab_runtime.forkserver.target import NoSuchTarget, Status, Target, groups_of

KINDS = {
    "mnt": linux.CLONE_NEWNS,
    "pid": linux.CLONE_NEWPID,
    "ipc": linux.CLONE_NEWIPC,
    "uts": linux.CLONE_NEWUTS,
    "cgroup": linux.CLONE_NEWCGROUP,
    "net": linux.CLONE_NEWNET,
}
OWNER = "owner"
USER = "user"
# Without these of its own, a process runs in no sandbox.
ESSENTIAL = ("mnt", "pid")


def order(theirs: Mapping[str, int], ours: Mapping[str, int], owner: int) -> list[str]:
    """Which namespaces to enter, in the only order that is allowed.

    Parameters
    ----------
    theirs, ours
        The inodes of the target's and of our namespaces, by kind.
    owner
        The inode of the user namespace that owns the target's mount namespace. bubblewrap nests
        two: the outer owns everything, the inner, in which the target runs, owns nothing.

    Raises
    ------
    NoSuchTarget
        The target is in no sandbox.
    """
    if any(theirs[kind] == ours[kind] for kind in ESSENTIAL):
        raise NoSuchTarget("it runs in no sandbox")
    others = [kind for kind in KINDS if theirs[kind] != ours[kind]]
    if theirs[USER] == ours[USER]:
        return others
    if theirs[USER] == owner:
        return [USER, *others]
    return [OWNER, *others, USER]


def become(status: Status) -> None:
    """Take over the target's user and groups."""
    if os.geteuid() == 0:
        os.setgroups(status.groups)
        os.setresgid(status.gid, status.gid, status.gid)
        os.setresuid(status.uid, status.uid, status.uid)


def check(status: Status, euid: int) -> None:
    """
    Raises
    ------
    NoSuchTarget
        As root we serve everyone but root; as an ordinary user only ourselves.
    """
    if status.uid == 0 or status.gid == 0 or (euid != 0 and status.uid != euid):
        raise NoSuchTarget(f"it runs as user {status.uid}")
    if euid == 0 and 0 in status.groups:
        raise NoSuchTarget("it has root's group")


def enter(target: Target) -> Status:
    """Enter the target's cgroups, limits and namespaces; children are then in its PID namespace.

    The caller holds every capability in the sandbox's user namespace afterwards, and has to give
    them up in the child that will run code: see `settle`.

    Raises
    ------
    NoSuchTarget
        The target has ended, or is none whose sandbox could be joined.
    OSError
        The system refuses.
    """
    status = target.status()
    check(status, os.geteuid())
    ours = {kind: Path(f"/proc/self/ns/{kind}").stat().st_ino for kind in (*KINDS, USER)}
    theirs = {kind: target.namespace(kind) for kind in (*KINDS, USER)}
    opened = {kind: target.open_namespace(kind) for kind in (*KINDS, USER)}
    opened[OWNER] = linux.owning_user_namespace(opened["mnt"])
    steps = order(theirs, ours, os.fstat(opened[OWNER]).st_ino)
    limits = target.limits()
    groups = target.cgroup_folders()
    # Everything was read by number, and is this target's only if it lived until now.
    target.confirm()
    _join_groups(groups)
    for number, values in limits.items():
        resource.setrlimit(number, values)
    if USER in steps:
        # Who owns the sandbox's user namespace may enter it; nothing here needs to be root's.
        become(status)
    for step in steps:
        linux.setns(opened[step], KINDS.get(step, linux.CLONE_NEWUSER))
    for descriptor in opened.values():
        os.close(descriptor)
    return status


def _join_groups(theirs: Mapping[str, Path]) -> None:
    ours = groups_of(Path("/proc/self/cgroup").read_text())
    for controller, folder in theirs.items():
        if ours.get(controller) != folder:
            (folder / "cgroup.procs").write_text("0")


def settle(status: Status) -> None:
    """In the child that will run code: end up as the target is, with no capability left."""
    os.setsid()
    linux.drop_bounding_set()
    become_late = os.geteuid() == 0 and status.uid != 0
    if become_late:
        become(status)  # without a user namespace, where we came in as root
    linux.drop_capabilities()
    linux.be_dumpable()
    os.umask(status.umask)
