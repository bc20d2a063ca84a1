"""What a sandbox lets its processes do and what not: each promise of docs/security.md."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.sandbox_support import (
    CHECKOUT,
    FIRST_STUDENT_UID,
    RUN_SPECIFICATION,
    Student,
    as_ordinary_user,
    needs_cgroups,
    only_root,
    sandboxed_processes,
)

from ulab_runtime import limits
from ulab_runtime.sandbox import Host, Limits, Mount, command_line, start

AS_ROOT = os.geteuid() == 0


@pytest.fixture(
    params=[
        pytest.param((True, True), marks=only_root, id="by-root"),
        pytest.param((True, False), marks=only_root, id="by-root-alone"),
        pytest.param((False, True), id="by-user"),
    ]
)
def arranged(request: pytest.FixtureRequest) -> dict[str, bool]:
    """Who makes sandboxes, and whether others than root may make namespaces."""
    by_root, for_all = request.param
    return {"by_root": by_root, "namespaces_for_all": for_all}


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    """A folder of homes below one that is closed to others, as the state directory is."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    homes = state / "homes"
    homes.mkdir()
    return homes


@pytest.fixture
def ann(homes: Path, arranged: dict[str, bool]) -> Student:
    return Student(homes, "ann", 0, **arranged)


@pytest.fixture
def bob(homes: Path, arranged: dict[str, bool]) -> Student:
    return Student(homes, "bob", 1, **arranged)


def attempt(*statements: str) -> str:
    """Code that tries each statement and leaves what came of it: ``ok`` or the error's name."""
    return "import os, socket, ctypes, pathlib, subprocess\nresult = []\n" + "".join(
        f"try:\n    {statement}\n    result.append('ok')\n"
        "except Exception as error:\n    result.append(type(error).__name__)\n"
        for statement in statements
    )


# --- Files ---------------------------------------------------------------------------------------


def test_own_home_is_writable_and_kept(ann: Student) -> None:
    ann.python("open('notes.txt', 'w').write('mine'); result = None")
    kept = ann.home / "notes.txt"
    assert kept.read_text() == "mine"
    assert kept.stat().st_uid == ann.host_uid
    assert ann.python("result = open('/home/ann/notes.txt').read()") == "mine"


def test_other_homes_and_the_state_directory_do_not_exist(
    ann: Student, bob: Student, homes: Path
) -> None:
    secret = bob.home / "essay.txt"
    secret.write_text("bob's")
    code = f"import os; result = [os.path.lexists(p) for p in {[str(secret), str(homes)]!r}]"
    assert ann.python(code + "; result.append(os.listdir('/home'))") == [False, False, ["ann"]]


@only_root
def test_two_students_have_two_host_users_and_neither_is_root_or_the_hub(homes: Path) -> None:
    uids = {}
    for number, name in enumerate(("ann", "bob")):
        student = Student(homes, name, number, by_root=True)
        sandbox = start(student.spec(["/bin/sleep", f"77{number}.25"]))
        try:
            deadline = time.monotonic() + 20
            while not (found := _inside(f"77{number}.25")) and time.monotonic() < deadline:
                time.sleep(0.05)
            uids[name] = {uid for pid in found for uid in _uids(pid)}
        finally:
            sandbox.end()
    assert uids == {"ann": {FIRST_STUDENT_UID}, "bob": {FIRST_STUDENT_UID + 1}}


def _inside(marker: str) -> list[int]:
    """Processes in a PID namespace of their own."""
    found = []
    for pid in sandboxed_processes(marker):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            if len(status.partition("NSpid:")[2].splitlines()[0].split()) > 1:
                found.append(pid)
    return found


def _running(program: str, marker: str) -> bool:
    """Whether a sandbox is past its setting up, so that its program runs."""
    for pid in _inside(marker):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == program:
                return True
    return False


def _uids(pid: int) -> list[int]:
    status = Path(f"/proc/{pid}/status").read_text()
    return [int(word) for word in status.partition("Uid:")[2].splitlines()[0].split()]


@only_root
def test_another_students_files_are_closed_even_if_shown(homes: Path) -> None:
    ann, bob = (Student(homes, name, i, by_root=True) for i, name in enumerate(("ann", "bob")))
    (bob.home / "essay.txt").write_text("bob's")
    mounts = (*ann.spec([]).mounts, Mount(bob.home, "/srv/shown"))
    assert ann.python(attempt("os.listdir('/srv/shown')"), mounts=mounts) == ["PermissionError"]


