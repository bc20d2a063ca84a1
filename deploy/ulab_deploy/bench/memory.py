"""Whose memory is whose: processes of students, and what they and the base share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Process:
    """One process, as far as its memory matters.

    Attributes
    ----------
    namespace
        Its PID namespace, as the kernel names it.
    cgroup
        The content of its ``/proc/<pid>/cgroup``.
    uss, pss
        Bytes that are its alone; the same and its share of what several map. None when this
        machine doesn't let us read them.
    """

    pid: int
    parent: int
    namespace: str
    cgroup: str
    uss: int | None
    pss: int | None


@dataclass(frozen=True)
class Memory:
    """The memory of one side, in MiB.

    Attributes
    ----------
    private
        By student: what its end would free.
    shared
        Everything else, counted once: the base's own processes and what students' processes share.
    unreadable
        How many processes' memory could not be read.
    """

    private: Mapping[str, float]
    shared: float
    unreadable: int

    @property
    def private_mean(self) -> float | None:
        return sum(self.private.values()) / len(self.private) if self.private else None


def attribute(
    processes: Sequence[Process], roots: Mapping[str, int], base: int
) -> dict[str, set[int]]:
    """Which processes are which student's.

    A process below a student's outermost one is theirs. One that a fork server common to all has
    forked hangs below that server instead, and is known by the sandbox's PID namespace or cgroup;
    what it starts in turn is below it.

    Parameters
    ----------
    roots
        Each student's outermost process.
    base
        A process whose namespace and cgroup are no student's: the hub's.
    """
    children = defaultdict(list)
    by_pid = {process.pid: process for process in processes}
    for process in processes:
        children[process.parent].append(process.pid)
    owners: dict[int, str] = {}
    nobodys = by_pid.get(base)
    for student, root in roots.items():
        _claim(root, student, children, owners, by_pid)
    for place in ("namespace", "cgroup"):
        rooms = _rooms(owners, by_pid, place)
        rooms.pop(getattr(nobodys, place, ""), None)
        rooms.pop("", None)
        for process in processes:
            owner = rooms.get(getattr(process, place))
            if owner is not None:
                _claim(process.pid, owner, children, owners, by_pid)
    found: dict[str, set[int]] = {student: set() for student in roots}
    for pid, student in owners.items():
        found[student].add(pid)
    return found


def _claim(
    top: int,
    student: str,
    children: Mapping[int, list[int]],
    owners: dict[int, str],
    known: Mapping[int, Process],
) -> None:
    waiting = [top]
    while waiting:
        pid = waiting.pop()
        if pid in known and pid not in owners:
            owners[pid] = student
            waiting.extend(children.get(pid, ()))


def _rooms(
    owners: Mapping[int, str], by_pid: Mapping[int, Process], place: str
) -> dict[str, str | None]:
    """Whose each namespace or cgroup is; None where several students' processes are."""
    rooms: dict[str, str | None] = {}
    for pid, student in owners.items():
        room = getattr(by_pid[pid], place)
        rooms[room] = student if rooms.get(room, student) == student else None
    return rooms


def weigh(
    processes: Sequence[Process], roots: Mapping[str, int], base: int, arrived: Collection[str]
) -> Memory:
    """Sum up the memory of students and of what they share.

    Parameters
    ----------
    arrived
        Those whose cell ran. The others' memory is neither private to one of them nor the base's.
    """
    uss = {process.pid: process.uss or 0 for process in processes}
    private = {
        student: sum(uss[pid] for pid in pids) / MEBIBYTE
        for student, pids in attribute(processes, roots, base).items()
    }
    everything = sum(process.pss or 0 for process in processes) / MEBIBYTE
    return Memory(
        {student: size for student, size in private.items() if student in arrived},
        everything - sum(private.values()),
        sum(process.uss is None for process in processes),
    )


def look(pids: Iterable[int]) -> list[Process]:
    """The processes of these numbers that still run."""
    found = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            parent = process.ppid()
            uss, pss = _own_and_share(process)
        except psutil.Error:
            continue
        found.append(Process(pid, parent, _namespace(pid), _cgroup(pid), uss, pss))
    return found


def _own_and_share(process: psutil.Process) -> tuple[int | None, int | None]:
    try:
        used = process.memory_full_info()
    except psutil.AccessDenied:
        return None, None
    return used.uss, used.pss


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


def _cgroup(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return ""
