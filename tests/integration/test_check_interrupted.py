"""Ctrl-C ends `ulab curricula check` at once: a sentence, no traceback, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from unit.curricula_support import MANIFEST, SOURCE, write_lab

from ulab_core.process import descendants

SETUP = "import ulab\n"
# Longer than anything waits here, so that nothing ends by itself.
SLEEPS = "import os, time\nif os.environ.get('{unless}') is None: time.sleep(3600)\n"


def commands(pids: list[int]) -> list[str]:
    found = []
    for pid in pids:
        try:
            found.append(" ".join(psutil.Process(pid).cmdline()))
        except psutil.NoSuchProcess:
            continue
    return found


def as_a_notebook(pids: list[int]) -> bool:
    return any("ulab_curricula.runner" in line for line in commands(pids))


def before_the_judge(pids: list[int]) -> bool:
    return any("ulab_runtime.judge.student" in line.split("(")[0] for line in commands(pids))


@pytest.mark.parametrize(
    ("runs", "source"),
    [
        (as_a_notebook, SETUP + SLEEPS.format(unless="NBGRADER_EXECUTION")),
        (before_the_judge, SETUP + SLEEPS.format(unless="IPYTHONDIR")),
    ],
    ids=["as a notebook", "before the judge"],
)
def test_an_interrupted_check_leaves_a_sentence_and_nothing_else(
    tmp_path: Path, runs: Callable[[list[int]], bool], source: str
) -> None:
    lab = write_lab(
        tmp_path / "labs",
        MANIFEST.replace("grading_seconds: 20", "grading_seconds: 600"),
        SOURCE.replace(SETUP, source, 1),
    )
    (scratch := tmp_path / "scratch").mkdir()
    (tmp_path / "ulab.toml").write_text("")
    command = [
        *(sys.executable, "-m", "ulab_deploy.cli", "--config", str(tmp_path / "ulab.toml")),
        *("--language", "en", "curricula", "check", "--no-mutants", "--no-cache", str(lab)),
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 240
        while not runs(below := descendants(process.pid)):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said, warned = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert warned.strip().splitlines() == ["Stopped. Nothing of it is left running."]
    assert said == ""
    until = time.monotonic() + 60
    while left := [line for line in commands(below) if line]:
        assert time.monotonic() < until, left
        time.sleep(0.1)
    # The folder of a base's sockets stays for the base.
    sockets = f"ulab-{os.getuid()}-"
    assert [path for path in scratch.iterdir() if not path.name.startswith(sockets)] == []