def test_system_and_environment_are_read_only(ann: Student) -> None:
    places = [
        "/",
        "/usr",
        "/etc",
        "/dev",
        sys.prefix,
        sys.base_prefix,
        str(CHECKOUT / "hub/ulab_core"),
    ]
    statements = [f"open({place + '/planted'!r}, 'w')" for place in places]
    statements += [f"open({place!r}, 'a')" for place in ("/etc/hosts", "/usr/bin/env")]
    assert set(ann.python(attempt(*statements))) <= {"OSError", "PermissionError"}
    assert ann.python(attempt("import ulab_runtime, numpy", "open('/tmp/mine', 'w')")) == ["ok"] * 2
    assert not Path("/usr/planted").exists()


def test_tmp_is_private(ann: Student) -> None:
    # Where the checkout itself lies below /tmp, the way to the libraries in it is there too.
    below = [CHECKOUT.relative_to("/tmp").parts[0]] if CHECKOUT.is_relative_to("/tmp") else []
    code = "import os; {}result = sorted(os.listdir('/tmp'))"
    assert ann.python(code.format("open('/tmp/mine', 'w'); ")) == sorted(["mine", *below])
    assert ann.python(code.format("")) == below
    assert not Path("/tmp/mine").exists()


def test_of_etc_only_harmless_files_exist(ann: Student) -> None:
    code = (
        "import os, pwd; result = [sorted({'shadow', 'gshadow', 'sudoers', 'ssh', 'crontab'}"
        " & set(os.listdir('/etc'))), [u.pw_name for u in pwd.getpwall()],"
        " os.path.exists('/etc/ld.so.cache')]"
    )
    assert ann.python(code) == [[], ["ann", "nobody"], True]


def test_of_the_checkout_only_named_packages_exist(ann: Student) -> None:
    """Lab sources hold solutions and hidden tests, and tests hold what graders look for."""
    code = f"""
import os
top = {str(CHECKOUT)!r}
result = {{n: sorted(os.listdir(os.path.join(top, n))) for n in os.listdir(top) if n[0] != '.'}}
"""
    assert ann.python(code) == {"hub": ["ulab_core"], "labs": ["ulab_runtime"]}


def test_nothing_can_be_mounted_or_remounted(ann: Student) -> None:
    mine = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    for command in (
        ["mount", "-t", "tmpfs", "none", "/tmp"],
        ["mount", "-o", "remount,rw", "/usr"],
        ["umount", "/usr"],
        # Where only root may make namespaces, the machine itself refuses this.
        *([mine] if ann.host.user_namespaces else []),
    ):
        assert ann.run(*command).returncode != 0, command
    assert ann.run("true").returncode == 0


def test_a_target_below_a_writable_folder_is_refused(ann: Student, tmp_path: Path) -> None:
    """Whoever owns the folder could have put a link there, and root would follow it."""
    spec = ann.spec(["true"])
    below = Mount(tmp_path, "/home/ann/shared")
    with pytest.raises(ValueError, match="writable"):
        command_line(ann.spec(["true"], mounts=(*spec.mounts, below)), ann.host)


# --- Rights --------------------------------------------------------------------------------------


