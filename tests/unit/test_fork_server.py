"""The decisions of fork servers that need no process: orders, readings, admissions, messages."""

from __future__ import annotations

import json
import os
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.admission import BURST, MOST_CONNECTIONS, Admission
from ulab_runtime.forkserver.enter import check, order
from ulab_runtime.forkserver.request import ForkRequest
from ulab_runtime.forkserver.target import NoSuchTarget, Status, parse_limits, parse_status, pid_of
from ulab_runtime.forkserver.wire import MAX_BYTES, MAX_DESCRIPTORS, Malformed
from ulab_runtime.own_packages import runs_pip

# --- Into a sandbox ------------------------------------------------------------------------------

OURS = dict.fromkeys(("mnt", "pid", "ipc", "uts", "cgroup", "net", "user"), 1)
THEIRS = {"mnt": 2, "pid": 2, "ipc": 2, "uts": 2, "cgroup": 2, "net": 2, "user": 2}
OTHERS = ["mnt", "pid", "ipc", "uts", "cgroup", "net"]


@pytest.mark.parametrize(
    ("theirs", "owner", "expected"),
    [
        (THEIRS, 3, ["owner", *OTHERS, "user"]),
        (THEIRS, 2, ["user", *OTHERS]),
        (THEIRS | {"net": 1}, 3, ["owner", *OTHERS[:-1], "user"]),
        (THEIRS | {"user": 1}, 1, OTHERS),
        (THEIRS | {"user": 1, "ipc": 1, "cgroup": 1}, 1, ["mnt", "pid", "uts", "net"]),
    ],
    ids=["two user namespaces", "one", "the host's network", "none", "few"],
)
def test_namespaces_are_entered_in_the_only_order_that_works(
    theirs: dict[str, int], owner: int, expected: list[str]
) -> None:
    assert order(theirs, OURS, owner) == expected


@pytest.mark.parametrize("shared", ["mnt", "pid"])
def test_without_these_of_its_own_it_is_no_sandbox(shared: str) -> None:
    with pytest.raises(NoSuchTarget, match="no sandbox"):
        order(THEIRS | {shared: 1}, OURS, 3)


@pytest.mark.parametrize(
    ("uid", "gid", "euid", "served"),
    [
        (1000, 1000, 0, True),
        (1000, 1000, 1000, True),
        (0, 1000, 0, False),
        (1000, 0, 0, False),
        (0, 0, 0, False),
        (1001, 1000, 1000, False),
        (0, 0, 1000, False),
    ],
)
def test_root_serves_all_but_root_and_users_serve_themselves(
    uid: int, gid: int, euid: int, served: bool
) -> None:
    status = Status(uid, gid, 0o022)
    if served:
        check(status, euid)
    else:
        with pytest.raises(NoSuchTarget):
            check(status, euid)


# --- What /proc says -----------------------------------------------------------------------------

STATUS = "Name:\tUid: 0\nUmask:\t0027\nUid:\t{}\nGid:\t{}\nGroups:\t5 9 \n"


@pytest.mark.parametrize(
    ("groups", "euid", "served"),
    [((), 0, True), ((630_001,), 0, True), ((630_001, 0), 0, False), ((0,), 1000, True)],
)
def test_root_gives_nobody_its_own_group(groups: tuple[int, ...], euid: int, served: bool) -> None:
    status = Status(1000, 1000, 0o022, groups)
    if served:
        check(status, euid)
    else:
        with pytest.raises(NoSuchTarget, match="group"):
            check(status, euid)


@pytest.mark.parametrize(
    ("uids", "gids", "expected"),
    [
        ("7\t7\t7\t7", "8\t8\t8\t8", Status(7, 8, 0o027, (5, 9))),
        ("7\t0\t7\t7", "8\t8\t8\t8", None),
        ("7\t7\t7\t0", "8\t8\t8\t8", None),
        ("7\t7\t7\t7", "8\t8\t0\t8", None),
    ],
)
def test_a_process_in_the_middle_of_becoming_someone_is_nobody(
    uids: str, gids: str, expected: Status | None
) -> None:
    text = STATUS.format(uids, gids)
    if expected:
        assert parse_status(text) == expected
    else:
        with pytest.raises(NoSuchTarget, match="several"):
            parse_status(text)


def test_the_limits_of_this_very_process_are_read_as_they_are() -> None:
    with open("/proc/self/limits") as file:  # noqa: PTH123
        found = parse_limits(file.read())
    assert len(found) == 15
    assert found == {number: resource.getrlimit(number) for number in found}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Max open files            1024                 524288               files     ",
            {resource.RLIMIT_NOFILE: (1024, 524288)},
        ),
        (
            "Max cpu time              unlimited            unlimited            seconds   ",
            {resource.RLIMIT_CPU: (resource.RLIM_INFINITY, resource.RLIM_INFINITY)},
        ),
        (
            "Max nice priority         0                    0         ",
            {resource.RLIMIT_NICE: (0, 0)},
        ),
        ("Max of something new      0                    0                    bytes     ", {}),
        ("Limit                     Soft Limit           Hard Limit           Units     ", {}),
        ("", {}),
    ],
)
def test_limits_are_read_line_by_line(line: str, expected: dict[int, tuple[int, int]]) -> None:
    assert parse_limits(line) == expected


def test_only_pidfds_of_living_processes_name_one() -> None:
    own = os.pidfd_open(os.getpid())
    other = os.open("/dev/null", os.O_RDONLY)
    try:
        assert pid_of(own) == os.getpid()
        with pytest.raises(NoSuchTarget):
            pid_of(other)
    finally:
        wire.close([own, other])
    with pytest.raises(NoSuchTarget):
        pid_of(own)


# --- How often -----------------------------------------------------------------------------------


