"""`ulab bench start` for real, with one student: its figures, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

RUN_S = 280


@pytest.mark.timeout(RUN_S + 20)
def test_it_measures_both_and_leaves_nothing(tmp_path: Path) -> None:
    # Short, as it holds sockets.
    with tempfile.TemporaryDirectory(prefix="u") as scratch:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("ULAB_")}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "ulab_deploy.cli",
                "bench",
                "start",
                "--students",
                "1",
                "--json",
            ],
            cwd=tmp_path,
            env={**plain, "LANG": "C.UTF-8", "LC_ALL": "", "TMPDIR": scratch},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert not any(Path(scratch).iterdir())
        assert mentioning(scratch) == []
    assert not any(tmp_path.iterdir())
    found = json.loads(done.stdout)
    assert list(found) == ["students", "stock", "ulab", "ratio"]
    assert found["students"] == 1
    for side in ("stock", "ulab"):
        assert list(found[side]) == ["server_s", "torch_cell_s", "uss_mb_per_student"]
        for name in ("server_s", "torch_cell_s"):
            assert list(found[side][name]) == ["p50", "max"]
            assert all(value > 0 for value in found[side][name].values())
        assert found[side]["uss_mb_per_student"] > 0
    assert list(found["ratio"]) == ["torch_cell_p50", "torch_cell_max", "uss"]
    assert all(value > 0 for value in found["ratio"].values())


def mentioning(folder: str) -> list[str]:
    """The command lines of processes that have to do with `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            lines = [(path / "cmdline").read_bytes(), (path / "environ").read_bytes()]
        except OSError:
            continue
        if any(os.fsencode(folder) in line for line in lines):
            found.append(lines[0].decode(errors="replace"))
    return found
