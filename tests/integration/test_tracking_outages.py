"""Runs outlive what they depend on: the server, the gateway, the kernel, the sender, the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.mlflow_support import Site, running_site
from integration.tracking_support import Kernel, join_team, kernel_of, leave_team, wait_until

from ulab.tracking.spool import Spool

AWAY = "Experiment tracking can't be reached just now. "
KEPT = "This run is kept here and sent when it can be; all else goes on.\n"
FLUSH = "import ulab.tracking\nprint(ulab.tracking.flush(90))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own: what is killed here would be missed by other tests."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def lab(site: Site, tmp_path: Path) -> Iterator[Kernel]:
    with kernel_of(site, tmp_path) as kernel:
        kernel.mark()
        yield kernel


def said(process: subprocess.Popen[str], word: str) -> None:
    """Wait until the code prints this line."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line == word, (line, process.stderr and process.stderr.read())


def steps(kernel: Kernel, run_id: str, name: str = "loss") -> list[int]:
    return [point["step"] for point in kernel.history(run_id, name)]


def test_a_restart_of_the_server_loses_no_point(site: Site, lab: Kernel) -> None:
    code = """
import time, ulab
with ulab.track("restarted") as run:
    for step in range(3000):
        if step == 1000:
            print("begun", flush=True)
        run.log(loss=step)
        time.sleep(0.002)
print(run.run_id)
"""
    process = lab.begin(code)
    said(process, "begun")
    assert site.server.process is not None
    site.server.kill()
    time.sleep(2)
    site.server.start()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run_id = out.strip()
    assert lab.value(FLUSH) == "0"
    assert steps(lab, run_id) == list(range(3000)), "each once"
    assert lab.the_run(run_id)["info"]["status"] == "FINISHED"


def test_a_server_that_is_down_costs_one_sentence_and_no_point(site: Site, lab: Kernel) -> None:
    site.server.kill()
    code = """
import time, ulab
begun = time.time()
with ulab.track("offline", lr=0.1) as run:
    for step in range(500):
        run.log(loss=step)
    open("model.pt", "w").write("weights")
    run.file("model.pt")
    with ulab.track("below"):
        pass
print(run.run_id, begun, time.time())
"""
    try:
        done = lab.run(code)
        kept = [path for path in (lab.home / ".cache" / "ulab").rglob("*") if path.is_file()]
        assert len(kept) > 5
        token = site.token("lin").encode()
        assert not any(token in path.read_bytes() for path in kept), "no login lies on the disk"
    finally:
        site.server.start()
    assert done.returncode == 0
    assert done.stderr == 2 * (AWAY + KEPT), "one for each run"
    run_id, begun, ended = done.stdout.split()
    assert run_id == "None"
    assert lab.value(FLUSH) == "0"
    [run] = lab.runs_named("offline")
    info = run["info"]
    assert info["status"] == "FINISHED"
    assert float(begun) * 1000 - 1 <= info["start_time"] <= info["end_time"] <= float(ended) * 1000
    assert steps(lab, info["run_id"]) == list(range(500))
    assert lab.params(info["run_id"]) == {"lr": "0.1"}
    assert lab.files(info["run_id"]) == ["model.pt"]
    [below] = lab.runs_named("below")
    assert lab.tags(below["info"]["run_id"])["mlflow.parentRunId"] == info["run_id"]
    assert lab.spools() == []


def test_a_killed_kernels_run_is_sent_by_the_next_block(lab: Kernel) -> None:
    code = """
import time, ulab
with ulab.track("killed") as run:
    for step in range(2000):
        run.log(loss=step)
    print("begun", flush=True)
    time.sleep(600)
"""
    process = lab.begin(code)
    said(process, "begun")
    lab.kill_senders()
    process.send_signal(signal.SIGKILL)
    process.wait()
    [left] = lab.spools()
    assert not left.owned()
    lab.value("import ulab\nwith ulab.track('next') as run: pass\nprint(run.run_id)")
    wait_until(lambda: not lab.spools())
    [run] = lab.runs_named("killed")
    assert run["info"]["status"] == "KILLED"
    assert steps(lab, run["info"]["run_id"]) == list(range(2000))
    last = lab.history(run["info"]["run_id"], "loss")[-1]["timestamp"]
    assert run["info"]["end_time"] == last, "when it was last heard of"


