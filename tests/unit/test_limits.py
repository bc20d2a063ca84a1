"""Which limits are written where, for machines unlike the one the tests run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulab_runtime.kernel_deaths import explanation
from ulab_runtime.limits import Cgroups, Group, Limits, cgroup_values, own_folders, rlimits
from ulab_runtime.memory import MEBIBYTE, room_left, sentence

LIMITS = Limits(memory_mb=1024, cpus=1.5, processes=100, file_mb=10)

V1_GROUPS = "9:pids:/\n4:memory:/jobs/7\n1:cpu,cpuacct:/\n0::/\n"
V1_MOUNTS = """
30 25 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
""".strip()


def test_own_groups_of_version_1() -> None:
    found = own_folders(V1_GROUPS, V1_MOUNTS)
    assert found["memory"] == Path("/sys/fs/cgroup/memory/jobs/7")
    assert found["cpu"] == Path("/sys/fs/cgroup/cpu")
    assert found[""] == Path("/sys/fs/cgroup/unified")


def test_own_group_of_version_2() -> None:
    mounts = "33 25 0:29 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate"
    found = own_folders("0::/system.slice/ulab.service\n", mounts)
    assert found == {"": Path("/sys/fs/cgroup/system.slice/ulab.service")}


def test_own_group_when_a_container_shows_a_part() -> None:
    mounts = "33 25 0:29 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
    assert own_folders("0::/docker/abc/main\n", mounts) == {"": Path("/sys/fs/cgroup/main")}
    assert own_folders("0::/\n", mounts) == {"": Path("/sys/fs/cgroup")}


def test_values_of_both_versions() -> None:
    second = cgroup_values(2, LIMITS)
    assert second["memory"][0] == ("memory.max", str(1024 * MEBIBYTE))
    assert second["cpu"] == [("cpu.max", "150000 100000")]
    first = cgroup_values(1, LIMITS)
    assert first["cpu"][-1] == ("cpu.cfs_quota_us", "150000")
    # The limit with swap can never be below the one without, in whatever order they change.
    assert [name for name, _ in first["memory"]] == [
        "memory.memsw.limit_in_bytes",
        "memory.limit_in_bytes",
        "memory.memsw.limit_in_bytes",
    ]


def test_group_is_made_and_read_in_a_delegated_tree(tmp_path: Path) -> None:
    where = Cgroups(2, dict.fromkeys(("memory", "cpu", "pids"), tmp_path))
    group = Group.create(where, "ann@", LIMITS)
    assert group.entrances == [str(tmp_path / "ann@" / "cgroup.procs")]
    assert (tmp_path / "ann@" / "pids.max").read_text() == "100"
    (tmp_path / "ann@" / "memory.events").write_text("low 0\nmax 4\noom 1\noom_kill 2\n")
    assert group.oom_kills() == 2


def test_memory_is_limited_by_process_only_when_nothing_else_does() -> None:
    assert not any(argument.startswith("--data") for argument in rlimits(LIMITS, memory=False))
    assert any(argument.startswith("--data") for argument in rlimits(LIMITS, memory=True))


def test_room_left_keeps_a_reserve_and_is_never_negative() -> None:
    assert room_left(1000, 0) == 960
    assert room_left(1000, 500) == 460
    assert room_left(1000, 2000) == 0


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "than your server may use (2 GiB)"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "than your server may use"),
        (OutOfMemoryError("CUDA out of memory"), "than the GPU has left"),
        (RuntimeError("shapes do not match"), None),
    ],
)
def test_only_errors_about_memory_get_the_sentence(
    error: BaseException, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ULAB_LANGUAGE", "en")
    found = sentence(type(error), error, 2048 * MEBIBYTE)
    assert (said is None and found is None) or (found is not None and str(said) in found)


def test_a_kernels_death_is_explained() -> None:
    assert "ran out of memory (2 GiB" in (explanation(-9, "2048", "en") or "")
    assert "内存用尽" in (explanation(137, "2048", "zh") or "")
    assert "status 1" in (explanation(1, "2048", "en") or "")
    assert explanation(None, "2048", "en") is None
