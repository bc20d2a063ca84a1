"""What runs in the sandboxes of these tests: an agent that does as it is told, and its children.

It is copied into homes, since sandboxes don't see tests.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from ulab_runtime.forkserver import wire
from ulab_runtime.forkserver.client import FORK_SERVERS, NotForked, fork

SERVER = Path(FORK_SERVERS, "kernel.sock")


def main() -> None:
    """Serve as the agent; with code as an argument, run it and write down its `result`."""
    if len(sys.argv) > 1:
        space = dict(globals())
        exec(sys.argv[1], space)
        print(json.dumps(space.get("result")), flush=True)
        return
    space = dict(globals())
    with socket.socket(fileno=os.dup(0)) as line, line.makefile("rw") as file:
        for order in file:
            space["result"] = None
            try:
                exec(json.loads(order), space)
                answer = {"result": space["result"]}
            except Exception as error:
                answer = {"error": repr(error)}
            file.write(json.dumps(answer) + "\n")
            file.flush()


def start(code, env=None, module="inside", **more):
    """A forked child that runs `code`, and where its output can be read."""
    inlet, outlet = os.pipe()
    try:
        child = fork(
            SERVER,
            module=module,
            argv=[code],
            env=os.environ | (env or {}),
            cwd=more.pop("cwd", str(Path.cwd())),
            descriptors=more.pop("descriptors", [outlet, outlet]),
            **more,
        )
    finally:
        os.close(outlet)
    return child, os.fdopen(inlet)


def forked(code, **more):
    """What `code` leaves in `result`, in a forked child."""
    child, output = start(code, **more)
    text = output.read()
    status = child.wait(20)
    assert status == 0, (status, text)
    return json.loads(text.splitlines()[-1])


def cold(code):
    """The same in a process that was started afresh."""
    done = subprocess.run([sys.executable, "-m", "inside", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def connect():
    """A connection of this process's to the fork server, and its nonce."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(str(SERVER))
    connection.settimeout(20)
    greeting = wire.receive(connection).message
    if "refused" in greeting:
        raise NotForked(greeting["refused"])
    return connection, greeting["nonce"]


def request(nonce, code="result = 1", **changes):
    """A request that would be granted, but for the changes."""
    known = {"nonce": nonce, "module": "inside", "argv": [code], "env": dict(os.environ)}
    return known | {"cwd": "/"} | changes


def answer(connection):
    """What the fork server says: a reason for refusal, or ``forked``."""
    connection.settimeout(20)
    try:
        said = wire.receive(connection).message
    except OSError as error:
        return type(error).__name__
    return said.get("refused", "forked" if "pid" in said else "nothing")


def attempt(content, descriptors=(1, 1), more=()):
    """What comes of sending these bytes, made of the nonce by a function where they are one."""
    connection, nonce = connect()
    with connection:
        made = content(nonce) if callable(content) else content
        raw = made if isinstance(made, bytes) else json.dumps(made).encode()
        socket.send_fds(connection, [raw], list(descriptors))
        for packet in more:
            connection.send(packet)
        return answer(connection)


def scan(backwards):
    """How often something lies in this process's memory, told backwards so as not to be found."""
    found, begins = 0, backwards[:-7:-1]
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights = line.split()[:2]
        first, last = (int(number, 16) for number in place.split("-"))
        if "r" not in rights or "[v" in line:
            continue
        with Path("/proc/self/mem").open("rb", buffering=0) as memory:
            memory.seek(first)
            try:
                content = memory.read(last - first)
            except OSError:
                continue
        at = content.find(begins)
        while at >= 0:
            found += content[at : at + len(backwards)] == backwards[::-1]
            at = content.find(begins, at + 1)
    return found


if __name__ == "__main__":
    main()
