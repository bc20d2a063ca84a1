"""What a forked child is and what it can't do: in all that a student can see, a cold process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks.attack_support import SECRET, TEAM_GROUPS, Base, Inhabited, fields, space_of, until
from attacks.conftest import Way, by_root

KINDS = ("mnt", "pid", "ipc", "uts", "cgroup", "net", "user", "time")
LOOK = f"""
import os, resource
read = lambda name: open('/proc/self/' + name).read()
status = dict(line.split(':\\t', 1) for line in read('status').splitlines() if ':\\t' in line)
umask = os.umask(0)
result = {{
    'spaces': {{kind: os.readlink('/proc/self/ns/' + kind) for kind in {KINDS!r}}},
    'status': {{name: value for name, value in status.items() if name.startswith(
        ('Uid', 'Gid', 'Groups', 'Cap', 'NoNewPrivs', 'Seccomp', 'Umask', 'Sig', 'NStgid'))
        and name not in ('SigQ', 'NStgid')}},
    'limits': read('limits'), 'cgroup': read('cgroup'), 'mounts': read('mountinfo'),
    'oom': read('oom_score_adj'), 'umask': umask, 'cwd': os.getcwd(), 'env': dict(os.environ),
    'nice': os.nice(0), 'processors': sorted(os.sched_getaffinity(0)),
    'dumpable': os.stat('/proc/self/fd').st_uid == os.getuid(),
}}
"""


def test_a_child_is_what_a_cold_process_in_its_sandbox_is(ann: Inhabited) -> None:
    # Also where the requester changed what it may change.
    ann.python(
        "import resource; os.umask(0o027); os.chdir('/tmp'); os.nice(3)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (500, 600))"
    )
    cold, warm = ann.python(f"result = [cold({LOOK!r}), forked({LOOK!r})]")
    # A child's parent is the fork server, whose priority it has.
    assert (cold.pop("nice"), warm.pop("nice")) == (3, 0)
    assert warm == cold
    assert cold["umask"] == 0o027
    assert "Max open files            200                  300" in cold["limits"]


@by_root
def test_a_child_is_in_its_sandboxs_cgroups(base: Base, ann: Inhabited) -> None:
    ann.python("child, _ = start('import time; time.sleep(60)')")
    (child,) = base.children_in(ann, 1)
    groups = [Path(f"/proc/{pid}/cgroup").read_text() for pid in (child, ann.pid)]
    assert groups[0] == groups[1]


def test_a_child_has_the_groups_of_its_sandbox_and_no_others(
    base: Base, ann: Inhabited, way: Way
) -> None:
    # Whoever is in a sandbox can't give themselves a group that a child would then be given.
    tried = """
result = []
for act in (lambda: os.setgroups([27]), lambda: os.setgroups([]), lambda: os.setgid(27)):
    try:
        act()
        result.append('gained')
    except OSError:
        pass
"""
    assert ann.python(tried) == []
    ann.python("child, _ = start('import time; time.sleep(60)')")
    (child,) = base.children_in(ann, 1)
    groups = [
        fields(Path(f"/proc/{pid}/status").read_text())["Groups"].split()
        for pid in (child, ann.pid)
    ]
    assert groups[0] == groups[1]
    if way.by_root:
        assert groups[0] == [str(group) for group in TEAM_GROUPS]


def test_no_capability_and_none_to_gain(ann: Inhabited, way: Way) -> None:
    # Where only root may make namespaces, the machine itself refuses others.
    user_space = 0x10000000 if way.namespaces_for_all else 0x20000000
    code = f"""
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
gained = []
for name, act in {{
    'uid': lambda: os.setuid(0), 'gid': lambda: os.setgid(0), 'groups': lambda: os.setgroups([0]),
    'chown': lambda: os.chown('/tmp', 0, 0), 'chroot': lambda: os.chroot('/tmp'),
    'mount': lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, 0) and 1 / 0,
    'spaces': lambda: libc.unshare(0x20000) and 1 / 0,
    'user': lambda: libc.unshare({user_space}) and 1 / 0,
    'ambient': lambda: libc.prctl(47, 2, 21, 0, 0) and 1 / 0,
    'permit': lambda: libc.prctl(38, 0, 0, 0, 0) and 1 / 0,
}}.items():
    try:
        act()
        gained.append(name)
    except (OSError, ZeroDivisionError):
        pass
