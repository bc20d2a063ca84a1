"""How much a sandbox may use, and who enforces it: cgroups where we may make them, else rlimits."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ulab_core.i18n import mark

MEBIBYTE = 1024 * 1024
CPU_PERIOD_US = 100_000
LIBRARY_RESERVE_MB = 4096
CONTROLLERS = ("memory", "cpu", "pids")
CGROUP_FOLDER = "ulab"


@dataclass(frozen=True)
class Limits:
    """What the processes of one sandbox may use together.

    Parameters
    ----------
    memory_mb
        Memory in MiB, files in memory included. Without cgroups: of each process.
    cpus
        CPU cores, as time per time. Without cgroups it is not enforced.
    processes
        Processes and threads at once.
    file_mb
        The largest file that can be written, in MiB.
    """

    memory_mb: int
    cpus: float
    processes: int
    file_mb: int


@dataclass(frozen=True)
class Cgroups:
    """Where cgroups can be made: a folder per controller (version 1) or one for all (version 2)."""

    version: int
    folders: Mapping[str, Path]

    @property
    def distinct(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(self.folders.values()))


def rlimits(limits: Limits, *, memory: bool) -> list[str]:
    """The arguments of prlimit that hold inside a sandbox, whoever else holds.

    Parameters
    ----------
    memory
        Whether memory too has to be limited this way, process by process.
    """
    arguments = [
        f"--nproc={limits.processes}",
        f"--fsize={limits.file_mb * MEBIBYTE}",
        "--core=0",
    ]
    if memory:
        # Libraries reserve gigabytes that they never use: torch alone about 3.
        arguments.append(f"--data={(limits.memory_mb + LIBRARY_RESERVE_MB) * MEBIBYTE}")
    return arguments


def cgroup_values(version: int, limits: Limits) -> dict[str, list[tuple[str, str]]]:
    """What to write into which file of which controller's group, in order."""
    memory = str(limits.memory_mb * MEBIBYTE)
    quota = str(max(1000, int(limits.cpus * CPU_PERIOD_US)))
    pids = [("pids.max", str(limits.processes))]
    if version == 2:
        return {
            "memory": [("memory.max", memory), ("memory.swap.max", "0")],
            "cpu": [("cpu.max", f"{quota} {CPU_PERIOD_US}")],
            "pids": pids,
        }
    return {
        "memory": [
            # With swap can't be less than without, so it is lifted while the other changes.
            ("memory.memsw.limit_in_bytes", "-1"),
            ("memory.limit_in_bytes", memory),
            ("memory.memsw.limit_in_bytes", memory),
        ],
        "cpu": [("cpu.cfs_period_us", str(CPU_PERIOD_US)), ("cpu.cfs_quota_us", quota)],
        "pids": pids,
    }


# A kernel without swap accounting has no such file, and then there is nothing to limit.
OPTIONAL_FILES = frozenset({"memory.memsw.limit_in_bytes", "memory.swap.max"})


class Group:
    """The cgroups of one sandbox."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)

    @classmethod
    def create(cls, cgroups: Cgroups, name: str, limits: Limits) -> Group:
        """Make the groups, or take over those of that name, and set their limits."""
        values = cgroup_values(cgroups.version, limits)
        for controller, base in cgroups.folders.items():
            folder = base / name
            folder.mkdir(exist_ok=True)
            for file, value in values[controller]:
                path = folder / file
                if file in OPTIONAL_FILES and not path.exists():
                    continue
                path.write_text(value)
        return cls([base / name for base in cgroups.distinct])

    @property
    def entrances(self) -> list[str]:
        """The files a process writes to in order to come in."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def pids(self) -> set[int]:
        found: set[int] = set()
        for folder in self.folders:
            with contextlib.suppress(OSError):
                found.update(map(int, (folder / "cgroup.procs").read_text().split()))
        return found

    def oom_kills(self) -> int:
        """How many processes were killed for want of memory."""
        for folder in self.folders:
            for file in ("memory.oom_control", "memory.events"):
                with contextlib.suppress(OSError):
                    for line in (folder / file).read_text().splitlines():
                        if line.startswith("oom_kill "):
                            return int(line.split()[1])
        return 0

    def end(self, patience_s: float = 10.0) -> None:
        """Kill what is left in the groups and remove them."""
        until = time.monotonic() + patience_s
        while (left := self.pids()) and time.monotonic() < until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def sweep(cgroups: Cgroups) -> None:
    """Remove the groups of runs whose process was killed before it could.

    Only names that `run_name` gave are looked at: another group may be empty for a moment while
    its sandbox starts.
    """
    for base in cgroups.distinct:
        for folder in base.glob("run-*"):
            owner = folder.name.split("-")[1]
            if owner.isdigit() and not Path("/proc", owner).exists():
                Group([folder]).end()


