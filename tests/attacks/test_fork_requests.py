"""Who may ask a fork server for what: every lie about who is asking, or for whom, is refused."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks.attack_support import Base, Inhabited, space_of, until
from attacks.conftest import Way, by_root
from integration.sandbox_support import only_root

from ulab_core.process import children
from ulab_runtime.sandbox import Mount

# What every sandbox can do: the request that all others here are variations of.
GRANTED = "forked"


def test_who_runs_in_a_sandbox_is_granted_a_child(ann: Inhabited) -> None:
    assert ann.python("result = attempt(request)") == GRANTED


def test_a_forged_sender_is_refused_by_the_kernel(ann: Inhabited) -> None:
    code = """
import struct
connection, nonce = connect()
result = []
for pid, uid in ((1, os.getuid()), (os.getppid(), os.getuid()), (os.getpid(), 0)):
    forged = (socket.SOL_SOCKET, 2, struct.pack('3i', pid, uid, os.getgid()))
    try:
        connection.sendmsg([json.dumps(request(nonce)).encode()], [forged])
        result.append('sent')
    except OSError:
        result.append('refused')
"""
    assert ann.python(code) == ["refused"] * 3


def test_a_child_of_who_connected_is_refused(ann: Inhabited) -> None:
    code = """
connection, nonce = connect()
child = os.fork()
if not child:
    try:
        wire.send(connection, request(nonce), [1, 1])
    finally:
        os._exit(0)
os.waitpid(child, 0)
result = answer(connection)
"""
    assert ann.python(code) == "impostor"


def test_who_inherits_a_connection_of_the_dead_is_refused(ann: Inhabited) -> None:
    code = """
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if not os.fork():
    try:
        connection, nonce = connect()
        socket.send_fds(theirs, [nonce.encode()], [connection.fileno()])
    finally:
        os._exit(0)
os.wait()
nonce, (number,), _, _ = socket.recv_fds(ours, 100, 1)
with socket.socket(fileno=number) as connection:
    wire.send(connection, request(nonce.decode()), [1, 1])
    result = answer(connection)
"""
    assert ann.python(code) == "impostor"


@pytest.fixture
def both(move_in: Callable[..., Inhabited], shared: Path) -> tuple[Inhabited, Inhabited]:
    """Two sandboxes whose people work together, over a socket that both can reach."""
    folder = Mount(shared, "/srv/shared", writable=True)
    ann, bob = (move_in(name, more=[folder]) for name in ("ann", "bob"))
    bob.python(
        "meeting = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "meeting.bind('/srv/shared/meeting'); os.chmod('/srv/shared/meeting', 0o777)\n"
        "meeting.listen()"
    )
    ann.python(
        "friend = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "friend.connect('/srv/shared/meeting')"
    )
    bob.python("friend, _ = meeting.accept()")
    return ann, bob


def test_a_connection_given_to_another_sandbox_is_of_no_use(
    both: tuple[Inhabited, Inhabited],
) -> None:
    ann, bob = both
    ann.python(
        "connection, nonce = connect()\n"
        "socket.send_fds(friend, [nonce.encode()], [connection.fileno()])"
    )
    code = """
nonce, (number,), _, _ = socket.recv_fds(friend, 100, 1)
with socket.socket(fileno=number) as connection:
    wire.send(connection, request(nonce.decode()), [1, 1])
    result = answer(connection)
"""
    assert bob.python(code) == "impostor"


def test_a_pidfd_of_another_sandbox_names_nobody(both: tuple[Inhabited, Inhabited]) -> None:
    """On the sandboxes' socket every descriptor is one of the child's own."""
    ann, bob = both
    bob.python("socket.send_fds(friend, [b'me'], [os.pidfd_open(os.getpid())])")
    code = """
_, (other,), _, _ = socket.recv_fds(friend, 100, 1)
inlet, outlet = os.pipe()
spaces = "os.write(3, json.dumps([os.readlink(f'/proc/self/ns/{k}') for k in ('pid', 'mnt')]).encode())"
child, _ = start(spaces, descriptors=[other, outlet, outlet])
os.close(outlet)
child.wait(20)
with os.fdopen(inlet) as file:
    told = file.read()
result = [json.JSONDecoder().raw_decode(told)[0], [os.readlink(f'/proc/self/ns/{k}') for k in ('pid', 'mnt')]]
"""  # noqa: E501
    child, own = ann.python(code)
    assert child == own


def test_a_nonce_serves_one_connection_and_once(ann: Inhabited) -> None:
    code = """
other, nonce = connect()
result = [attempt(lambda own: request(nonce)), attempt(lambda own: request('')), attempt(request)]
connection, nonce = connect()
wire.send(connection, request(nonce), [1, 1])
result.append(answer(connection))
wire.receive(connection)
try:
    wire.send(connection, request(nonce), [1, 1])
    result.append(answer(connection))
except OSError:
    result.append('gone')
"""
    said = ann.python(code)
    assert said[:4] == ["malformed", "malformed", GRANTED, GRANTED]
    assert said[4] in ("gone", "nothing", "ConnectionResetError")


@by_root
def test_a_number_used_again_is_not_taken_for_who_connected(base: Base, ann: Inhabited) -> None:
    ann.python("""
def connect_and_die():
    global left
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if not child:
        try:
            connection, nonce = connect()
            socket.send_fds(theirs, [nonce.encode()], [connection.fileno()])
            theirs.recv(1)
        finally:
            os._exit(0)
    nonce, (number,), _, _ = socket.recv_fds(ours, 100, 1)
    left = ours, child, nonce.decode(), socket.socket(fileno=number)

