"""Turns noted lines into requests that MLflow takes: decisions alone."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# MLflow takes 1,000 metrics, 100 parameters, 100 tags and 1 MB a request.
MOST = {"metrics": 1000, "params": 100, "tags": 100}
BYTES = 900_000
# What a metric takes beside its name: the longest number, time and step, and the JSON around them.
_AROUND = 120


@dataclass
class Batch:
    """Numbers, parameters and tags of one `log-batch`.

    Attributes
    ----------
    end
        Where the last line ends that is sent wholly with this.
    entries
        Which list of the request each belongs to, and the entry itself.
    size
        The request's length in bytes, at most.
    """

    end: int = 0
    entries: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    size: int = 0

    def body(self) -> dict[str, list[dict[str, Any]]]:
        lists: dict[str, list[dict[str, Any]]] = {}
        for name, entry in self.entries:
            lists.setdefault(name, []).append(entry)
        return lists

    def halves(self) -> tuple[Batch, Batch]:
        """Two of half the size, for finding the entry that is refused."""
        middle = len(self.entries) // 2
        return Batch(self.end, self.entries[:middle]), Batch(self.end, self.entries[middle:])


class Input(NamedTuple):
    """A data set the run used, as MLflow's `log-inputs` takes it."""

    end: int
    dataset: dict[str, Any]


class Upload(NamedTuple):
    """A file to keep with the run: its path below the run's folder, and its name in MLflow."""

    end: int
    file: str
    name: str


class End(NamedTuple):
    end: int
    status: str
    at: int


Request = Batch | Input | Upload | End


def lines(data: bytes, start: int = 0) -> Iterator[tuple[int, list[Any]]]:
    """The whole lines of `data`, each with the place where it ends, counted from `start`.

    What is no line of ours is passed over: a full disk can leave a torn one.
    """
    where = start
    for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
        where += len(line)
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, list) and found:
            yield where, found


def requests(noted: Iterable[tuple[int, list[Any]]], start: int = 0) -> Iterator[Request]:
    """The requests that send these lines, in their order, each within MLflow's limits.

    Parameters
    ----------
    noted
        As `lines` gives them; one that makes no sense is passed over.
    start
        Where the first line begins.
    """
    batch, counts = Batch(start), Counter[str]()
    for end, (kind, *rest) in noted:
        try:
            if kind in _SINGLE:
                single = _SINGLE[kind](end, *rest)
                if batch.entries:
                    yield batch
                batch, counts = Batch(end), Counter()
                yield single
                continue
            entries = list(_ENTRIES[kind](*rest))
        except (TypeError, ValueError, KeyError, AttributeError):
            continue
        for name, entry, size in entries:
            if counts[name] >= MOST[name] or batch.size + size > BYTES:
                yield batch
                # This line is not wholly sent by then: the next begins where it began.
                batch, counts = Batch(batch.end), Counter()
            batch.entries.append((name, entry))
            batch.size += size
            counts[name] += 1
        batch.end = end
    if batch.entries:
        yield batch


def _metrics(
    step: int, at: int, values: dict[str, float]
) -> Iterator[tuple[str, dict[str, Any], int]]:
    for key, value in values.items():
        entry = {"key": key, "value": _in_json(value), "timestamp": at, "step": step}
        yield "metrics", entry, 6 * len(key) + _AROUND


def _in_json(value: float) -> float | str:
    """JSON has no word for these; MLflow reads protobuf's."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _texts(name: str) -> Any:
    def entries(values: dict[str, str]) -> Iterator[tuple[str, dict[str, str], int]]:
        for key, value in values.items():
            # A character is at most six bytes once it is escaped; an emoji, two of them, twelve.
            yield name, {"key": key, "value": value}, 6 * (len(key) + 2 * len(value)) + 40

    return entries


_ENTRIES: dict[str, Any] = {"m": _metrics, "p": _texts("params"), "t": _texts("tags")}
_SINGLE: dict[str, Any] = {"d": Input, "f": Upload, "e": End}
