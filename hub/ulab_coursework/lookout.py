"""Looking out for jobs often, without troubling the database each time."""

from __future__ import annotations

import time

from ulab_core.database import Database
from ulab_coursework import queue


class Lookout:
    """Whether it is worth to ask for a job: many slots ask often, and mostly for nothing.

    Without a database that can say in microseconds that nothing was written, always.
    """

    ANYWAY_S = 0.5
    """A lease runs out without anything being written."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._nothing_at: int | None = None
        self._until = 0.0

    @property
    def every_s(self) -> float:
        """How often to ask."""
        return self.ANYWAY_S if self._db.version() is None else self.ANYWAY_S / 10

    def lease(self, worker: str) -> queue.Lease | None:
        """As `queue.lease`."""
        version = self._db.version()
        quiet = version is not None and version == self._nothing_at
        if quiet and time.monotonic() < self._until:
            return None
        held = queue.lease(self._db, worker)
        if held is None:
            # As of before the look, so that what was written since is looked at.
            self._nothing_at, self._until = version, time.monotonic() + self.ANYWAY_S
        return held
