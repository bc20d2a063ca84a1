"""huey's consumer over our jobs: its threads, its stops and its patience, our rows.

huey forgets a task the moment it hands it out, so one whose worker is killed would be lost. Here
the row stays until the work is done, and huey has no store of its own that could disagree with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from huey import Huey
from huey.api import Task
from huey.consumer import Consumer
from huey.signals import SIGNAL_INTERRUPTED
from huey.storage import BlackHoleStorage

from ulab_coursework.queue import Lease

IDLE_S = 0.05
STOP_S = 5


class _Grading(Huey):
    """A huey whose queue is somewhere else."""

    take: Callable[[], Lease | None]
    work: Any

    def dequeue(self) -> Task | None:
        held = self.take()
        return None if held is None else self.work.s(held)


def consumer_of(
    take: Callable[[], Lease | None],
    work: Callable[[Lease], None],
    interrupted: Callable[[Lease], None],
    slots: int,
    most_idle_s: float,
) -> Consumer:
    """A consumer for the main thread to run; SIGTERM ends it, and SIGINT.

    Parameters
    ----------
    take
        Called by each idle slot; what it raises is logged.
    work
        Does a job, in the slot's thread.
    interrupted
        Called for each job in hand when the consumer is stopped; its thread ends with the process.
    slots
        How many jobs are done at once.
    most_idle_s
        An idle slot that has long found nothing looks again after so many seconds.
    """
    logging.getLogger("huey").setLevel(logging.WARNING)
    huey = _Grading("grading", storage_class=BlackHoleStorage, results=False)
    huey.take = take
    huey.work = huey.task(name="grade")(work)
    huey.signal(SIGNAL_INTERRUPTED)(lambda _, task: interrupted(task.args[0]))
    return huey.create_consumer(
        workers=slots,
        periodic=False,
        initial_delay=IDLE_S,
        max_delay=most_idle_s,
        backoff=1.5,
        health_check_interval=2,
        shutdown_timeout=STOP_S,
    )
