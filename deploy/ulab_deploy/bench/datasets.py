"""How fast a data set is loaded, and how much memory processes that have read all of it share."""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True)
class Figures:
    """What was measured for one data set, in bytes and milliseconds.

    Attributes
    ----------
    size
        What is read of it into memory: its arrays, or its columns.
    load_ms
        The median over the processes; the modules were imported and the file was read before.
    slowest_ms
        The slowest of them.
    rss
        What the processes seem to use more, all together: shared pages count in each.
    pss
        What they really use more: a page that n processes share counts 1/n in each.
    """

    dataset: str
    processes: int
    size: int
    load_ms: float
    slowest_ms: float
    rss: int
    pss: int


def measure(store: Path, name: str, processes: int) -> Figures:
    """Let so many processes load a data set and read all of it, and look while all have it."""
    os.environ["ULAB_DATASETS"] = str(store)
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401

    import ulab

    size = _read_all(ulab.load(name))
    started = [_start(name) for _ in range(processes)]
    before = [_memory(pid) for pid, _, _ in started]
    # One after the other: the machine's cores are not what is measured.
    loads = []
    for _, ask, answer in started:
        ask.write("load\n")
        loads.append(json.loads(answer.readline()))
    after = [_memory(pid) for pid, _, _ in started]
    for pid, ask, answer in started:
        # Said, not closed: those that were started later have this pipe's end too.
        ask.write("done\n")
        ask.close()
        answer.close()
        os.waitpid(pid, 0)
    return Figures(
        name,
        processes,
        size,
        statistics.median(loads),
        max(loads),
        sum(one[0] for one in after) - sum(one[0] for one in before),
        sum(one[1] for one in after) - sum(one[1] for one in before),
    )


def rows(found: Iterable[Figures]) -> list[tuple[str, ...]]:
    """The table, as `docs/datasets.md` shows it."""
    head = ("data set", "processes", "MB", "load ms", "slowest ms", "RSS MB", "PSS MB")
    return [
        head,
        *(
            (
                one.dataset,
                str(one.processes),
                f"{one.size / 1e6:.1f}",
                f"{one.load_ms:.1f}",
                f"{one.slowest_ms:.1f}",
                f"{one.rss / 1e6:,.0f}",
                f"{one.pss / 1e6:,.0f}",
            )
            for one in found
        ),
    ]


def plain(found: Iterable[Figures]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [asdict(one) for one in found]


def _start(name: str) -> tuple[int, IO[str], IO[str]]:
    """A process that loads when it is told to, says how long that took, and keeps what it has."""
    for_child, ask = os.pipe()
    answer, for_parent = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ask)
        os.close(answer)
        try:
            _serve(name, os.fdopen(for_child), os.fdopen(for_parent, "w", 1))
        finally:
            os._exit(0)
    os.close(for_child)
    os.close(for_parent)
    return pid, os.fdopen(ask, "w", 1), os.fdopen(answer)


def _serve(name: str, told: IO[str], say: IO[str]) -> None:
    import ulab

    told.readline()
    started = time.perf_counter()
    loaded = ulab.load(name)
    took = (time.perf_counter() - started) * 1000
    _read_all(loaded)
    say.write(f"{took}\n")
    # Keeps its memory until it has been looked at.
    told.readline()


def _read_all(loaded: Any) -> int:
    """Touch every page of what was loaded; gives its size in bytes."""
    from ulab.arrays import Images

    if isinstance(loaded, Path):
        return sum(len(file.read_bytes()) for file in loaded.iterdir())
    if isinstance(loaded, Images):
        arrays = [value for value in vars(loaded).values() if hasattr(value, "nbytes")]
    elif hasattr(loaded, "columns"):
        # Numbers alone are read; what pandas would make of texts is objects of Python's.
        arrays = [
            v.to_numpy() for _, v in loaded.items() if getattr(v.dtype, "kind", "O") in "biuf"
        ]
        return sum(_touch(array) for array in arrays)
    else:
        arrays = list(loaded.values())
    return sum(_touch(array) for array in arrays)


def _touch(array: Any) -> int:
    import numpy as np

    np.count_nonzero(array.view(np.uint8) if array.dtype.kind == "U" else array)
    return int(array.nbytes)


def _memory(pid: int) -> tuple[int, int]:
    """The RSS and the PSS of a process in bytes."""
    found = dict(re.findall(r"(\w+):\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text()))
    return int(found["Rss"]) * 1024, int(found["Pss"]) * 1024
