"""A bench and student processes as plain processes, for tests of the judge."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ulab_runtime.judge.frames import CONTROL_LIMIT, receive, send, send_with_descriptors

PATIENCE_S = 120.0


def _pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    return ours, theirs


def _start(module: str, given: Sequence[socket.socket]) -> subprocess.Popen[bytes]:
    """Run a module with the numbers of these as its arguments."""
    numbers = [each.fileno() for each in given]
    command = [sys.executable, "-m", module, *map(str, numbers)]
    return subprocess.Popen(
        command, pass_fds=numbers, stdin=subprocess.DEVNULL, env={**os.environ, "ULAB_GRADING": "1"}
    )


class Sitting:
    """One submission: its student process and its judge."""

    def __init__(self, student: socket.socket, judge: socket.socket) -> None:
        self.student = student
        self.judge = judge

    def cell(self, source: str, seed: int = 1) -> dict[str, Any]:
        asked = {"cell": "c", "source": source, "seed": seed, "language": "en"}
        send(self.student, asked, CONTROL_LIMIT)
        return receive(self.student, CONTROL_LIMIT)

    def test(self, question: str, seed: int = 1) -> dict[str, Any]:
        send(self.judge, {"test": question, "seed": seed}, CONTROL_LIMIT)
        return receive(self.judge, CONTROL_LIMIT)


class RealBench:
    """A bench process."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self._numbers = itertools.count(1)

    def load(self, steps: list[dict[str, Any]]) -> dict[str, Any]:
        send(self.control, {"load": {"steps": steps, "language": "en"}}, CONTROL_LIMIT)
        return receive(self.control, CONTROL_LIMIT)

    def sit(self, link: socket.socket) -> socket.socket:
        ours, theirs = _pair()
        with theirs:
            given = [theirs.fileno(), link.fileno()]
            send_with_descriptors(self.control, {"sit": next(self._numbers)}, given)
        return ours

    @contextmanager
    def sitting(self) -> Iterator[Sitting]:
        """A student process and its judge."""
        ours, theirs = _pair()
        one_end, other_end = socket.socketpair()
        with theirs, one_end, other_end:
            process = _start("ulab_runtime.judge.student", [theirs, one_end])
            judge = self.sit(other_end)
        try:
            with ours, judge:
                yield Sitting(ours, judge)
        finally:
            process.kill()
            process.wait()


@contextmanager
def running_bench() -> Iterator[RealBench]:
    ours, theirs = _pair()
    with theirs:
        process = _start("ulab_runtime.judge.bench", [theirs])
    try:
        with ours:
            yield RealBench(ours)
    finally:
        process.kill()
        process.wait()


def step(
    question: str,
    source: str,
    asks: Sequence[str] = (),
    given: Sequence[str] = (),
    defines: Sequence[str] = (),
) -> dict[str, Any]:
    return {
        "id": question,
        "source": source,
        "given": list(given),
        "asks": list(asks),
        "defines": list(defines),
    }
