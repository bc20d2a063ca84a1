"""The Linux calls a fork server needs and Python 3.11 has no name for."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
from pathlib import Path

from ulab_core.process import prctl

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_NS_GET_USERNS = 0xB701  # linux/nsfs.h
_PR_SET_PDEATHSIG = 1
_MADV_COLLAPSE = 25  # linux/mman.h, since Linux 6.1
_HUGE_PAGE = 2 * 1024 * 1024
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h

# Read before a sandbox is entered, whose /proc may not be readable on the way in.
_LAST_CAPABILITY = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace.

    Raises
    ------
    OSError
        The caller may not, or the descriptor is of another kind.
    """
    _checked(_libc.setns(descriptor, kind))


def owning_user_namespace(descriptor: int) -> int:
    """A new descriptor of the user namespace that owns a namespace; see ioctl_ns(2)."""
    return fcntl.ioctl(descriptor, _NS_GET_USERNS)


def drop_bounding_set() -> None:
    """Give up, for all that this process will ever execute, every capability there is."""
    for capability in range(_LAST_CAPABILITY + 1):
        prctl(_PR_CAPBSET_DROP, capability)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def drop_capabilities() -> None:
    """Give up every capability of this process, and any way to gain one by executing a file."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(ctypes.byref(header), (_Sets * 2)()))
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def be_dumpable() -> None:
    """Let this process's own user look at it in /proc again, which changing users forbade."""
    prctl(_PR_SET_DUMPABLE, 1)


def die_with_parent(yes: bool) -> None:
    """Have the kernel kill this process when its parent dies, or no longer."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL if yes else 0)


def collapse_memory() -> int:
    """Put this process's own memory into huge pages; how many came about.

    A fork copies the table of pages, which is then a hundredth as long. What a child writes to is
    split and copied by small pages, as ever. Older kernels refuse, and nothing changes.
    """
    collapsed = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        area, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights != "rw-p" or name not in ([], ["[heap]"]):
            continue
        start, end = (int(number, 16) for number in area.split("-"))
        first = -(-start // _HUGE_PAGE) * _HUGE_PAGE
        for address in range(first, end - _HUGE_PAGE + 1, _HUGE_PAGE):
            collapsed += _libc.madvise(address, _HUGE_PAGE, _MADV_COLLAPSE) == 0
    return collapsed
