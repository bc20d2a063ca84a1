"""One submission from its first cell to its last verdict, whatever its code does on the way."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from ulab_runtime.judge import frames
from ulab_runtime.judge.benches import Sitting
from ulab_runtime.judge.clocks import GRACE_S, Clocks
from ulab_runtime.judge.record import (
    Cell,
    CellRun,
    Question,
    Record,
    Status,
    Step,
    ended,
    ended_question,
    not_run,
    verdict_of,
)
from ulab_runtime.judge.seat import Seat
from ulab_runtime.judge.verdicts import Kind, Verdict

MOST_STARTS = 4
"""How often a submission whose code ends its own process is started again."""
HARD_S = 30.0
"""Beyond a submission's time, until everything of it is killed wherever it is."""

Progress = Callable[[str, int, int], None]


@dataclass
class Student:
    """The student's process and our end of its line."""

    seat: Seat
    control: socket.socket

    def end(self) -> None:
        self.control.close()
        self.seat.end()


@dataclass(frozen=True)
class Seats:
    """How the two sit down: the judge first, who has the line that the student's process gets."""

    judge: Callable[[], Sitting]
    student: Callable[[socket.socket, socket.socket], Seat]
    """Takes the process's ends of its line to us and of its line to the judge."""


class _Lost(Exception):
    """The student's process or the judge is gone, or won't stop; carries how."""

    def __init__(self, how: Status) -> None:
        super().__init__(how)
        self.how = how


def hold(
    seats: Seats,
    steps: Sequence[Step],
    clocks: Clocks,
    language: str,
    accept: Callable[[object], Any],
    progress: Progress = lambda question, done, of: None,
    turn: AbstractContextManager[object] | None = None,
) -> Record:
    """Run a submission's steps in order.

    A cell that ends its process, or won't end, costs only itself: the process is started anew and
    the steps before it are repeated without those that ended it.

    Parameters
    ----------
    accept
        Makes of a cell's outputs what is kept of them; anything may be in them.
    progress
        Called with each question that is begun, how many are done, and of how many.
    turn
        Entered before the first step, left after the last: what can be done ahead is done by
        then, and the clocks begin.

    Raises
    ------
    SandboxUnavailable
        The machine lacks what a sandbox needs.
    BrokenTests
        The lab's own code fails.
    """
    return _Trial(seats, steps, clocks, language, accept, progress).run(turn or nullcontext())


