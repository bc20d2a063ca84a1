"""Opening a course's gradebook with the course's rights instead of root's.

SQLite trusts what lies beside a database: a journal there can name any file, which is removed when
the journal has been played back. Instructors can write one, so who opens the gradebook may have no
more rights on files than they.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ulab_core.layout import Layout

_CAPABILITIES_V3 = 0x20080522
_READ_AND_SEARCH = 1 << 2  # CAP_DAC_READ_SEARCH: on the way there lie folders closed to others


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Set(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def course_rights(layout: Layout, course_id: str) -> Iterator[None]:
    """As root: this thread changes files with the rights of the course's group alone.

    It can still read. Other threads keep their rights, and so do files that are open already. Start
    no thread meanwhile: it would have these rights for good.
    """
    if os.geteuid() != 0:
        yield
        return
    gid = layout.course(course_id).stat().st_gid
    if gid == 0:
        yield  # not a course that a sandbox could write in
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.setfsgid(gid)
    libc.setfsuid(gid)
    try:
        if libc.setfsuid(-1) != gid or libc.setfsgid(-1) != gid:
            raise OSError(ctypes.get_errno(), "the rights of the course could not be taken")
        _keep_reading(libc)
        yield
    finally:
        libc.setfsuid(0)  # gives the capabilities on files back
        libc.setfsgid(0)


def _keep_reading(libc: ctypes.CDLL) -> None:
    header, sets = _Header(_CAPABILITIES_V3, 0), (_Set * 2)()
    if libc.capget(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities could not be read")
    sets[0].effective |= _READ_AND_SEARCH & sets[0].permitted
    if libc.capset(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities could not be set")
