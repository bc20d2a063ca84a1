"""Runs labs of others as plain notebooks inside a sandbox, for what the judge doesn't measure."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from ulab_core.settings import Settings
from ulab_coursework.judging import PACKAGES, sandbox_spec
from ulab_curricula.execute import Job
from ulab_curricula.results import Results, read_results
from ulab_runtime.sandbox import Mount, SandboxSpec, environment_mounts, start

MOST_TOLD = 8 << 20
# As root: host users that neither workers nor `ulab grade` use; a lab's processes have one.
_FIRST_UID, _UIDS = 700, 100


class Confined:
    """Runs jobs of `ulab_curricula.execute`, each in a sandbox as submissions have.

    Parameters
    ----------
    store
        The folder of data sets, shown read-only.
    """

    def __init__(self, settings: Settings, store: Path) -> None:
        self._settings = settings
        self._store = store
        self._numbers = itertools.count()

    def __call__(self, job: Job) -> Results:
        """Run a job; what could not be read, or broke down, is left out.

        Raises
        ------
        SandboxUnavailable
            The machine lacks what a sandbox needs.
        """
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
            given.write(json.dumps(job.content).encode())
            given.seek(0)
            sandbox = start(
                self._spec(job), stdin=given.fileno(), stdout=told, stderr=subprocess.DEVNULL
            )
            try:
                sandbox.process.wait(job.timeout_s)
            except subprocess.TimeoutExpired:
                pass
            finally:
                sandbox.end()
            return read_results(_texts(told))

    def _spec(self, job: Job) -> SandboxSpec:
        uid = None
        if os.geteuid() == 0:
            number = next(self._numbers) % _UIDS
            uid = self._settings.accounts.uid_base - _FIRST_UID - number
        spec = sandbox_spec(self._settings, self._store, job.language, uid)
        jobs = job.content["jobs"]
        return dataclasses.replace(
            spec,
            command=[sys.executable, "-m", "ulab_curricula.confined"],
            mounts=[*spec.mounts, *_only("ulab_curricula")],
            env={
                **spec.env,
                "ULAB_GRADING": "1" if job.grading else "0",
                "PYTHONHASHSEED": str(job.hash_seed),
                "MKL_NUM_THREADS": "1",
                "MPLBACKEND": "agg",
                "IPYTHONDIR": "/tmp/ipython",
            },
            # The reference and what is forked from it; a lab's own use is measured and compared.
            limits=dataclasses.replace(
                spec.limits, cpus=float(jobs), memory_mb=spec.limits.memory_mb * (jobs + 1)
            ),
        )


def _only(package: str) -> list[Mount]:
    known = {mount.target for mount in environment_mounts(PACKAGES)}
    return [mount for mount in environment_mounts((package,)) if mount.target not in known]


def _texts(told: IO[bytes]) -> dict[str, str]:
    told.seek(0)
    content = told.read(MOST_TOLD + 1)
    try:
        found = json.loads(content) if len(content) <= MOST_TOLD else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: text for name, text in found.items() if isinstance(text, str)}