def die():
    left[0].send(b'.')
    os.waitpid(left[1], 0)

def follow():
    global follower
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        try:
            if theirs.recv(1) == b'y':
                wire.send(left[3], request(left[2]), [1, 1])
                theirs.send(answer(left[3]).encode())
        finally:
            os._exit(0)
    follower = ours, child
""")
    ann.python("connect_and_die()")
    agent = ann.pid
    (number,) = children(agent)
    ann.python("die()")
    last = Path("/proc/sys/kernel/ns_last_pid")
    for _ in range(1000):
        last.write_text(str(number - 1))
        ann.python("follow()")
        if children(agent) == [number]:
            break
        ann.python("follower[0].send(b'n'); os.waitpid(follower[1], 0)")
    else:
        pytest.fail("others always took the number")
    said = ann.python("follower[0].send(b'y'); result = follower[0].recv(99).decode()")
    assert said == "impostor"


def test_who_runs_in_no_sandbox_is_refused(base: Base) -> None:
    code = """
def asked(**more):
    try:
        client.fork(Path(%r), module='json', argv=[], env={}, cwd='/', descriptors=[1, 1], **more)
    except client.NotForked as error:
        return error.reason
result = [asked(), asked(sandbox=os.pidfd_open(os.getpid()))]
"""
    # The base's own socket names a sandbox, the other takes the caller's own.
    assert base.python(code % str(base.for_sandboxes))[0] == "no-sandbox"
    assert base.python(code % str(base.for_base)) == ["impostor", "no-sandbox"]


@only_root
@pytest.mark.parametrize(("user", "group"), [(0, 0), (0, 5000), (5000, 0)])
def test_root_is_not_served_even_in_a_sandbox(
    bases: Callable[[bool], Base], user: int, group: int
) -> None:
    base = bases(True)
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "setpriv", "--clear-groups"]
    inside = subprocess.Popen(
        [*spaces, f"--reuid={user}", f"--regid={group}", "sleep", "60"], stdin=subprocess.DEVNULL
    )
    try:
        assert until(lambda: len(children(inside.pid)) == 1)
        (target,) = children(inside.pid)
        assert until(lambda: "sleep" in Path(f"/proc/{target}/cmdline").read_text())
        assert base.python(name_by_pidfd(base, target)) == "no-sandbox"
    finally:
        inside.kill()
        inside.wait()


def name_by_pidfd(base: Base, pid: int) -> str:
    return f"""
nothing = os.open('/dev/null', os.O_RDWR)
try:
    client.fork(Path({str(base.for_base)!r}), module='json', argv=[], env={{}}, cwd='/',
                descriptors=[nothing, nothing], sandbox=os.pidfd_open({pid}))
    result = 'forked'
except client.NotForked as error:
    result = error.reason
"""


def test_the_base_names_a_living_sandbox_or_nothing(base: Base, ann: Inhabited) -> None:
    assert base.python(name_by_pidfd(base, ann.pid)) == GRANTED
    code = f"""
def asked(sandbox):
    try:
        client.fork(Path({str(base.for_base)!r}), module='json', argv=[], env={{}}, cwd='/',
                    descriptors=[1, 1], sandbox=sandbox)
    except client.NotForked as error:
        return error.reason
child = os.fork()
if not child:
    os._exit(0)
ended = os.pidfd_open(child)
os.waitpid(child, 0)
result = [asked(ended), asked(os.open('/dev/null', os.O_RDONLY))]
"""
    assert base.python(code) == ["impostor", "impostor"]


def test_the_bases_socket_is_of_no_use_in_a_sandbox_even_were_it_shown(
    base: Base, move_in: Callable[..., Inhabited], way: Way
) -> None:
    assert move_in("bob").python("result = os.listdir(SERVER.parent)") == ["kernel.sock"]
    ann = move_in("ann", more=[Mount(base.for_base, "/srv/base.sock")])
    code = """
connect.__globals__['SERVER'] = Path('/srv/base.sock')
try:
    result = attempt(request, [os.pidfd_open(os.getpid()), 1, 1])
except OSError as error:
    result = type(error).__name__
"""
    assert ann.python(code) == ("PermissionError" if way.by_root else "impostor")


@pytest.mark.parametrize("greeting_is_read", [True, False])
def test_who_leaves_leaves_no_child(base: Base, ann: Inhabited, greeting_is_read: bool) -> None:
    flag = 0 if greeting_is_read else int(socket.MSG_PEEK)
    code = f"""
connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
connection.connect(str(SERVER))
greeting = json.loads(connection.recv(65536, {flag}))
wire.send(connection, request(greeting['nonce'], 'import time; time.sleep(60)'), [1, 1])
connection.close()
"""
    for _ in range(3):
        ann.python(code)
    # Nor does who ends at once.
    ann.python(f"""
child = os.fork()
if not child:
    try:
        {code.strip().replace(chr(10), chr(10) + " " * 8)}
    finally:
        os._exit(0)
os.waitpid(child, 0)
""")
    ann.python("result = attempt(request)")  # whatever came before it has been dealt with then
    space = space_of(ann.pid)
    assert until(lambda: [p for p in base.children() if space_of(p) == space] == [])
    assert until(lambda: len(ann.processes()) == 2)


def test_who_speaks_again_while_a_child_is_born_harms_nobody(base: Base, ann: Inhabited) -> None:
    code = """
connection, nonce = connect()
wire.send(connection, request(nonce), [1, 1])
try:
    for _ in range(20):
        connection.send(b'nonsense')
except OSError:
    pass
"""
    for _ in range(5):
        ann.python(code)
    assert base.lives()
