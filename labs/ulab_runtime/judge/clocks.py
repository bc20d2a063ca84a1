"""How long a step, a submission and its end may take."""

from __future__ import annotations

import time
from dataclasses import dataclass

GRACE_S = 2.0
"""From Ctrl-C until the process is killed."""


@dataclass(frozen=True)
class Clocks:
    """Seconds of wall-clock time.

    Parameters
    ----------
    cell_s
        For one cell, and for one question with all that it asks the student's code.
    submission_s
        For all of it from its first cell on, later starts included. No step begins after that.
    """

    cell_s: float
    submission_s: float

    def start(self) -> Running:
        return Running(self, time.monotonic() + self.submission_s)


@dataclass(frozen=True)
class Running:
    """The clocks of one submission that is being judged."""

    clocks: Clocks
    until: float

    def over(self) -> bool:
        return time.monotonic() >= self.until

    def for_step(self) -> float:
        """How long the next step may take; more than 0."""
        return max(0.01, min(self.clocks.cell_s, self.until - time.monotonic()))
