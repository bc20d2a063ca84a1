"""What a fork server is sent by those who want to stop it: it goes on serving everyone else."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from attacks.attack_support import Base, Inhabited, until
from attacks.conftest import Way
from integration.sandbox_support import only_root

from ulab_runtime.forkserver.admission import BURST, SILENT_S
from ulab_runtime.forkserver.wire import MAX_BYTES, MAX_DESCRIPTORS

SOON_S = 4.0
# What takes seconds and asks nothing of sandboxes that where they come from could change.
once_by_root = pytest.mark.parametrize(
    "way",
    [
        pytest.param(Way(True), marks=only_root, id="by-root"),
        pytest.param(Way(False), id="by-user"),
    ],
)
# Each is an expression for what is sent, of a nonce, and the descriptors that go with it.
MALFORMED = {
    "no JSON": ("b'hello'", 2),
    "no UTF-8": ("b'\\xff\\xfe\\x00'", 2),
    "NUL": ("b'\\x00' * 100", 2),
    "no object": ("lambda n: [n]", 2),
    "deep": ("b'[' * 100_000", 2),
    "deep objects": ("b'{\"a\":' * 20_000", 2),
    "a huge number": ("b'{\"nonce\": ' + b'9' * 100_000 + b'}'", 2),
    "too long": (f"b' ' * {MAX_BYTES + 1}", 2),
    "too many descriptors": ("request", MAX_DESCRIPTORS + 1),
    "far too many": ("request", 250),
    "no descriptors": ("request", 0),
    "one descriptor": ("request", 1),
    "another field": ("lambda n: request(n, uid=0)", 2),
    "a field too few": ("lambda n: {'nonce': n}", 2),
    "wrong type": ("lambda n: request(n, argv='no')", 2),
    "a number": ("lambda n: request(n, argv=[1])", 2),
    "a list as environment": ("lambda n: request(n, env=[])", 2),
    "no module": ("lambda n: request(n, module='')", 2),
    "a path as module": ("lambda n: request(n, module='/tmp/evil')", 2),
    "a relative module": ("lambda n: request(n, module='.inside')", 2),
    "relative cwd": ("lambda n: request(n, cwd='tmp')", 2),
    "NUL in cwd": ("lambda n: request(n, cwd='/tmp\\x00')", 2),
    "NUL in argv": ("lambda n: request(n, argv=['\\x00'])", 2),
    "NUL in env": ("lambda n: request(n, env={'A': '\\x00'})", 2),
    "a strange name": ("lambda n: request(n, env={'A=B': ''})", 2),
    "an empty name": ("lambda n: request(n, env={'': ''})", 2),
    "half a letter": ("lambda n: request(n, argv=['\\ud800'])", 2),
    "many arguments": ("lambda n: request(n, argv=[''] * 1000)", 2),
    "many variables": ("lambda n: request(n, env={str(i): '' for i in range(2000)})", 2),
}
# Well formed, and still there is no child, or one that ends by itself.
VAIN = {
    "a folder that isn't there": ("lambda n: request(n, cwd='/nowhere')", "failed"),
    "a long folder": ("lambda n: request(n, cwd='/' + 'a' * 9000)", "failed"),
    "a module that isn't there": ("lambda n: request(n, module='no.such')", "forked"),
    "nothing": ("b''", "nothing"),
}


def test_what_is_malformed_is_refused(base: Base, ann: Inhabited, bob: Inhabited) -> None:
    cases = list(MALFORMED.items())
    for who, some in ((ann, cases[: BURST - 1]), (bob, cases[BURST - 1 :])):
        said = {}
        for name, (content, count) in some:
            said[name] = who.python(f"result = attempt({content}, [1] * {count})")
        assert said == dict.fromkeys(dict(some), "malformed")
    assert base.lives()
    text = base.log.read_text()
    assert "evil" not in text
    assert "Traceback" not in text


def test_what_leads_nowhere_leads_nowhere(base: Base, ann: Inhabited) -> None:
    said = {
        name: ann.python(f"result = attempt({content}, [os.open('/dev/null', os.O_RDWR)] * 2)")
        for name, (content, _) in VAIN.items()
    }
    assert said == {name: expected for name, (_, expected) in VAIN.items()}
    assert until(lambda: len(ann.processes()) == 2)
    assert base.lives()


@once_by_root
def test_a_flood_is_refused_and_others_are_served(
    base: Base, ann: Inhabited, bob: Inhabited
) -> None:
    ann.tell("""
