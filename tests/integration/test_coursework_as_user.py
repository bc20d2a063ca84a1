"""Grading as an ordinary user of the machine, without root's help."""

from __future__ import annotations

from pathlib import Path

from integration.sandbox_support import run_as_ordinary_user

SCRIPT = """
import os, sys
from pathlib import Path
from integration.coursework_support import COURSE, LAB, answer, make_base
from ulab_coursework.standing import history
from ulab_coursework.submissions import receive
from ulab_coursework.worker import Worker

class Patch:
    setenv = staticmethod(os.environ.__setitem__)

base = make_base(Path(sys.argv[1]), Patch)
receive(base.db, base.layout, base.settings, COURSE, LAB, "alice", answer(), "portal")
Worker(base.settings).work_once()
with base.db.read() as session:
    [found] = history(session, COURSE, LAB, "alice")
print("graded", found.state, found.score, found.problem)
"""


def test_a_submission_is_graded_without_root(tmp_path: Path) -> None:
    done = run_as_ordinary_user(SCRIPT, tmp_path / "base")
    assert "graded graded 5.0 None" in done.stdout, done.stdout + done.stderr[-6000:]