inherited = subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout
result = [open('/proc/self/status').read(), inherited, gained]
"""
    *statuses, gained = ann.python(f"result = forked({code!r})")
    for status in map(fields, statuses):
        sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        assert {int(status[name], 16) for name in sets} == {0}
        assert status["NoNewPrivs"] == "1"
    assert gained == []


@pytest.mark.usefixtures("crowd")
def test_nothing_open_is_inherited_whatever_the_limits(base: Base, ann: Inhabited) -> None:
    open_now = "result = {n: os.readlink('/proc/self/fd/' + n) for n in os.listdir('/proc/self/fd') if os.path.lexists('/proc/self/fd/' + n)}"  # noqa: E501
    # Fewer than the server has open, so that numbers above the limit are there to be forgotten.
    assert base.descriptors() > 100
    ann.python("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))")
    found = ann.python(f"result = forked({open_now!r})")
    assert found.keys() == {"0", "1", "2"}
    assert found["0"] == "/dev/null"
    assert found["1"] == found["2"]


def test_neither_the_bases_nor_anothers_secrets_are_in_its_memory(
    base: Base, ann: Inhabited, bob: Inhabited
) -> None:
    token = "t0ken-of-bob-for-bobs-processes-alone"
    keep = f"child, _ = start('import time; time.sleep(60)', env={{'TOKEN': {token!r}}})"
    bob.python(keep)
    # Also what was refused must not stay.
    bob.python(f"result = attempt(lambda n: request(n, cwd='no', env={{'TOKEN': {token!r}}}))")
    secrets = [secret[::-1].encode() for secret in (SECRET, token)]
    code = f"result = [scan(secret) for secret in {secrets!r}] + [scan(b'PATH'[::-1]) > 0]"
    assert ann.python(f"result = forked({code!r})") == [0, 0, True]
    seen = "result = [open('/proc/self/' + n).read() for n in ('environ', 'cmdline')], dict(os.environ)"  # noqa: E501
    (environ, cmdline), variables = ann.python(f"result = forked({seen!r})")
    assert str(base.folder) not in environ + cmdline
    assert SECRET not in environ + cmdline
    assert "JUPYTERHUB_API_TOKEN" not in variables
    assert cmdline.startswith("python -m inside")


def test_two_children_have_random_numbers_of_their_own(ann: Inhabited, bob: Inhabited) -> None:
    code = """
import multiprocessing, numpy, random, secrets, tempfile, uuid
result = [random.random(), numpy.random.rand(), numpy.random.default_rng().random(),
          multiprocessing.current_process().authkey.hex(), str(uuid.uuid4()), secrets.token_hex(),
          tempfile.mktemp()]
"""
    one, two, three = (who.python(f"result = forked({code!r})") for who in (ann, ann, bob))
    assert [len({*numbers}) for numbers in zip(one, two, three, strict=True)] == [3] * 7


def test_neighbours_see_nothing_of_the_server_while_a_child_is_born(
    base: Base, ann: Inhabited
) -> None:
    """They may stop it at any step, since it is of their user, and look at what it has open."""
    code = """
import signal, time
def stalk():
    seen, end = set(), time.monotonic() + 2
    known = {int(n) for n in os.listdir('/proc') if n.isdigit()}
    place = max(known) + 1
    while time.monotonic() < end:
        for number in range(place, place + 3):
            try:
                os.kill(number, signal.SIGSTOP)
            except OSError:
                continue
            try:
                for name in os.listdir(f'/proc/{number}/fd'):
                    seen.add(os.readlink(f'/proc/{number}/fd/{name}'))
            except OSError:
                pass
            try:
                os.kill(number, signal.SIGCONT)
            except OSError:
                pass
            place = number
    return sorted(seen)
inlet, outlet = os.pipe()
if not os.fork():
    try:
        os.write(outlet, json.dumps(stalk()).encode())
    finally:
        os._exit(0)
time.sleep(0.1)
for _ in range(8):
    forked('result = 1')
os.close(outlet)
with os.fdopen(inlet) as file:
    result = json.load(file)
"""
    seen = ann.python(code)
    assert "/dev/null" in seen
    theirs = ("socket:", "anon_inode:", str(base.folder.parent))
    assert [path for path in seen if path.startswith(theirs)] == []


def test_it_can_neither_trace_nor_signal_the_server(base: Base, ann: Inhabited) -> None:
    code = f"""
import ctypes, signal
libc, failed = ctypes.CDLL(None, use_errno=True), []
connection, _ = connect()
with connection:
    try:
        (server,) = __import__('struct').unpack('i', connection.getsockopt(1, 77, 4))
    except OSError:
        server = None  # Linux before 6.5 gives no pidfd of who listens
def attempt(act):
    try:
        act()
    except OSError:
        return
    failed.append(act.__name__)
def signal_by_number(): os.kill({base.pid}, 0)
def trace():
    if libc.ptrace(16, {base.pid}, 0, 0): raise OSError
def read_memory(): open('/proc/{base.pid}/mem')
def signal_by_pidfd(): signal.pidfd_send_signal(server, 0)
def take_descriptor():
    if libc.syscall(438, server, 0, 0) < 0: raise OSError
def enter():
    if libc.setns(server, 0x20000): raise OSError
attempt(signal_by_number); attempt(trace); attempt(read_memory)
if server is not None:
    attempt(signal_by_pidfd); attempt(take_descriptor); attempt(enter)
result = failed
"""
    assert ann.python(f"result = forked({code!r})") == []
    assert base.lives()


def test_children_die_with_their_sandbox_which_nothing_holds_open(
    base: Base, move_in: Callable[..., Inhabited]
) -> None:
    ann = move_in("ann")
    space = space_of(ann.pid)
    ann.python(
        "import signal\n"
        "kept = [connect() for _ in range(3)]\n"
        "kept += [start('import time; time.sleep(60)') for _ in range(2)]\n"
        "kept[-1][0].send_signal(signal.SIGSTOP)"
    )
    base.children_in(ann, 2)
    ann.end()
    assert until(lambda: space not in _pid_namespaces(), 5)
    assert base.children() == []


def _pid_namespaces() -> set[str]:
    return {space_of(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}


def test_children_outlive_a_killed_server(base: Base, ann: Inhabited) -> None:
    ann.python("child, _ = start('import time; time.sleep(60)')")
    (born,) = base.children_in(ann, 1)
    os.kill(base.pid, 9)
    base.process.wait(10)
    assert space_of(born) == space_of(ann.pid)
    assert ann.python("result = child.poll()") is None
    # Its requester looks after it by pidfd, and learns that it ended though not how.
    assert ann.python("child.kill(); result = child.wait(5)") == 255