import collections, time
end, said = time.monotonic() + 2.5, collections.Counter()
for _ in range(8):
    if not os.fork():
        while time.monotonic() < end:
            try:
                socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(str(SERVER))
            except OSError:
                pass
        os._exit(0)
while time.monotonic() < end:
    try:
        said[attempt(request, [os.open('/dev/null', os.O_RDWR)] * 2)] += 1
    except (NotForked, OSError) as error:
        said[getattr(error, 'reason', type(error).__name__)] += 1
for _ in range(8):
    os.wait()
result = said
""")
    time.sleep(0.5)
    began = time.monotonic()
    for _ in range(3):
        assert bob.python("result = attempt(request)") == "forked"
    assert time.monotonic() - began < SOON_S
    said = ann.hear()
    assert said["too-many"] > 10
    assert said.get("forked", 0) <= BURST + 5
    assert base.lives()


@once_by_root
def test_many_who_say_nothing_hold_up_nobody_and_are_dropped(
    base: Base, ann: Inhabited, bob: Inhabited
) -> None:
    before = base.descriptors()
    ann.python(f"silent = [connect()[0] for _ in range({BURST - 1})]")
    began = time.monotonic()
    assert bob.python("result = attempt(request)") == "forked"
    assert time.monotonic() - began < SOON_S
    assert ann.python("result = [answer(line) for line in silent]") == ["malformed"] * (BURST - 1)
    assert SILENT_S - 1 < time.monotonic() - began < SILENT_S + SOON_S
    assert until(lambda: base.descriptors() == before)


@pytest.mark.parametrize("when", ["received", "unread", "too-many"])
def test_a_socket_that_lingers_when_closed_holds_up_nobody(
    base: Base, ann: Inhabited, bob: Inhabited, when: str
) -> None:
    """Closing a socket can be made to wait for an hour: whoever closes it last waits."""
    ann.python(f"""
import struct
kept = []
def lingering():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        sending = socket.create_connection(listener.getsockname())
        kept.append(listener.accept()[0])
    sending.setblocking(False)
    try:
        while True:
            sending.send(bytes(65536))
    except BlockingIOError:
        pass
    sending.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 3600))
    return sending.detach()
numbers = [lingering() for _ in range(3)]
connection, nonce = connect()
if {when!r} == 'too-many':
    try:
        while True:
            kept.append(connect())
    except NotForked:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
""")
    os.kill(base.pid, signal.SIGSTOP)
    try:
        ann.python(f"""
if {when!r} == 'unread':
    wire.send(connection, request(nonce), [1, 1])
if {when!r} == 'too-many':
    connection.connect(str(SERVER))
socket.send_fds(connection, [b'nonsense'], numbers)
for number in numbers:
    os.close(number)
""")
    finally:
        os.kill(base.pid, signal.SIGCONT)
    began = time.monotonic()
    assert bob.python("result = attempt(request)") == "forked"
    assert time.monotonic() - began < SOON_S
    assert base.lives()


KINDS = {
    "silent": "",
    "malformed": "line.send(b'nonsense'); wire.receive(line)",
    "refused": "wire.send(line, request(nonce, cwd='/no'), [sandbox, no, no]); wire.receive(line)",
    "forked": (
        "wire.send(line, request(nonce), [sandbox, no, no]); "
        "[os.close(n) for n in wire.receive(line).descriptors]; wire.receive(line)"
    ),
    "left": "wire.send(line, request(nonce), [sandbox, no, no])",
}


@once_by_root
def test_nothing_is_left_of_any_conversation(base: Base, ann: Inhabited, bob: Inhabited) -> None:
    before = base.descriptors()
    code = f"""
import os
def request(nonce, **changes):
    known = {{'nonce': nonce, 'module': 'json', 'argv': [], 'env': {{}}, 'cwd': '/'}}
    return known | changes
sandbox = os.pidfd_open({ann.pid})
no = os.open('/dev/null', os.O_RDWR)
for act, times in {[(act, 20 if "sandbox" in act else 100) for act in KINDS.values()]!r}:
    for _ in range(times):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with line:
            line.connect({str(base.for_base)!r})
            nonce = wire.receive(line).message['nonce']
            exec(act)
result = None
"""
    base.python(code)
    flood = "for _ in range(200):\n    try:\n        connect()[0].close()\n    except NotForked:\n        pass"  # noqa: E501
    bob.python(flood)
    assert until(lambda: base.descriptors() == before), base.log.read_text()[-2000:]
    assert until(lambda: base.children() == [])
    assert Path(f"/proc/{base.pid}/status").read_text().count("Threads:\t1") == 1
