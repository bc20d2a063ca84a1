"""`ulab bench memory` for real, with ten submissions: its figures, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ulab_core.settings import load_settings
from ulab_deploy.bench.grading_memory import BadCount, measure, rows, sentences
from ulab_deploy.bench.progress import Progress
from ulab_deploy.cli import build

RUN_S = 200
COMMAND = ("bench", "memory", "--submissions", "10", "--json")


@pytest.mark.timeout(RUN_S + 20)
def test_it_looks_after_each_tenth_and_leaves_nothing(tmp_path: Path) -> None:
    # Short, as it holds sockets; a process of its own, as it becomes the parent of orphans.
    with tempfile.TemporaryDirectory(prefix="u") as scratch:
        done = subprocess.run(
            [sys.executable, "-m", "ulab_deploy.cli", *COMMAND],
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": scratch},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert not any(Path(scratch).iterdir())
    found = json.loads(done.stdout)
    assert list(found) == ["submissions", "along", "growth_mb"]
    assert [one["graded"] for one in found["along"]] == list(range(1, 11))
    assert all(one["worker_mb"] > 0 and one["forks_mb"] > 0 for one in found["along"])
    assert len(list(rows(found))) == 11
    assert len(list(sentences(found))) == 1


def test_what_cant_be_measured_is_refused() -> None:
    for count in (9, 10_001):
        with pytest.raises(BadCount, match="a number from 10 to 10000"):
            measure(load_settings(), count, Progress(silent=True))


def test_help_has_an_example() -> None:
    shown = CliRunner().invoke(build(), ["bench", "memory", "--help"])
    assert shown.exit_code == 0
    assert "ulab bench memory --submissions 1000" in shown.output
