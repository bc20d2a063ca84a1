"""What is kept of a command that runs beside the portal, how it ends, and who has the turn."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ulab_portal import turns
from ulab_portal.beside import ENDED, GIVEN, REPORT, noted, run_beside, state, wait

HOUR = timedelta(hours=1)
TIDY = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("tidy").touch()
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
time.sleep(600)
"""
PORTAL = """
import datetime, pathlib, sys
from ulab_portal import turns
from ulab_portal.beside import run_beside
folder = pathlib.Path(sys.argv[1])
with turns.take(folder.parent / ".turn", "lin") as turn:
    run_beside(["version"], folder, "en", datetime.timedelta(minutes=1), turn, person="lin")
"""


def ended(folder: Path) -> None:
    while (now := state(folder)) != "ended":
        assert now == "running"
        time.sleep(0.02)


def test_what_a_command_is_for_is_found_whole_or_not_at_all(tmp_path: Path) -> None:
    assert noted(tmp_path) is None
    with turns.take(tmp_path / ".turn") as turn:
        run_beside(["version"], tmp_path, "en", HOUR, turn, person="lin")
    found = noted(tmp_path)
    assert found is not None
    assert found["person"] == "lin"
    assert datetime.now(UTC) - found["at"] < HOUR
    ended(tmp_path)
    kept = tmp_path / "about.json"
    kept.write_text(kept.read_text()[:-3])
    assert noted(tmp_path) is None


def test_a_command_goes_on_when_the_portal_has_gone_and_keeps_its_turn(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", PORTAL, str(folder)], check=True)
    with pytest.raises(turns.Taken) as taken:
        turns.take(tmp_path / ".turn", "wang")
    assert taken.value.whose == "lin"
    ended(folder)
    assert (folder / ENDED).read_text() == "0"
    assert "jupyterhub" in (folder / REPORT).read_text()
    while True:
        try:
            turn = turns.take(tmp_path / ".turn", "wang")
        except turns.Taken:
            time.sleep(0.02)
        else:
            break
    turn.close()


@pytest.mark.parametrize(
    ("held", "has_ended", "said"),
    [
        (True, False, "running"),
        (True, True, "running"),
        (False, True, "ended"),
        (False, False, "interrupted"),
    ],
)
def test_how_it_is_with_a_command(tmp_path: Path, held: bool, has_ended: bool, said: str) -> None:
    running = turns.take(tmp_path / "running")
    if has_ended:
        (tmp_path / ENDED).write_text("0")
    if not held:
        running.close()
    assert state(tmp_path) == said
    running.close()


def test_what_takes_too_long_may_tidy_up_before_it_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / GIVEN).write_bytes(b"...")
    wait(tmp_path, 3, [sys.executable, "-c", TIDY])
    assert (tmp_path / "tidy").exists()
    assert (tmp_path / ENDED).read_text() == "3"
    assert not (tmp_path / GIVEN).exists()


def test_one_at_a_time_has_a_turn(tmp_path: Path) -> None:
    file = tmp_path / "folder" / ".turn"
    with turns.take(file, "lin"):
        for _ in range(2):
            with pytest.raises(turns.Taken) as taken:
                turns.take(file, "wang")
            assert taken.value.whose == "lin"
    with turns.take(file, "wang"), pytest.raises(turns.Taken) as taken:
        turns.take(file)
    assert taken.value.whose == "wang"