def test_no_capabilities_and_none_to_gain(ann: Student) -> None:
    status = ann.python("result = open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {int(fields[name], 16) for name in sets} == {0}
    assert fields["NoNewPrivs"] == "1"


def test_no_other_user_can_be_become(ann: Student) -> None:
    code = attempt("os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chown('/tmp', 0, 0)")
    # OSError: root has no number inside at all.
    assert set(ann.python(code)) <= {"OSError", "PermissionError"}
    flags = ann.python("import os; result = os.statvfs('/usr').f_flag & os.ST_NOSUID")
    assert flags == os.ST_NOSUID


@only_root
def test_a_set_user_id_file_of_the_home_gives_nothing(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=True)
    tool = ann.home / "id"
    tool.write_bytes(Path("/usr/bin/id").read_bytes())
    os.chown(tool, 0, 0)
    tool.chmod(0o4755)
    assert ann.run("/home/ann/id", "-u").stdout_tail.strip() == str(ann.uid)


@only_root
@pytest.mark.parametrize(("uid", "gid"), [(None, None), (0, 1000), (1000, 0)])
def test_root_can_not_be_asked_for(homes: Path, uid: int | None, gid: int | None) -> None:
    spec = Student(homes, "ann", 0, by_root=True).spec(["true"], uid=uid, gid=gid)
    with pytest.raises(ValueError, match="not 0"):
        command_line(spec, Host.detect())


@only_root
def test_roots_group_can_not_be_asked_for(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=True)
    with pytest.raises(ValueError, match="group 0"):
        command_line(ann.spec(["true"], groups=(630_001, 0)), ann.host)


# --- Processes -----------------------------------------------------------------------------------


def test_only_own_processes_are_seen(ann: Student) -> None:
    code = (
        "import os\nresult = [sorted(int(p) for p in os.listdir('/proc') if p.isdigit()),"
        f" os.path.exists('/proc/{os.getpid()}/environ')]"
    )
    assert ann.python(code) == [[1, 2], False]


def test_other_processes_can_not_be_signalled_or_traced(ann: Student) -> None:
    us = os.getpid()
    code = attempt(
        f"os.kill({us}, 9)",
        f"assert ctypes.CDLL(None).ptrace(16, {us}, 0, 0) == 0",
        f"open('/proc/{us}/mem')",
    )
    assert ann.python(code) == ["ProcessLookupError", "AssertionError", "FileNotFoundError"]


def test_namespaces_are_its_own(ann: Student) -> None:
    kinds = ["mnt", "pid", "ipc", "uts", "cgroup", "net"]
    kinds += ["user"] if ann.host.user_namespaces else []
    code = f"import os; result = {{k: os.readlink('/proc/self/ns/' + k) for k in {kinds!r}}}"
    inside = ann.python(code)
    assert not [
        kind for kind in kinds if inside[kind] == str(Path(f"/proc/self/ns/{kind}").readlink())
    ]


def test_no_terminal_of_the_host_is_within_reach(ann: Student) -> None:
    assert ann.python(attempt("open('/dev/tty')"))[0] == "OSError"
    assert ann.python("import os; result = os.getsid(0) in (1, 2)")


def test_environment_is_given_whole_and_on_no_command_line(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=AS_ROOT)
    secret = "t0ken-of-ann"
    spec = ann.spec(["/bin/sleep", "771.5"], env={"TOKEN": secret, "HOME": "/home/ann"})
    sandbox = start(spec)
    try:
        deadline = time.monotonic() + 20
        while not _inside("771.5") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _inside("771.5")
        assert sandboxed_processes(secret) == []
    finally:
        sandbox.end()
    os.environ["ULAB_TEST_OF_HOST"] = "1"
    names = ann.python("import os; result = sorted(os.environ)")
    assert set(names) - {"PWD", "LC_CTYPE"} == {"HOME", "LANG", "PATH"}


# --- Network and devices -------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_network_is_there_only_when_given(ann: Student, listening: int) -> None:
    code = attempt(f"socket.create_connection(('127.0.0.1', {listening}), 5)")
    assert ann.python(code, network=False) == ["ConnectionRefusedError"]
    assert ann.python(code, network=True) == ["ok"]


def test_without_network_there_is_only_a_loopback(ann: Student) -> None:
    code = "import socket; result = [name for _, name in socket.if_nameindex()]"
    assert ann.python(code) == ["lo"]


def test_internal_sockets_are_out_of_reach(ann: Student, homes: Path) -> None:
    path = homes.parent / "hub.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        code = attempt(f"socket.socket(socket.AF_UNIX).connect({str(path)!r})")
        assert ann.python(code, network=True) == ["FileNotFoundError"]


def test_devices_are_the_harmless_ones_and_those_given(ann: Student) -> None:
    usual = {
        "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
        "tty", "urandom", "zero",
    }  # fmt: skip
    code = "import os; result = os.listdir('/dev')"
    assert set(ann.python(code)) <= usual
    given = next(
        path for name in ("kmsg", "fuse", "hwrng", "mem") if (path := Path("/dev", name)).exists()
    )
    assert set(ann.python(code, devices=[given])) - usual == {given.name}


# --- Limits --------------------------------------------------------------------------------------


@needs_cgroups
def test_memory_beyond_the_limit_ends_the_process_and_is_noticed(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=True)
    grab = "x = b'x' * ({} * 1024 * 1024); print(len(x))"
    fits = ann.run(sys.executable, "-c", grab.format(64))
    assert (fits.returncode, fits.oom_killed) == (0, False)
    greedy = ann.run(sys.executable, "-c", grab.format(800))
    assert (greedy.returncode, greedy.oom_killed) == (137, True)


def test_without_cgroups_memory_is_limited_for_each_process(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=False)
    gibibyte = 1024**3
    statements = [f"bytearray({size * gibibyte})" for size in (1, 8)]
    assert ann.python(attempt(*statements)) == ["ok", "MemoryError"]


def test_processes_beyond_the_limit_are_refused(ann: Student) -> None:
    code = """
import os, time
result = 0
try:
    for _ in range(500):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        result += 1
except OSError:
    pass
"""
    assert 10 < ann.python(code) < 64


def test_a_file_beyond_the_limit_is_refused(ann: Student) -> None:
    code = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open('big', 'wb', buffering=0) as file:
    result = sum(file.write(bytes(1024 * 1024)) for _ in range(16))
    try:
        file.write(b'one more')
    except OSError as error:
        result = [result, error.strerror]
"""
    assert ann.python(code) == [16 * 1024 * 1024, "File too large"]


@needs_cgroups
def test_groups_carry_the_limits_and_go_with_the_sandbox(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=True)
    asked = Limits(memory_mb=300, cpus=0.5, processes=40, file_mb=16)
    sandbox = start(ann.spec(["/bin/sleep", "60"], limits=asked), name="ann@test")
    assert sandbox.group is not None
    found = limits.cgroups()
    assert found is not None
    try:
        for controller, values in limits.cgroup_values(found.version, asked).items():
            name, value = values[-1]
            path = found.folders[controller] / "ann@test" / name
            if path.exists():
                assert path.read_text().strip() == value
    finally:
        sandbox.end()
    assert [folder for folder in sandbox.group.folders if folder.exists()] == []


# --- Ends ----------------------------------------------------------------------------------------


def test_time_out_ends_everything_inside(ann: Student) -> None:
    script = "setsid sleep 772.75 & (sleep 772.75 &) ; echo started; sleep 772.75"
    finished = ann.run("/bin/sh", "-c", script, timeout_s=2)
    assert finished.timed_out
    assert "started" in finished.stdout_tail
    assert sandboxed_processes("772.75") == []


def test_exit_status_and_output_come_back(ann: Student) -> None:
    finished = ann.run("/bin/sh", "-c", "echo out; echo err >&2; exit 7")
    assert (finished.returncode, finished.timed_out, finished.oom_killed) == (7, False, False)
    assert finished.stdout_tail == "out\nerr\n"


def test_only_the_end_of_much_output_is_kept(ann: Student) -> None:
    finished = ann.run("/bin/sh", "-c", "yes | head -c 3000000; echo; echo the end")
    assert len(finished.stdout_tail) == 65536
    assert finished.stdout_tail.endswith("the end\n")


def test_a_sandbox_dies_with_whoever_waits_for_it(homes: Path) -> None:
    ann = Student(homes, "ann", 0, by_root=False)
    spec = ann.spec(["/bin/sleep", "773.125"])
    given = json.dumps(dataclasses.asdict(spec) | {"timeout_s": 60}, default=str)
    waiting = subprocess.Popen(
        [*as_ordinary_user(ann.home), sys.executable, "-c", RUN_SPECIFICATION],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    assert waiting.stdin is not None
    waiting.stdin.write(given.encode())
    waiting.stdin.close()
    deadline = time.monotonic() + 30
    # bubblewrap itself has the same words, and is not bound to its parent until it has set up.
    while not _running("sleep", "773.125") and time.monotonic() < deadline:
        time.sleep(0.005)
    assert _running("sleep", "773.125")
    for pid in sandboxed_processes(RUN_SPECIFICATION[:40]):
        os.kill(pid, 9)
    waiting.wait()
    deadline = time.monotonic() + 30
    while _inside("773.125") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _inside("773.125") == []