def run_name() -> str:
    """A name for the groups of a sandbox that this process waits for."""
    return f"run-{os.getpid()}-{uuid.uuid4().hex}"


def own_folders(cgroup: str, mountinfo: str) -> dict[str, Path]:
    """Where this process's own groups lie, by controller; version 2 under the key ``""``.

    Parameters
    ----------
    cgroup
        The content of ``/proc/self/cgroup``.
    mountinfo
        The content of ``/proc/self/mountinfo``.
    """
    mounts: dict[str, tuple[str, str]] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, place = before.split()[3:5]
        kind, _, options = [*after.split(), "", "", ""][:3]
        if kind == "cgroup2":
            mounts[""] = (root, place)
        elif kind == "cgroup":
            for option in options.split(","):
                mounts[option] = (root, place)
    found = {}
    for line in cgroup.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            if name in mounts:
                root, place = mounts[name]
                inside = os.path.relpath(path, root)
                found[name] = Path(place) if inside.startswith("..") else Path(place, inside)
    return found


@functools.cache
def cgroups() -> Cgroups | None:
    """Where we may make cgroups, or None when this machine doesn't let us."""
    try:
        own = own_folders(
            Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text()
        )
    except OSError:
        return None
    found = None
    if set(CONTROLLERS) <= own.keys():
        found = _version_1(own)
    elif "" in own:
        found = _version_2(own[""])
    if found is not None:
        sweep(found)
    return found


def _version_1(own: Mapping[str, Path]) -> Cgroups | None:
    folders = {name: own[name] / CGROUP_FOLDER for name in CONTROLLERS}
    try:
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
            if not os.access(folder / "cgroup.procs", os.W_OK):
                return None
    except OSError:
        return None
    return Cgroups(1, folders)


def _version_2(own: Path) -> Cgroups | None:
    """Use our own subtree when it was delegated to us (systemd: ``Delegate=yes``)."""
    base = own / CGROUP_FOLDER
    if own.name == "main" and (own.parent / CGROUP_FOLDER).is_dir():
        base = own.parent / CGROUP_FOLDER  # we moved aside in an earlier life of this process tree
    try:
        base.mkdir(exist_ok=True)
        _enable(base.parent)
        _enable(base)
    except OSError:
        return None
    return Cgroups(2, dict.fromkeys(CONTROLLERS, base))


def _enable(folder: Path) -> None:
    control = folder / "cgroup.subtree_control"
    wanted = " ".join(f"+{name}" for name in CONTROLLERS)
    if set(CONTROLLERS) <= set(control.read_text().split()):
        return
    try:
        control.write_text(wanted)
    except OSError:
        # A group with processes of its own can't share out: they move into a group beside ours.
        aside = folder / "main"
        aside.mkdir(exist_ok=True)
        for pid in (folder / "cgroup.procs").read_text().split():
            (aside / "cgroup.procs").write_text(pid)
        control.write_text(wanted)


def in_force() -> str:
    """Who enforces the limits here, as an untranslated sentence for the doctor."""
    found = cgroups()
    if found is None:
        return mark(
            "Limits are enforced process by process (rlimits): memory, number of processes and "
            "file size; CPU time is shared freely. Run as root, or under systemd with "
            "Delegate=yes, for limits per student."
        )
    if found.version == 2:
        return mark("Limits are enforced by cgroups (version 2): memory, CPU, processes.")
    return mark("Limits are enforced by cgroups (version 1): memory, CPU, processes.")
