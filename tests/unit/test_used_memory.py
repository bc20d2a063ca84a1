"""What a sandbox's processes take when some of them share memory with a fork server."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulab_runtime import used_memory
from ulab_runtime.used_memory import inherited, used_in_sandbox

PARENTS_STACK, OTHER_STACK = 901_968, 553_984
MEBIBYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _no_files_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(used_memory, "TMPFS", ())


def add(
    proc: Path, pid: int, parent: int, stack: int, *, anonymous: int, private: int, share: int
) -> None:
    """A process as /proc shows it; amounts in MiB."""
    folder = proc / str(pid)
    folder.mkdir()
    stat = ["0"] * 50
    stat[1], stat[25] = str(parent), str(stack)
    (folder / "stat").write_text(f"{pid} (a) name) {' '.join(stat)}\n")
    amounts = {"Pss_Anon": share, "Pss_Shmem": 1, "Private_Dirty": private, "Anonymous": anonymous}
    lines = [f"{name}: {amount * 1024} kB\n" for name, amount in amounts.items()]
    (folder / "smaps_rollup").write_text("0-1 ---p 0 0 0 [rollup]\n" + "".join(lines))


def test_what_a_kernel_shares_with_its_fork_server_is_not_the_students(tmp_path: Path) -> None:
    add(tmp_path, 1, 0, 1, anonymous=0, private=0, share=0)
    add(tmp_path, 4, 0, PARENTS_STACK, anonymous=380, private=30, share=205)
    assert used_in_sandbox(350 * MEBIBYTE, tmp_path) == (30 + 2) * MEBIBYTE


def test_what_a_kernel_shares_with_its_workers_is_counted_once(tmp_path: Path) -> None:
    # It took 500 MiB and then forked two workers, which left it hardly anything of its own alone.
    add(tmp_path, 4, 0, PARENTS_STACK, anonymous=880, private=10, share=250)
    for worker in (5, 6):
        add(tmp_path, worker, 4, PARENTS_STACK, anonymous=880, private=5, share=245)
    assert used_in_sandbox(350 * MEBIBYTE, tmp_path) == (530 + 5 + 5 + 3) * MEBIBYTE


def test_other_processes_count_with_their_share(tmp_path: Path) -> None:
    add(tmp_path, 1, 0, 1, anonymous=1, private=1, share=1)
    add(tmp_path, 2, 1, OTHER_STACK, anonymous=200, private=80, share=140)
    add(tmp_path, 3, 2, OTHER_STACK, anonymous=200, private=80, share=140)
    assert used_in_sandbox(0, tmp_path) == (1 + 140 + 140 + 3) * MEBIBYTE


def test_processes_that_can_not_be_looked_at_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    assert used_in_sandbox(0, tmp_path) == 0


def test_only_a_forked_kernel_inherits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, 8, 0, PARENTS_STACK, anonymous=380, private=30, share=205)
    add(tmp_path, 9, 2, OTHER_STACK, anonymous=380, private=30, share=205)
    monkeypatch.setattr("os.getpid", lambda: 8)
    assert inherited(tmp_path) == 350 * MEBIBYTE
    monkeypatch.setattr("os.getpid", lambda: 9)
    assert inherited(tmp_path) == 0
