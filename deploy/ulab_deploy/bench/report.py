"""What a measurement came to: figures, ratios, and how many students the machine holds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ulab_deploy.bench.drive import Visit
from ulab_deploy.bench.memory import Memory
from ulab_deploy.console import sentence, t
from ulab_hub.configuration import START_S

# Of the memory that is free, for the disk cache and for what students do beyond a first cell.
RESERVE = 0.1
# The libraries' files are mapped by each student, and private to nobody as soon as two do.
ENOUGH_TO_SHARE = 2

Times = dict[str, float | None]


@dataclass(frozen=True)
class Side:
    """What one hub came to.

    Attributes
    ----------
    visits
        One for each student.
    memory
        When every first cell had run; None when it was not come to.
    available_mb
        Memory that was free before this side was started, in MiB.
    """

    visits: Sequence[Visit]
    memory: Memory | None
    available_mb: float

    @property
    def server_s(self) -> Times:
        return spread([v.server_s for v in self.visits if v.server_s is not None])

    @property
    def torch_cell_s(self) -> Times:
        return spread([v.torch_cell_s for v in self.visits if v.torch_cell_s is not None])

    @property
    def uss_mb(self) -> float | None:
        return self.memory.private_mean if self.memory else None

    def plain(self) -> dict[str, Any]:
        return {
            "server_s": self.server_s,
            "torch_cell_s": self.torch_cell_s,
            "uss_mb_per_student": None if self.uss_mb is None else round(self.uss_mb, 1),
        }


@dataclass(frozen=True)
class Capacity:
    """How many students fit into a machine's memory at once.

    Attributes
    ----------
    holds
        The most students.
    needed_mb
        What the students that were asked about need, the base included, in MiB.
    """

    holds: int
    needed_mb: float
    fits: bool


def spread(seconds: Sequence[float]) -> Times:
    """The middle and the longest of these times."""
    if not seconds:
        return {"p50": None, "max": None}
    return {"p50": round(statistics.median(seconds), 2), "max": round(max(seconds), 2)}


def ratio(stock: float | None, ours: float | None) -> float | None:
    """How many times less ours is."""
    return round(stock / ours, 2) if stock is not None and ours else None


def plain(students: int, stock: Side | None, ours: Side | None) -> dict[str, Any]:
    """The measurement as JSON; null for what was not measured."""
    one, other = (
        {
            "torch_cell_p50": side.torch_cell_s["p50"],
            "torch_cell_max": side.torch_cell_s["max"],
            "uss": side.uss_mb,
        }
        if side
        else dict.fromkeys(("torch_cell_p50", "torch_cell_max", "uss"))
        for side in (stock, ours)
    )
    return {
        "students": students,
        "stock": stock.plain() if stock else None,
        "ulab": ours.plain() if ours else None,
        "ratio": {name: ratio(one[name], other[name]) for name in one},
    }


def capacity(students: int, each_mb: float, shared_mb: float, available_mb: float) -> Capacity:
    """How many students fit, and whether `students` do.

    Parameters
    ----------
    each_mb, shared_mb
        Memory of one student and of the base, in MiB.
    available_mb
        Memory that was free before the base started, in MiB.
    """
    usable = available_mb * (1 - RESERVE) - shared_mb
    holds = max(0, int(usable // each_mb)) if each_mb > 0 else 0
    return Capacity(holds, shared_mb + students * each_mb, students <= holds)


def rows(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The measurement as a table."""
    yield "", t("stock JupyterHub"), "U Lab", t("ratio")
    for title, name, part in (
        (t("server answers, half of them"), "server_s", "p50"),
        (t("server answers, the last"), "server_s", "max"),
        (t("torch cell is done, half of them"), "torch_cell_s", "p50"),
        (t("torch cell is done, the last"), "torch_cell_s", "max"),
    ):
        one, other = (found[side] and found[side][name][part] for side in ("stock", "ulab"))
        yield title, shown(one, "s"), shown(other, "s"), shown(ratio(one, other), "×")
    one, other = (found[side] and found[side]["uss_mb_per_student"] for side in ("stock", "ulab"))
    yield (
        t("private memory of a student"),
        shown(one, "MB"),
        shown(other, "MB"),
        shown(found["ratio"]["uss"], "×"),
    )


def shown(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.0f} {unit}" if unit == "MB" else f"{value:.1f} {unit}"


def advice(students: int, ours: Side, cores: int) -> Iterator[str]:
    """What an operator learns of the machine's size, in sentences."""
    if ours.memory is None or not ours.uss_mb:
        return
    found = capacity(students, ours.uss_mb, ours.memory.shared, ours.available_mb)
    yield t(
        "This machine has {cores} cores and had {available} MB of memory free: room for {holds} "
        "students at once, at {each} MB each and {shared} MB for the base, with a tenth kept free.",
        cores=cores,
        available=round(ours.available_mb),
        holds=found.holds,
        each=round(ours.uss_mb),
        shared=round(ours.memory.shared),
    )
    if found.fits:
        yield t("{students} at once: that fits.", students=students)
    else:
        yield t(
            "{students} at once: that does not fit; with the base they need {needed} MB.",
            students=students,
            needed=round(found.needed_mb),
        )
    if len(ours.memory.private) < ENOUGH_TO_SHARE:
        yield t(
            "One student alone counts as private what several would share; measure with at least "
            "{enough}.",
            enough=ENOUGH_TO_SHARE,
        )
    slowest = ours.server_s["max"]
    if slowest is not None and slowest > START_S:
        yield t(
            "The slowest server took {slowest} s, but a base gives up on a server after {limit} s: "
            "so many must not start at once.",
            slowest=round(slowest),
            limit=START_S,
        )


def failures(sides: Mapping[str, Side]) -> Iterator[str]:
    """What went wrong, in sentences, each naming its side."""
    for name, side in sides.items():
        said = [sentence(visit.failure) for visit in side.visits if visit.failure is not None]
        if side.memory is not None and side.memory.unreadable:
            said.append(
                t(
                    "The memory of {count} processes can't be read, so too little is shown.",
                    count=side.memory.unreadable,
                )
            )
        yield from (f"{name}: {line}" for line in said)