def test_a_burst_is_served_and_then_one_a_second() -> None:
    admission = Admission()
    assert [admission.admit(1, 0.0) for _ in range(BURST + 2)] == [True] * BURST + [False] * 2
    assert not admission.admit(1, 0.5)
    assert admission.admit(1, 1.0)
    assert not admission.admit(1, 1.0)
    assert sum(admission.admit(1, 1000.0) for _ in range(BURST + 2)) == BURST


def test_one_sandboxs_flood_is_nothing_to_another() -> None:
    admission = Admission()
    for _ in range(1000):
        admission.admit(1, 0.0)
    assert admission.admit(2, 0.0)


def test_who_keeps_connections_open_gets_no_more_of_them() -> None:
    admission = Admission()
    admitted = sum(admission.admit(1, now * 10.0) for now in range(100))
    assert admitted == MOST_CONNECTIONS
    admission.leave(1)
    assert [admission.admit(1, 2000.0) for _ in range(2)] == [True, False]


def test_sandboxes_are_forgotten_but_not_those_that_still_count() -> None:
    admission = Admission()
    for sandbox in range(5000):
        admission.admit(sandbox, 0.0)
        if sandbox:
            admission.leave(sandbox)
    admission.admit(9999, 100.0)
    assert admission.requesters.keys() == {0, 9999}


# --- What is asked -------------------------------------------------------------------------------

REQUEST: dict[str, Any] = {
    "nonce": "n", "module": "a.b_c", "argv": ["-f", ""], "env": {"A": "=", "B": "\n"}, "cwd": "/",
}  # fmt: skip


def test_a_request_is_taken_as_it_is() -> None:
    assert ForkRequest.of(REQUEST).model_dump() == REQUEST


@pytest.mark.parametrize(
    "change",
    [
        {"uid": 0}, {"nonce": None}, {"nonce": 1},
        {"module": ""}, {"module": "a/b"}, {"module": ".a"}, {"module": "a."}, {"module": "a b"},
        {"module": "1a"}, {"module": "a\n"}, {"module": "-m"}, {"module": ["a"]},
        {"argv": "a"}, {"argv": [1]}, {"argv": ["\0"]}, {"argv": [""] * 257}, {"argv": None},
        {"env": []}, {"env": {"A": 1}}, {"env": {"A": "\0"}}, {"env": {"": ""}},
        {"env": {"A=B": ""}}, {"env": {"A\0": ""}}, {"env": {str(n): "" for n in range(1025)}},
        {"cwd": ""}, {"cwd": "a"}, {"cwd": "./a"}, {"cwd": "/a\0"}, {"cwd": "\0/"}, {"cwd": None},
    ],
    ids=repr,
)  # fmt: skip
def test_nothing_else_is_a_request(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        ForkRequest.of(REQUEST | change)


@pytest.mark.parametrize("name", REQUEST)
def test_nothing_may_be_missing(name: str) -> None:
    with pytest.raises(Malformed):
        ForkRequest.of({known: value for known, value in REQUEST.items() if known != name})


def test_what_is_written_down_of_a_refusal_holds_nothing_that_was_sent() -> None:
    with pytest.raises(Malformed) as refused:
        ForkRequest.of(REQUEST | {"env": {"TOKEN": "s3cret\0"}, "s3cret": 1, "cwd": "s3cret"})
    assert str(refused.value) == "the request has something wrong: cwd, env"


# --- How it is sent ------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with ours, theirs:
        yield ours, theirs


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.parametrize("count", [0, 1, MAX_DESCRIPTORS])
def test_a_packet_arrives_with_its_descriptors_and_sender(
    pair: tuple[socket.socket, socket.socket], count: int
) -> None:
    ours, theirs = pair
    wire.send(ours, {"a": ["é", 1]}, [0] * count)
    packet = wire.receive(theirs)
    assert packet.message == {"a": ["é", 1]}
    assert packet.sender == (os.getpid(), os.getuid(), os.getgid())
    assert len(packet.descriptors) == count
    assert not any(os.get_inheritable(number) for number in packet.descriptors)
    wire.close(packet.descriptors)


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"x", 2),
        (b"\xff", 2),
        (b"\0", 2),
        (b"[]", 2),
        (b'"a"', 2),
        (b"1", 0),
        (b"null", 1),
        (b"[" * 100_000, 2),
        (b'{"a":' * 20_000, 2),
        (b'{"a": ' + b"9" * 100_000 + b"}", 2),
        (b" " * (MAX_BYTES + 1), 2),
        (json.dumps({"a": " " * MAX_BYTES}).encode(), 2),
        (b"{}", MAX_DESCRIPTORS + 1),
        (b"{}", 200),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_what_is_malformed_leaves_no_descriptor(
    pair: tuple[socket.socket, socket.socket], content: bytes, count: int
) -> None:
    ours, theirs = pair
    before = open_descriptors()
    socket.send_fds(ours, [content], [0] * count)
    with pytest.raises(Malformed):
        wire.receive(theirs)
    assert open_descriptors() == before


def test_the_end_is_an_empty_message(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    ours.close()
    assert wire.receive(theirs).message == {}


# --- Packages of one's own -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["python", "-m", "pip", "install", "x"], True),
        (["python", "-I", "-m", "pip"], True),
        (["python", "/usr/bin/pip3", "install"], True),
        (["python", "-u", "pip"], True),
        (["python"], False),
        (["python", "-m"], False),
        (["python", "-m", "pipx"], False),
        (["python", "-m", "notebook", "pip"], False),
        (["python", "script.py", "-m", "pip"], False),
        (["python", "-c", "import pip"], False),
    ],
)
def test_pip_is_known_by_its_command_line(command: list[str], expected: bool) -> None:
    assert runs_pip(command) == expected