class _Trial:
    def __init__(
        self,
        seats: Seats,
        steps: Sequence[Step],
        clocks: Clocks,
        language: str,
        accept: Callable[[object], Any],
        progress: Progress,
    ) -> None:
        self._seats = seats
        self._steps = steps
        self._clocks = clocks
        self._clock = clocks.start()
        self._language = language
        self._accept = accept
        self._progress = progress
        self._questions = sum(isinstance(step, Question) for step in steps)
        self._record = Record()
        self._starts = 0
        self._deadly: set[int] = set()
        self._judge: Sitting | None = None
        self._student: Student | None = None
        self._killed = False

    def run(self, turn: AbstractContextManager[object]) -> Record:
        try:
            self._sit_down()
            with turn, self._killed_in_the_end():
                self._clock = self._clocks.start()
                self._take_steps()
        finally:
            self._stand_up()
        return self._record

    def _take_steps(self) -> None:
        for index, step in enumerate(self._steps):
            if isinstance(step, Question):
                self._progress(step.id, len(self._record.verdicts), self._questions)
            self._keep(step, self._one(index, step))

    @contextmanager
    def _killed_in_the_end(self) -> Iterator[None]:
        def kill() -> None:
            self._killed = True
            if student := self._student:
                student.seat.sandbox.process.kill()
            if judge := self._judge:
                judge.rise()

        timer = threading.Timer(self._clocks.submission_s + HARD_S, kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _one(self, index: int, step: Step) -> CellRun | Verdict:
        if self._student is None or self._clock.over() or self._killed:
            return not_run(step)
        try:
            return self._do(step)
        except _Lost as lost:
            self._deadly.add(index)
            self._start_again(index)
            return ended(step, lost.how)

    def _keep(self, step: Step, result: CellRun | Verdict) -> None:
        if isinstance(result, Verdict):
            self._record.verdicts[step.id] = result
        else:
            self._record.cells[step.id] = CellRun(result.status, self._accept(result.outputs))

    def _do(self, step: Step) -> CellRun | Verdict:
        if isinstance(step, Cell):
            return self._run_cell(step)
        return self._ask(step)

    def _run_cell(self, cell: Cell) -> CellRun:
        assert self._student is not None
        request = {
            "cell": cell.id,
            "source": cell.source,
            "seed": seed_of(cell.id),
            "language": self._language,
        }
        answer, in_time = self._exchange(self._student.control, request)
        self._record.started = True
        if not in_time:
            return CellRun(Status.TIMED_OUT, answer.get("outputs"))
        status = Status.OK if answer.get("status") == "ok" else Status.ERROR
        return CellRun(status, answer.get("outputs"))

    def _ask(self, question: Question) -> Verdict:
        assert self._judge is not None
        request = {"test": question.id, "seed": seed_of(question.id)}
        answer, in_time = self._exchange(self._judge.control, request)
        self._require_student()
        if not in_time:
            return ended_question(question, Kind.TIMED_OUT)
        verdict = verdict_of(question.id, answer)
        if verdict.kind is Kind.DIED:
            # The judge sees the line's end, which comes a moment before the process's own.
            raise _Lost(Status.DIED)
        return verdict

    def _exchange(
        self, line: socket.socket, request: dict[str, Any]
    ) -> tuple[dict[str, Any], bool]:
        """What is answered, and whether it came in time; Ctrl-C is pressed when it doesn't."""
        try:
            within_s = self._clock.for_step()
            line.settimeout(within_s)
            frames.send(line, request, frames.CONTROL_LIMIT)
            try:
                return frames.receive(line, frames.CONTROL_LIMIT, within_s), True
            except TimeoutError:
                assert self._student is not None
                self._student.seat.interrupt()
            return frames.receive(line, frames.CONTROL_LIMIT, GRACE_S), False
        except TimeoutError:
            raise _Lost(Status.TIMED_OUT) from None
        except (OSError, frames.Ended, frames.Broken):
            self._require_student()
            raise _Lost(Status.DIED) from None

    def _require_student(self) -> None:
        assert self._student is not None
        seat = self._student.seat
        if seat.out_of_memory():
            raise _Lost(Status.OUT_OF_MEMORY)
        if not seat.alive():
            raise _Lost(Status.DIED)

    def _sit_down(self) -> None:
        self._starts += 1
        self._judge = self._seats.judge()
        control, theirs = socket.socketpair()
        with theirs, self._judge.link:
            try:
                seat = self._seats.student(theirs, self._judge.link)
            except BaseException:
                control.close()
                raise
        self._student = Student(seat, control)

    def _stand_up(self) -> None:
        if self._student is not None:
            self._record.log = self._student.seat.said()
            self._student.end()
            self._student = None
        if self._judge is not None:
            self._judge.rise()
            self._judge.control.close()
            self._judge.link.close()
            self._judge = None

    def _start_again(self, index: int) -> None:
        """Have both sit down anew and repeat what was done, without what was deadly."""
        while True:
            self._stand_up()
            if self._starts >= MOST_STARTS or self._clock.over() or self._killed:
                return
            self._sit_down()
            again = [number for number in range(index) if number not in self._deadly]
            for number in again:
                try:
                    self._do(self._steps[number])
                except _Lost:
                    self._deadly.add(number)
                    break
            else:
                return


def seed_of(name: str) -> int:
    """The seed of a step's random numbers: the same for everyone, and in each grading."""
    return zlib.crc32(name.encode())
