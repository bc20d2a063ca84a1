"""How much memory a sandbox's processes take, without what they share with a fork server.

A forked kernel shares hundreds of megabytes with its parent, which is outside, and with other
people's kernels. They are nobody's here, until the kernel writes to them and gets copies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TMPFS = ("/tmp", "/dev/shm")
_PARENT, _STACK = 1, 25  # fields of /proc/<pid>/stat after the command's name


@dataclass(frozen=True)
class Process:
    """What /proc says of a process.

    Parameters
    ----------
    pid
        Its number.
    parent
        Its parent's number; 0 when that is outside the sandbox.
    stack
        Where its stack begins. Only processes that were forked of one another agree on it.
    anonymous, private, share
        Its memory that is of no file: all, what it has alone, and all with what is shared divided
        among those who share it.
    segments
        Its memory that it shares on purpose, divided among those who share it.
    """

    pid: int
    parent: int
    stack: int
    anonymous: int
    private: int
    share: int
    segments: int = 0

    @property
    def came_from_outside(self) -> bool:
        """Whether a fork server put it here; process 1 is the sandbox's own."""
        return self.parent == 0 and self.pid != 1

    @property
    def shared(self) -> int:
        return self.anonymous - self.private


def processes(proc: Path = Path("/proc")) -> Iterator[Process]:
    """The processes that can be seen and looked at."""
    for folder in proc.iterdir():
        if folder.name.isdigit() and (process := process_of(folder)) is not None:
            yield process


def process_of(folder: Path) -> Process | None:
    """The process of a folder in /proc; None when it has ended or can't be looked at."""
    try:
        # The name is in parentheses and may hold anything, parentheses and spaces included.
        stat = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    found = fields(folder / "smaps_rollup", ("Anonymous", "Private_Dirty", "Pss_Anon", "Pss_Shmem"))
    if not found:
        return None
    anonymous = found["Anonymous"]
    return Process(
        pid=int(folder.name),
        parent=int(stat[_PARENT]),
        stack=int(stat[_STACK]),
        anonymous=anonymous,
        private=min(anonymous, found["Private_Dirty"]),
        share=found["Pss_Anon"],
        segments=found.get("Pss_Shmem", 0),
    )


def inherited(proc: Path = Path("/proc")) -> int:
    """The bytes this process shares with the fork server it came from; to be asked at its start."""
    own = process_of(proc / str(os.getpid()))
    return own.shared if own is not None and own.came_from_outside else 0


def taken(found: list[Process], inherited: int) -> int:
    """The bytes of processes' own and of what they share on purpose.

    Parameters
    ----------
    inherited
        What a kernel of this sandbox shared with its fork server at its start.
    """
    forked = {process.stack for process in found if process.came_from_outside}
    total = sum(process.segments for process in found)
    for process in found:
        if process.came_from_outside:
            # It may share what is its own with workers that it forked, for whom it counts here.
            total += max(process.private, process.anonymous - inherited)
        elif process.stack in forked:
            total += process.private
        else:
            total += process.share
    return total


def used_in_sandbox(inherited: int = 0, proc: Path = Path("/proc")) -> int:
    """The bytes that all processes of this PID namespace and its files in memory take."""
    return taken(list(processes(proc)), inherited) + files_in_memory()


def files_in_memory() -> int:
    """The bytes of the sandbox's files that take memory."""
    total = 0
    for place in TMPFS:
        try:
            found = os.statvfs(place)
        except OSError:
            continue
        total += (found.f_blocks - found.f_bfree) * found.f_frsize
    return total


def anonymous(proc: Path = Path("/proc/self")) -> int:
    """The bytes of this process that are of no file, shared or not; told without a page walk."""
    return fields(proc / "status", ("RssAnon",)).get("RssAnon", 0)


def data_size(proc: Path = Path("/proc/self")) -> int:
    """What RLIMIT_DATA counts of this process, in bytes: reserved, used or not."""
    return fields(proc / "status", ("VmData",)).get("VmData", 0)


def fields(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Amounts in bytes that a file of /proc lists by name; empty when it can't be read."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    found = (line.split() for line in lines if line.partition(":")[0] in names)
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in found}