def test_a_sender_that_is_killed_again_and_again_sends_each_point_once(lab: Kernel) -> None:
    code = """
import time, ulab
with ulab.track("sender killed") as run:
    for step in range(4000):
        run.log(loss=step)
        time.sleep(0.002)
print(run.run_id)
"""
    process = lab.begin(code)
    killed: set[int] = set()
    while process.poll() is None:
        for sender in lab.senders():
            killed.add(sender)
            time.sleep(0.4)
            try:
                os.kill(sender, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert len(killed) > 1
    assert lab.value(FLUSH) == "0"
    [run] = lab.runs_named("sender killed")
    assert run["info"]["status"] == "FINISHED"
    assert steps(lab, run["info"]["run_id"]) == list(range(4000))


def test_a_run_whose_making_was_not_heard_of_is_not_made_twice(lab: Kernel) -> None:
    code = "import ulab\nwith ulab.track('once') as run: run.log(loss=1)\nprint(run.run_id)"
    process = lab.begin(code + "\nraise SystemExit")
    process.communicate(timeout=60)
    [made] = lab.runs_named("once")
    [base] = lab.bases
    # As the disk is when the sender dies between the server's answer and writing it down.
    key = next(tag["value"] for tag in made["data"]["tags"] if tag["key"] == "ulab.run_key")
    aim = {"workspace": "vision-2026", "assignment": "garments", "name": None}
    about = {"aim": aim | {"experiment_id": None}, "name": "once", "start": 1, "tags": {}}
    spool, lock = Spool.create(base, about)
    (spool.folder / "about.json").write_text(json.dumps(about | {"key": key}))
    spool.write_state({"sent": {}, "refused": 0, "making": True})
    os.close(lock)
    assert lab.value(FLUSH) == "0"
    assert len(lab.runs_named("once")) == 1


def test_a_login_that_has_expired_is_one_sentence_and_the_run_is_kept(
    site: Site, lab: Kernel
) -> None:
    code = "import ulab\nwith ulab.track('expired') as run: run.log(loss=1)\nprint(run.run_id)"
    done = lab.run(code, MLFLOW_TRACKING_TOKEN="of-yesterday")
    assert (done.returncode, done.stdout) == (0, "None\n")
    assert done.stderr == (
        "Experiment tracking no longer accepts this server's login: "
        "restart it from the control panel. " + KEPT
    )
    lab.kill_senders()
    assert lab.value(FLUSH) == "0"
    assert len(lab.runs_named("expired")) == 1


def test_a_home_that_can_not_be_written_to_costs_one_sentence(site: Site, tmp_path: Path) -> None:
    with kernel_of(site, tmp_path) as kernel:
        kernel.mark()
        (kernel.home / ".cache").write_text("a file where a folder should be")
        code = "import ulab\nwith ulab.track() as run: run.log(loss=1)\nprint(run.run_id)"
        done = kernel.run(code)
        assert (done.returncode, done.stdout) == (0, "None\n")
        assert done.stderr == (
            "Your home can't be written to (is the disk full?), so part of this run is not kept. "
            "This run is not recorded; all else goes on.\n"
        )


FULL_DISK = """
import resource, signal, ulab
from ulab.tracking import writer
# As a full disk: writing beyond the limit fails, and the file stays cut short where it is.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with ulab.track("full") as run:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for step in range(3000):
        if step == 1000: resource.setrlimit(resource.RLIMIT_FSIZE, (50_001, hard))
        if step == 2000: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        run.log(loss=step)
print(run.run_id)
"""


def test_a_full_disk_stops_nothing_and_a_passing_one_loses_nothing(lab: Kernel) -> None:
    done = lab.run(FULL_DISK)
    assert done.returncode == 0, done.stderr
    assert steps(lab, done.stdout.strip()) == list(range(3000))


def test_what_waits_is_bounded_and_the_oldest_goes(site: Site, lab: Kernel) -> None:
    """Two runs that no one can send, and room for less than both."""
    site.server.kill()
    code = """
import ulab
for name in ("older", "newer"):
    with ulab.track(name) as run:
        for step in range(12_000):
            run.log(**{"a name that takes room, " * 4: step})
"""
    try:
        done = lab.run(code, ULAB_TRACKING_MB="3")
        assert done.returncode == 0, done.stderr
        assert sum(spool.bytes_kept() for spool in lab.spools()) <= 3 * 1024 * 1024
    finally:
        site.server.start()
    # The second run's one sentence was that it began offline.
    assert done.stderr == 2 * (AWAY + KEPT)
    assert lab.value(FLUSH) == "0"
    assert lab.runs_named("older") == []
    [run] = lab.runs_named("newer")
    found = [metric["step"] for metric in run["data"]["metrics"]]
    assert found == [11_999], "the newest is kept"


def test_rights_that_go_are_one_sentence_and_what_was_noted_waits(site: Site, lab: Kernel) -> None:
    join_team(site, "lin", "tides")
    code = """
import sys, ulab
with ulab.track("of a team", workspace="tides") as run:
    run.log(loss=0)
    print("begun", flush=True)
    sys.stdin.readline()
    for step in range(1, 100):
        run.log(loss=step)
print(run.run_id)
"""
    process = lab.begin(code)
    said(process, "begun")
    leave_team(site, "lin", "tides")
    out, err = process.communicate("go on\n", timeout=120)
    assert process.returncode == 0
    assert err.splitlines() == ["You are in no course or team called tides. " + KEPT.strip()]
    assert len(lab.spools()) == 1
    join_team(site, "lin", "tides")
    lab.kill_senders()
    assert lab.value(FLUSH) == "0"
    history = lab.history(out.strip(), "loss", "tides")
    assert [point["step"] for point in history] == list(range(100))


def test_an_interrupt_while_a_block_begins_ends_its_run(lab: Kernel) -> None:
    code = """
import os, signal, ulab
from ulab.tracking import opened
# A kernel heeds interrupts, whatever started the tests does.
signal.signal(signal.SIGINT, signal.default_int_handler)
# As a student who interrupts while the server takes its time.
opened.errand.call = lambda base: os.kill(os.getpid(), signal.SIGINT)
try:
    with ulab.track("interrupted"):
        raise AssertionError("entered")
except KeyboardInterrupt:
    assert ulab.tracking.current.run() is None
"""
    done = lab.run(code)
    assert done.returncode == 0, done.stderr
    assert lab.value(FLUSH) == "0"
    [run] = lab.runs_named("interrupted")
    assert run["info"]["status"] == "KILLED"


def test_a_file_larger_than_may_wait_is_left_out(lab: Kernel) -> None:
    code = """
import ulab
with open("huge", "wb") as file:
    file.truncate(2_000_000)
with ulab.track("huge") as run:
    run.log(loss=1)
    run.file("huge")
print(run.run_id)
"""
    done = lab.run(code, ULAB_TRACKING_MB="1")
    assert done.stderr == "The file huge is too large to be kept with the run (2 MB).\n"
    assert lab.files(done.stdout.strip()) == []


def test_the_senders_process_is_the_only_one(lab: Kernel) -> None:
    code = "import time, ulab\nwith ulab.track('one') as run:\n    time.sleep(3)\nprint(run.run_id)"
    kernels = [lab.begin(code) for _ in range(3)]
    runs = {kernel.communicate(timeout=120)[0].strip() for kernel in kernels}
    assert len(runs) == 3
    assert {lab.the_run(run)["info"]["status"] for run in runs} == {"FINISHED"}
    [base] = lab.bases
    again = subprocess.run(
        [sys.executable, "-m", "ulab.tracking.sender", str(base)],
        env=os.environ | {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"},
        timeout=60,
        check=False,
    )
    assert again.returncode == 0, "a second one leaves at once"
    assert len(lab.senders()) == 1
