"""`ulab bench start`: students start at once, on a stock JupyterHub and on a base of our own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psutil

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import adopt_orphans, descendants, end_all
from ulab_core.settings import Settings
from ulab_deploy.bench import base, stock
from ulab_deploy.bench.drive import Crowd
from ulab_deploy.bench.hub_process import (
    REST_S,
    Hub,
    end,
    wait_until_serving,
    without_own_variables,
)
from ulab_deploy.bench.memory import MEBIBYTE, look, weigh
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.report import Side

FEWEST, MOST = 1, 500
STOCK, ULAB = "stock", "ulab"
SIDES = (STOCK, ULAB)
# What the stock hub, its proxy and the rest of the machine need beside the students.
SPARE_MB = 512
LOW_MEMORY_MB = 256
WATCH_S = 0.5
SETTLE_S = 2.0
# Whoever comes second would find the libraries in the disk cache, and seem faster for it.
LIBRARIES = "import torch, torchvision, mlflow, jupyterhub.singleuser, jupyterlab, nbgrader"


class BadRequest(UserError):
    """What was asked for can't be measured here."""


class MemoryRanOut(UserError):
    """The machine came so near to its last memory that the measurement was given up."""

    exit_code = 1


def require_sensible(students: int, only: str | None, available_mb: float) -> None:
    """Refuse what can't be measured, before anything is started.

    Raises
    ------
    BadRequest
    """
    if not FEWEST <= students <= MOST:
        raise BadRequest(
            mark("{students} students can't be measured: give a number from {fewest} to {most}."),
            students=students,
            fewest=FEWEST,
            most=MOST,
        )
    if only is not None and only not in SIDES:
        raise BadRequest(
            mark("There is no side {side} to measure; write stock or ulab."), side=only
        )
    needed = students * stock.MEMORY_MB_PER_STUDENT + SPARE_MB
    if only != ULAB and needed > available_mb:
        raise BadRequest(
            mark(
                "{students} at once on a stock JupyterHub need about {needed} MB of memory, and "
                "{available} MB are free. Measure U Lab alone with --only ulab, or fewer students."
            ),
            students=students,
            needed=needed,
            available=round(available_mb),
        )


def available_mb() -> float:
    """Memory that programs could still get, in MiB."""
    return float(psutil.virtual_memory().available / MEBIBYTE)


def measure(
    settings: Settings, students: int, only: str | None, progress: Progress
) -> dict[str, Side]:
    """Measure the sides that are wanted, one after the other.

    Raises
    ------
    BadRequest, HubDidNotStart, MemoryRanOut
    """
    require_sensible(students, only, available_mb())
    names = [f"student{number:03}" for number in range(1, students + 1)]
    adopt_orphans()
    with told_to_stop_is_ctrl_c(), nothing_left():
        progress.stage(mark("Reading the libraries once, so that the disk is no part of it…"))
        with scratch() as folder:
            _read_libraries(folder)
        sides = {}
        for side in SIDES if only is None else (only,):
            run = _on_stock if side == STOCK else _on_base
            with scratch() as folder:
                sides[side] = run(settings, folder, names, progress)
    return sides


def _read_libraries(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", LIBRARIES],
        cwd=folder,
        env=without_own_variables(os.environ) | {"TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _on_stock(settings: Settings, folder: Path, names: list[str], progress: Progress) -> Side:
    free = available_mb()
    progress.stage(mark("Starting a stock JupyterHub…"))
    return _measured(
        lambda: stock.start(folder),
        lambda hub: wait_until_serving(hub, lambda: stock.serves(hub)),
        names,
        progress,
        free,
    )


def _on_base(settings: Settings, folder: Path, names: list[str], progress: Progress) -> Side:
    free = available_mb()
    progress.stage(mark("Starting a temporary base…"))
    made = base.prepare(settings, folder)

    def wait(hub: Hub) -> None:
        wait_until_serving(hub, lambda: base.serves(made))
        base.wait_until_warm(made.layout)

    try:
        return _measured(lambda: base.start(made, folder), wait, names, progress, free)
    finally:
        base.remove_sockets(made.layout)


def _measured(
    start: Callable[[], Hub],
    wait: Callable[[Hub], None],
    names: list[str],
    progress: Progress,
    free: float,
) -> Side:
    hub = start()
    try:
        wait(hub)
        with progress.students(len(names)) as watch:
            return asyncio.run(_drive(Crowd(hub, names, watch), free))
    finally:
        progress.stage(mark("Ending it…"))
        with undisturbed():
            end(hub, len(names))


async def _drive(crowd: Crowd, free: float) -> Side:
    visiting = asyncio.create_task(crowd.visit())
    guard = asyncio.create_task(_until_memory_is_low())
    try:
        await asyncio.wait({visiting, guard}, return_when=asyncio.FIRST_COMPLETED)
        if not visiting.done():
            raise MemoryRanOut(
                mark(
                    "The machine's memory was nearly used up, so the measurement was ended. "
                    "Fewer students may fit."
                )
            )
        visits = visiting.result()
    finally:
        for task in (guard, visiting):
            task.cancel()
        await asyncio.gather(guard, visiting, return_exceptions=True)
    await asyncio.sleep(SETTLE_S)
    arrived = {visit.student for visit in visits if visit.failure is None}
    if not arrived:
        return Side(visits, None, free)
    roots = await crowd.roots()
    processes = look(descendants(os.getpid()))
    return Side(visits, weigh(processes, roots, crowd.hub.process.pid, arrived), free)


async def _until_memory_is_low() -> None:
    while available_mb() > LOW_MEMORY_MB:
        await asyncio.sleep(WATCH_S)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder closed to others that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ulab-bench-"))
    try:
        yield folder
    finally:
        with undisturbed():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def told_to_stop_is_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the measurement as Ctrl-C does, with everything tidied up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def nothing_left() -> Iterator[None]:
    """End whatever still runs below this process afterwards, also what was only half started."""
    try:
        yield
    finally:
        with undisturbed():
            end_all(REST_S)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Tidy up to the end, whoever grows impatient; it takes bounded time."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
