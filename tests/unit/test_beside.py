"""What is kept of a command that runs beside the portal, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ulab_portal.beside import ENDED, _wait, note, noted, state

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIDY = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("tidy").touch()
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
pathlib.Path("ready").touch()
time.sleep(600)
"""


def test_what_is_kept_is_found_whole_or_not_at_all(tmp_path: Path) -> None:
    assert noted(tmp_path) is None
    note(tmp_path, person="lin")
    found = noted(tmp_path)
    assert found is not None
    assert found["person"] == "lin"
    assert datetime.now(UTC) - found["at"] < HOUR
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text()[:-3])
    assert noted(tmp_path) is None


@pytest.mark.parametrize(
    ("after", "ended", "said"),
    [
        (timedelta(0), False, "running"),
        (HOUR, False, "running"),
        (HOUR + timedelta(minutes=2), False, "interrupted"),
        (timedelta(0), True, "ended"),
        (2 * HOUR, True, "ended"),
    ],
)
def test_how_it_is_with_a_command(tmp_path: Path, after: timedelta, ended: bool, said: str) -> None:
    if ended:
        (tmp_path / ENDED).write_text("0")
    assert state(tmp_path, AT, HOUR, AT + after) == said


def test_what_takes_too_long_may_tidy_up_before_it_is_ended(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", TIDY], cwd=tmp_path, start_new_session=True)
    while not (tmp_path / "ready").exists():
        assert process.poll() is None
    told: list[bool] = []
    _wait(process, tmp_path, timedelta(0), lambda: told.append(True))
    assert (tmp_path / "tidy").exists()
    assert (tmp_path / ENDED).read_text() == "3"
    assert told == [True]
