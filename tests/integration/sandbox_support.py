"""Sandboxes for tests, started as root and as an ordinary user of the machine."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import ulab_runtime
from ulab_runtime import limits
from ulab_runtime.host import Host, python_folders
from ulab_runtime.sandbox import Finished, Limits, Mount, SandboxSpec, environment_mounts, run

APART = 1_000_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
"""Added to the users of each process that runs tests: else the fork bombs of one would leave no
room for the sandboxes of another, as the kernel counts processes by user."""
ORDINARY_UID = 23_456 + APART
FIRST_STUDENT_UID = 210_001 + APART
PACKAGES = ("ulab_core", "ulab_runtime")
CHECKOUT = Path(ulab_runtime.__file__).parents[2]

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_cgroups = pytest.mark.skipif(
    os.geteuid() != 0 or limits.cgroups() is None, reason="cgroups can't be made here"
)

# Runs the specification it reads, as whoever it is started as.
RUN_SPECIFICATION = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from ulab_runtime.sandbox import Limits, Mount, SandboxSpec, run
given = json.load(sys.stdin)
timeout_s = given.pop("timeout_s")
given["mounts"] = [Mount(Path(m["source"]), m["target"], m["writable"]) for m in given["mounts"]]
given["limits"] = Limits(**given["limits"])
given["devices"] = [Path(d) for d in given["devices"]]
print(json.dumps(asdict(run(SandboxSpec(**given), timeout_s))))
"""


class Student:
    """One person's sandboxes, arranged by root or by an ordinary user.

    Parameters
    ----------
    by_root
        Who arranges them. An ordinary user stands for both the base and the student then.
    namespaces_for_all
        False is a machine where only root may make namespaces.
    """

    def __init__(
        self, folder: Path, name: str, number: int, by_root: bool, namespaces_for_all: bool = True
    ) -> None:
        self.name = name
        self.host = dataclasses.replace(
            Host.detect(), as_root=by_root, user_namespaces=namespaces_for_all
        )
        self.by_root = by_root
        self.uid = FIRST_STUDENT_UID + number if by_root else None
        self.host_uid = self.uid or (ORDINARY_UID if os.geteuid() == 0 else os.geteuid())
        self.home = folder / name
        self.home.mkdir(mode=0o700)
        self.reached = [self.home]
        """The folders that an ordinary user has to reach to arrange them."""
        if os.geteuid() == 0:
            os.chown(self.home, self.host_uid, self.host_uid)

    def spec(self, command: Sequence[str], **changes: Any) -> SandboxSpec:
        home = f"/home/{self.name}"
        mounts = (*environment_mounts(PACKAGES), Mount(self.home, home, writable=True))
        spec = SandboxSpec(
            command=command,
            mounts=mounts,
            env={"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd=home,
            network=False,
            limits=Limits(memory_mb=512, cpus=1.0, processes=64, file_mb=16),
            uid=self.uid,
            gid=self.uid,
            user=self.name,
        )
        return dataclasses.replace(spec, **changes)

    def run(self, *command: str, timeout_s: float = 30, **changes: Any) -> Finished:
        spec = self.spec(command, **changes)
        if self.by_root or os.geteuid() != 0:
            return run(spec, timeout_s, self.host)
        given = dataclasses.asdict(spec) | {"timeout_s": timeout_s}
        answer = subprocess.run(
            [*as_ordinary_user(*self.reached), sys.executable, "-c", RUN_SPECIFICATION],
            input=json.dumps(given, default=str),
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return Finished(**json.loads(answer.stdout.splitlines()[-1]))

    def python(self, code: str, **changes: Any) -> Any:
        """Run Python inside and give back what it leaves in `result`, which JSON can carry."""
        code = f"{code}\nimport json as _json; print(); print(_json.dumps(result))"
        finished = self.run(sys.executable, "-c", code, **changes)
        assert finished.returncode == 0, finished
        return json.loads(finished.stdout_tail.splitlines()[-1])


def as_ordinary_user(*needed: Path) -> list[str]:
    """A command line's beginning that makes the rest run as a user who isn't root.

    Parameters
    ----------
    needed
        Folders that the user has to reach, beside Python and the checkout.
    """
    if os.geteuid() != 0:
        return []
    host = Host.detect()
    arguments = [str(host.bwrap), "--dev-bind", "/", "/"]
    opened: set[Path] = set()
    for folder in (*python_folders(), CHECKOUT, *needed):
        for above in _closed_above(folder):
            if above not in opened:
                arguments += ["--tmpfs", str(above), "--chmod", "0755", str(above)]
                opened.add(above)
        if any(folder.is_relative_to(above) for above in opened):
            for parent in reversed(folder.parents):
                if any(parent != above and parent.is_relative_to(above) for above in opened):
                    arguments += ["--perms", "0755", "--dir", str(parent)]
            arguments += ["--bind", str(folder), str(folder)]
    identity = [f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups"]
    return [*arguments, "--", str(host.setpriv), *identity, "--"]


def _closed_above(folder: Path) -> Iterator[Path]:
    """The topmost parent that others can't pass; nothing below it needs opening then."""
    for parent in reversed(folder.parents):
        if not parent.stat().st_mode & 0o001:
            yield parent
            return


def sandboxed_processes(marker: str) -> list[int]:
    """The processes of this machine whose command line has `marker` in it."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line:
                found.append(int(folder.name))
    return found


def run_as_ordinary_user(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the tests as a user who isn't root, in a new folder of theirs.

    Parameters
    ----------
    script
        Is given the folder as its argument, and may import what tests import.
    """
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, ORDINARY_UID, ORDINARY_UID)
    return subprocess.run(
        [*as_ordinary_user(folder), sys.executable, "-c", script, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "HOME": str(folder)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
