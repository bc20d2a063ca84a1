"""`ulab bench grading` for real, with one submission: its figures, and that nothing is left."""

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
from ulab_deploy.bench.grading import BadCount, Graded, measure, rows, sentences
from ulab_deploy.bench.progress import Progress
from ulab_deploy.cli import build

RUN_S = 280
TORCHS_OWN_CACHE = "torchinductor_root"
COMMAND = ("bench", "grading", "--submissions", "1", "--rounds", "1", "--json")
FIGURES = ["stock_per_min", "ulab_per_min", "bare_s", "ulab_s", "ratio", "over_bare"]


@pytest.mark.timeout(RUN_S + 20)
def test_it_measures_both_and_leaves_nothing(tmp_path: Path) -> None:
    # Short, as it holds sockets; a process of its own, as it becomes the parent of orphans.
    with tempfile.TemporaryDirectory(prefix="u") as scratch:
        done = subprocess.run(
            [sys.executable, "-m", "ulab_deploy.cli", *COMMAND],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": scratch},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert {one.name for one in Path(scratch).iterdir()} <= {TORCHS_OWN_CACHE}
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["trivial", "torch"]
    for one in found.values():
        assert list(one) == FIGURES
        assert min(one.values()) > 0
        assert one["ratio"] == pytest.approx(one["ulab_per_min"] / one["stock_per_min"], rel=0.02)
    assert [len(cells) for cells in rows(found)] == [6] * 3
    assert [len(list(sentences(found, count))) for count in (20, 21)] == [1, 2]


def test_the_ratio_is_of_what_was_measured_in_the_same_round() -> None:
    slow, fast = [1.2, 0.6, 0.6], [0.06, 0.03, 0.02]
    found = Graded(cores=2, bare_s=0.02, stock_s=slow, wall_s=fast).plain()
    assert found["ratio"] == 20.0
    assert (found["stock_per_min"], found["ulab_per_min"]) == (100.0, 2000.0)
    assert (found["ulab_s"], found["over_bare"]) == (0.06, 3.0)


def test_what_cant_be_measured_is_refused() -> None:
    for count, rounds in ((0, 1), (10_001, 1), (1, 0), (1, 21)):
        with pytest.raises(BadCount, match="from 1 to 10000 submissions"):
            measure(load_settings(), count, rounds, Progress(silent=True))


def test_help_has_an_example() -> None:
    shown = CliRunner().invoke(build(), ["bench", "grading", "--help"])
    assert shown.exit_code == 0
    assert "ulab bench grading --submissions" in shown.output
