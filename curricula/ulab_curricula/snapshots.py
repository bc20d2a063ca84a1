"""Run mutants from snapshots: forks of the running notebook that wait before a mutated cell.

The quick tests come first. A mutant they let pass meets the tests that need a training, while
there is time.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ulab_core.process import die_with_parent

# A test is quick when what it needs takes the reference this long.
QUICK_S = 1.0
# What runs with slow tests may take altogether, a lab; and how many each cell gets at least that
# has no quick test.
SLOW_S = 40.0
FEWEST_DRAWN = 5
MEMORY = 4 << 30
_END = "\n"

RunCell = Callable[[int, str], bool]
"""Runs a cell, by its place, with some source; says whether it lost points."""


class Order(NamedTuple):
    """A mutant to run: from which snapshot, with which source, through which cells."""

    place: int
    key: str
    source: str
    run: Sequence[int]
    limit_s: float


class Plan(NamedTuple):
    """Which cells the quick tests of a mutated cell need, and which all its tests do."""

    quick: list[int]
    whole: list[int]
    has_slow: bool


def plan(place: int, needs: Mapping[str, Sequence[int]], seconds: Sequence[float]) -> Plan:
    """Divide a mutated cell's tests by what they cost the reference; a pure decision."""
    quick: set[int] = set()
    whole: set[int] = {place}
    slow = False
    for cells in needs.values():
        whole.update(cells)
        if sum(seconds[cell] for cell in cells) <= QUICK_S:
            quick.update(cells)
        else:
            slow = True
    return Plan(sorted(quick), sorted(whole), slow)


class Snapshots:
    """The snapshots of one notebook."""

    def __init__(self, run_cell: RunCell, jobs: int) -> None:
        self._run_cell = run_cell
        self._jobs = jobs
        self._pipes: dict[int, int] = {}
        self._pids: list[int] = []
        self._told, self._tell = os.pipe()

    def take(self, place: int) -> None:
        """Keep the state before a cell."""
        gc.freeze()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent()
                os.close(write)
                with os.fdopen(read) as orders:
                    for line in iter(orders.readline, _END):
                        self._supervise(Order(*json.loads(line)))
                        bury(os.WNOHANG)
                bury()
            finally:
                os._exit(0)
        os.close(read)
        self._pipes[place] = write
        self._pids.append(pid)

    def _supervise(self, order: Order) -> None:
        """In the snapshot: fork who runs the mutant and who says how that ended."""
        if os.fork():
            return
        try:
            die_with_parent()
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                self._run(order, write)
            os.close(write)
            os.waitpid(pid, 0)
            os.set_blocking(read, False)
            try:
                said = os.read(read, 4096).decode()
            except BlockingIOError:  # a process that it left behind holds the pipe
                said = ""
            # Nothing said: it was killed, for its time, its memory, or a crash.
            line = said or json.dumps([order.key, True, ""])
            os.write(self._tell, f"{line}\n".encode())
        finally:
            os._exit(0)

    def _run(self, order: Order, write: int) -> None:
        try:
            die_with_parent()
            limit(order.limit_s)
            lost = next(
                (
                    cell
                    for cell in order.run
                    if self._run_cell(cell, order.source if cell == order.place else "")
                ),
                None,
            )
            said = json.dumps([order.key, lost is not None, "" if lost is None else lost])
            os.write(write, said.encode())
        finally:
            os._exit(0)

    def results(self, orders: Iterable[Order]) -> Iterator[tuple[str, bool, int | str]]:
        """Run mutants, a few at once; of each its key, whether it was caught, by which test."""
        in_hand = 0
        with os.fdopen(os.dup(self._told)) as told:
            for order in orders:
                if in_hand >= self._jobs:
                    yield json.loads(told.readline())
                    in_hand -= 1
                os.write(self._pipes[order.place], f"{json.dumps(order)}\n".encode())
                in_hand += 1
            for _ in range(in_hand):
                yield json.loads(told.readline())

    def end(self) -> None:
        for write in self._pipes.values():
            os.write(write, _END.encode())
        for pid in self._pids:
            os.waitpid(pid, 0)


def bury(options: int = 0) -> None:
    """Wait for the children that have ended, or for all."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def limit(seconds: float) -> None:
    """End this process when it takes longer, or much more memory than it has now."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    # For what sleeps; a busy machine must not look like that.
    signal.setitimer(signal.ITIMER_REAL, 20 * seconds + 20)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most, allowed = used + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]
    if allowed != resource.RLIM_INFINITY:  # a sandbox's, which can't be raised
        most = min(most, allowed)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def run_mutants(
    snapshots: Snapshots,
    job: Mapping[str, Any],
    names: Sequence[str],
    seconds: Sequence[float],
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, dict[str, str]]:
    """What became of each mutant that was run, by its key.

    Parameters
    ----------
    job
        As `ulab_curricula.mutants.mutant_job` makes it.
    names, seconds
        Of each cell, in the reference.
    """
    plans = {int(place): plan(int(place), cell["needs"], seconds) for place, cell in job.items()}
    sources = {
        key: (int(place), source)
        for place, cell in job.items()
        for key, source in cell["mutants"].items()
    }
    fates: dict[str, dict[str, str]] = {}

    def run(keys: Sequence[str], quick: bool) -> None:
        orders = []
        for key in keys:
            place, source = sources[key]
            cells = plans[place].quick if quick else plans[place].whole
            cost = sum(seconds[cell] for cell in cells)
            orders.append(Order(place, key, source, cells, 3 * cost + 2))
        for key, caught, by in snapshots.results(orders):
            name = names[by] if isinstance(by, int) else ""
            fates[key] = {"fate": "caught" if caught else "survived", "by": name}
            tell(len(fates), len(sources))

    run([key for key, (place, _) in sources.items() if plans[place].quick], quick=True)
    undecided = [
        key
        for key, (place, _) in sources.items()
        if plans[place].has_slow and fates.get(key, {}).get("fate") != "caught"
    ]
    costs = {key: sum(seconds[cell] for cell in plans[sources[key][0]].whole) for key in undecided}
    drawn = draw({key: sources[key][0] for key in undecided}, costs, set(fates))
    for key in set(fates) & set(undecided) - set(drawn):
        fates[key] = {"fate": "undecided", "by": ""}
    run(drawn, quick=False)
    # A mutant that no test can meet survives.
    for key, (place, _) in sources.items():
        if not job[str(place)]["needs"]:
            fates[key] = {"fate": "survived", "by": ""}
    return fates


def draw(places: Mapping[str, int], costs: Mapping[str, float], passed: set[str]) -> list[str]:
    """The mutants that there is time for, in an order that is random and always the same.

    Parameters
    ----------
    places
        By key, which are the hash of a mutant: its cell.
    costs
        By key: what it will take, in seconds.
    passed
        Which passed the quick tests; they come first. Of the others a few run in any case.
    """
    chosen: list[str] = []
    left = SLOW_S
    count: dict[int, int] = {}
    for key in sorted(places, key=lambda key: (key not in passed, key)):
        place = places[key]
        must = key not in passed and count.get(place, 0) < FEWEST_DRAWN
        if must or costs[key] <= left:
            chosen.append(key)
            left -= costs[key]
            count[place] = count.get(place, 0) + 1
    return chosen
