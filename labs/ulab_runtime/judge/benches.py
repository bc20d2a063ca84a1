"""The benches where judges sit: one for each version of a lab's tests, kept between submissions."""

from __future__ import annotations

import itertools
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_runtime.judge import frames
from ulab_runtime.judge.seat import Seat

MODULE = "ulab_runtime.judge.bench"
LOAD_S = 120.0
SIT_S = 20.0


class BrokenTests(UserError):
    """The lab's own code fails, so nobody can be judged by it."""


@dataclass
class Sitting:
    """A judge of one submission.

    Parameters
    ----------
    control
        Where it is asked, and answers with verdicts.
    link
        The other end of its line to the student's process, to be passed on.
    """

    control: socket.socket
    link: socket.socket
    rise: Callable[[], None]


class Bench:
    """A process that has a lab's tests and forks judges.

    Parameters
    ----------
    seat
        Where it sits.
    control
        Our end of its line.
    """

    def __init__(self, seat: Seat, control: socket.socket) -> None:
        self._seat = seat
        self._control = control
        self._numbers = itertools.count(1)
        self._talking = threading.Lock()

    def load(self, steps: Sequence[dict[str, Any]], language: str) -> None:
        """Give it the tests, and have it run what the lab gives them.

        Raises
        ------
        BrokenTests
            It can't.
        """
        answer = self._ask({"load": {"steps": list(steps), "language": language}}, LOAD_S)
        if "ready" not in answer:
            raise BrokenTests(
                mark("The lab's own code fails before its tests can run: {reason}"),
                reason=answer.get("broken", self._seat.said().strip()),
            )

    def sit(self) -> Sitting:
        """Have a judge sit down.

        Raises
        ------
        BrokenTests
            The bench has ended.
        """
        number = next(self._numbers)
        control, theirs = socket.socketpair()
        link, judges = socket.socketpair()
        with theirs, judges, self._talking:
            self._control.settimeout(SIT_S)
            try:
                frames.send_with_descriptors(
                    self._control, {"sit": number}, [theirs.fileno(), judges.fileno()]
                )
            except (OSError, frames.Ended):
                raise BrokenTests(
                    mark("The lab's judge has ended: {reason}"), reason=self._seat.said().strip()
                ) from None
        return Sitting(control, link, lambda: self._rise(number))

    def _rise(self, number: int) -> None:
        with self._talking:
            try:
                frames.send(self._control, {"rise": number})
            except (OSError, frames.Ended):
                return

    def _ask(self, message: dict[str, Any], within_s: float) -> dict[str, Any]:
        with self._talking:
            self._control.settimeout(within_s)
            try:
                frames.send(self._control, message)
                return frames.receive(self._control, frames.CONTROL_LIMIT)
            except (OSError, frames.Ended, frames.Broken):
                return {}

    def alive(self) -> bool:
        return self._seat.alive()

    def end(self) -> None:
        self._control.close()
        self._seat.end()


class Benches:
    """The benches in use, the least recently used of which are given up.

    Parameters
    ----------
    most
        How many stay.
    """

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._kept: OrderedDict[str, Bench] = OrderedDict()
        self._busy: dict[int, int] = {}
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def borrow(self, key: str, make: Callable[[], Bench]) -> Bench:
        """The bench of that key, made when it isn't there; to be given back."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                bench = self._kept.get(key)
                if bench is not None and not bench.alive():
                    self._drop(key)
                    bench = None
            if bench is None:
                bench = make()
            with self._lock:
                self._kept[key] = bench
                self._kept.move_to_end(key)
                self._busy[id(bench)] = self._busy.get(id(bench), 0) + 1
                self._shrink()
                return bench

    def give_back(self, bench: Bench) -> None:
        with self._lock:
            self._busy[id(bench)] -= 1
            if not self._busy[id(bench)]:
                del self._busy[id(bench)]
            self._shrink()

    def end(self) -> None:
        """End all of them; none may be borrowed any more."""
        with self._lock:
            for key in list(self._kept):
                self._drop(key)

    def _shrink(self) -> None:
        idle = [key for key, bench in self._kept.items() if id(bench) not in self._busy]
        for key in idle[: max(0, len(self._kept) - self._most)]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        self._kept.pop(key).end()
