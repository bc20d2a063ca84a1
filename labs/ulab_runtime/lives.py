"""Tell a process from a later one with the same number, across restarts of hub and machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ulab_core.process import descendants

_STATE, _STARTED = 0, 19  # fields of /proc/<pid>/stat after the command's name


@dataclass(frozen=True)
class Life:
    """One process, once: its number, when it started, and in which boot of the machine."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Life:
        """
        Raises
        ------
        ProcessLookupError
            There is no such process.
        """
        return cls(pid, int(_stat(pid)[_STARTED]), _boot())

    def lasts(self) -> bool:
        """Whether it is still running; a zombie isn't."""
        try:
            fields = _stat(self.pid)
        except ProcessLookupError:
            return False
        alive = fields[_STATE] not in ("Z", "X")
        return alive and int(fields[_STARTED]) == self.started and _boot() == self.boot


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        raise ProcessLookupError(pid) from None
    # The name is in parentheses and may hold anything, parentheses and spaces included.
    return text.rpartition(")")[2].split()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def command_in_sandbox(pid: int) -> int | None:
    """The host's number of the command that the sandbox with outermost process `pid` runs.

    bubblewrap is process 1 of the sandbox's PID namespace and the command is process 2.
    """
    for descendant in descendants(pid):
        try:
            status = Path(f"/proc/{descendant}/status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("NSpid:") and len(line.split()) > 2 and line.split()[-1] == "2":
                return descendant
    return None
