"""What a submission is made of for the judge, and what came of each of its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ulab_runtime.judge.verdicts import Kind, Verdict


@dataclass(frozen=True)
class Cell:
    """Code that runs with the student."""

    id: str
    source: str


@dataclass(frozen=True)
class Question:
    """A test that the judge runs."""

    id: str


Step = Cell | Question


class Status(StrEnum):
    """How a cell ended."""

    OK = "ok"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DIED = "died"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class CellRun:
    """What came of a cell.

    Attributes
    ----------
    outputs
        As nbformat has them, from untrusted hands.
    """

    status: Status
    outputs: Any = ()


@dataclass
class Record:
    """What came of a submission: every cell and every question is in it.

    Attributes
    ----------
    started
        Whether its code ran at all; if not, it is our failure and not the student's.
    log
        What its processes wrote past Python, for whoever looks after the base.
    """

    cells: dict[str, CellRun] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    started: bool = False
    log: str = ""


KINDS: Mapping[Status, Kind] = {
    Status.TIMED_OUT: Kind.TIMED_OUT,
    Status.OUT_OF_MEMORY: Kind.OUT_OF_MEMORY,
    Status.DIED: Kind.DIED,
    Status.NOT_RUN: Kind.NOT_RUN,
}


def verdict_of(question: str, answer: Mapping[str, Any]) -> Verdict:
    """A verdict from what a judge said; anything odd earns nothing."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        value = answer.get("value")
        return Verdict(
            question=question,
            kind=Kind(answer["verdict"]),
            value=None if value is None else float(value),
            reason=str(answer.get("reason", "")),
            student_traceback=tuple(map(str, answer.get("student_traceback", ()))),
            seconds=float(answer.get("seconds", 0.0)),
            test_lines=tuple(map(int, answer.get("test_lines", ()))),
            hint=str(answer.get("hint", "")),
        )
    return Verdict(question, Kind.DIED, None, "", (), 0.0)


def not_run(step: Step) -> CellRun | Verdict:
    return ended(step, Status.NOT_RUN)


def ended(step: Step, how: Status) -> CellRun | Verdict:
    if isinstance(step, Cell):
        return CellRun(how)
    return ended_question(step, KINDS[how])


def ended_question(question: Question, kind: Kind) -> Verdict:
    return Verdict(question.id, kind, None, "", (), 0.0)
