"""The supervisor with small stand-ins for the hub: real processes, signals and orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ulab_deploy.supervisor import LONGEST_PAUSE_S, last_words, pause_before_restart

# Runs a supervisor over a hub given as Python code, and says what happens on standard output.
RUNNER = """
import sys
from pathlib import Path
from ulab_deploy.supervisor import HubFailed, Supervisor

folder = Path(sys.argv[1])
say = lambda word: print(word, flush=True)
supervisor = Supervisor(
    [sys.executable, "-c", sys.argv[2]],
    {"PATH": "/usr/bin:/bin", "FOLDER": str(folder)},
    folder,
    folder / "hub.log",
    is_ready=lambda: (folder / "ready").exists(),
    on_wait=lambda seconds: say("waits"),
    on_ready=lambda: say("ready"),
    on_death=lambda status: say(f"died {status}"),
    patience_s=float(sys.argv[3]),
)
try:
    supervisor.run(on_stop=lambda: say("stopping"))
except HubFailed as error:
    say(f"failed {error}")
say("over")
"""
SERVING = """
import os, pathlib, time
folder = pathlib.Path(os.environ["FOLDER"])
with (folder / "pids").open("a") as file: print(os.getpid(), file=file)
(folder / "ready").touch()
time.sleep(600)
"""
# A child in a session of its own that outlives its parent and won't hear SIGTERM.
WITH_STUBBORN_ORPHAN = (
    """
import os, pathlib, signal, time
folder = pathlib.Path(os.environ["FOLDER"])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / "orphan").write_text(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
while not (folder / "orphan").exists(): time.sleep(0.01)
"""
    + SERVING
)


def supervise(folder: Path, hub: str, patience_s: float = 600) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(folder), hub, str(patience_s)],
        stdout=subprocess.PIPE,
        text=True,
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.05)


def pids(folder: Path) -> list[int]:
    path = folder / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_the_first_restart_is_at_once_and_later_ones_wait_longer() -> None:
    pauses = [pause_before_restart(failures) for failures in range(1, 12)]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing_not_even_a_stubborn_orphan(
    tmp_path: Path, told: signal.Signals
) -> None:
    running = supervise(tmp_path, WITH_STUBBORN_ORPHAN)
    wait_for(lambda: bool(pids(tmp_path)))
    orphan = int((tmp_path / "orphan").read_text())
    assert alive(orphan)
    running.send_signal(told)
    said, _ = running.communicate(timeout=60)
    assert said.split() == ["ready", "stopping", "over"]
    assert running.returncode == 0
    assert not alive(orphan)
    assert not any(alive(pid) for pid in pids(tmp_path))


def test_a_killed_hub_comes_back(tmp_path: Path) -> None:
    running = supervise(tmp_path, SERVING)
    wait_for(lambda: len(pids(tmp_path)) == 1)
    os.kill(pids(tmp_path)[0], signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path)) == 2)
    assert alive(pids(tmp_path)[1])
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert "died -9" in said
    assert not alive(pids(tmp_path)[1])


def test_a_hub_that_never_starts_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    running = supervise(tmp_path, "raise SystemExit('the port is on fire')")
    said, _ = running.communicate(timeout=60)
    assert "failed The hub does not start." in said
    assert "the port is on fire" in said


def test_a_hub_that_never_serves_is_waited_for_aloud_and_then_given_up(tmp_path: Path) -> None:
    stuck = "import time; print('[W] nobody opens', flush=True); time.sleep(600)"
    running = supervise(tmp_path, stuck, patience_s=3)
    said, _ = running.communicate(timeout=60)
    assert said.startswith("waits\nwaits\n")
    assert "failed The hub does not start. It said at last:\n[W] nobody opens\n" in said


def test_the_last_words_of_a_hub_are_those_that_say_why() -> None:
    log = """[I 10:00:00 app] Using Proxy
[E 10:00:01 app] Failed to start the proxy
    Traceback (most recent call last):
      File "app.py", line 1, in start
        await self.proxy.start()
    FileNotFoundError: node

Traceback (most recent call last):
  File "a.py", line 2
OSError: disk full
"""
    assert last_words(log) == [
        "[E 10:00:01 app] Failed to start the proxy",
        "    FileNotFoundError: node",
        "OSError: disk full",
    ]
    assert last_words("") == []


def test_a_killed_supervisor_takes_the_hub_with_it(tmp_path: Path) -> None:
    running = supervise(tmp_path, SERVING)
    wait_for(lambda: len(pids(tmp_path)) == 1)
    running.kill()
    running.communicate(timeout=60)
    wait_for(lambda: not alive(pids(tmp_path)[0]))
