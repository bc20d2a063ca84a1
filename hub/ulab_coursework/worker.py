"""The grading worker: takes jobs from the queue until it is told to stop."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.process import die_with_parent
from ulab_core.settings import Settings, load_settings
from ulab_coursework import queue
from ulab_coursework.execution import PATIENCE_S, scratch_of
from ulab_coursework.grading import LeaseLost, grade

IDLE_S = 0.5

UNEXPECTED = mark(
    "Something went wrong in the base while your submission was graded. It is stored; your "
    "instructor can have it graded again, and the administrator finds the reason in the log."
)
log = logging.getLogger(__name__)


class Worker:
    """One worker on one base.

    Parameters
    ----------
    index
        Tells workers of one base apart; each grades under a host user of its own.
    """

    def __init__(self, settings: Settings, index: int = 0) -> None:
        self.settings = settings
        self.layout = Layout.of(settings)
        self.db = Database.of(settings)
        self.index = index
        # A name of its own in each life: a lease of a former life is not ours.
        self.name = f"{index}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping` is set; the job in hand is put back then."""
        self._sweep()
        log.info("Grading worker %s is ready.", self.name)
        while not self.stopping.is_set():
            try:
                busy = self.work_once()
            except Exception:
                # Such as a database that is away for a moment; giving up would help nobody.
                log.exception("The queue can't be read; trying again.")
                busy = False
            if not busy:
                self.stopping.wait(IDLE_S)

    def work_once(self) -> bool:
        """Do one job if there is one; whether there was."""
        held = queue.lease(self.db, self.name)
        if held is None:
            return False
        log.info("Grading submission %s, attempt %d.", held.submission_id, held.attempt)
        begun = time.monotonic()
        try:
            with self._heartbeat(held):
                score = grade(self.db, self.layout, self.settings, held, self.index)
        except LeaseLost:
            log.warning("Submission %s was taken by another worker.", held.submission_id)
        except UserError as error:
            log.error("Submission %s: %s", held.submission_id, error, exc_info=True)
            self._fail(held, error.message if not error.values else str(error))
        except Exception:
            log.exception("Submission %s could not be graded.", held.submission_id)
            self._fail(held, UNEXPECTED)
        else:
            log.info(
                "Submission %s: %g of %g points in %.1f s.",
                held.submission_id,
                score.points,
                score.max_points,
                time.monotonic() - begun,
            )
        return True

    def stop(self) -> None:
        """Return the job in hand to the queue and end; safe to call from a signal handler."""
        self.stopping.set()
        raise SystemExit(0)

    def _fail(self, held: queue.Lease, problem: str) -> None:
        with self.db.write() as session:
            queue.fail(session, held, problem)

    @contextmanager
    def _heartbeat(self, held: queue.Lease) -> Iterator[None]:
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(queue.HEARTBEAT_S):
                try:
                    if not queue.heartbeat(self.db, held):
                        return
                except Exception:
                    log.exception("The lease could not be renewed; trying again.")

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        except SystemExit:
            ended.set()
            with self.db.write() as session:
                queue.put_back(session, held)
            raise
        finally:
            ended.set()
            thread.join()

    def _sweep(self) -> None:
        """Remove working folders that a killed worker left."""
        folder = scratch_of(self.layout)
        oldest = time.time() - 2 * (self.settings.grading.job_timeout_s + PATIENCE_S)
        for left in folder.glob("*") if folder.is_dir() else ():
            try:
                if left.stat().st_mtime < oldest:
                    shutil.rmtree(left, ignore_errors=True)
            except FileNotFoundError:
                continue


def index_of(service: str) -> int:
    """The number at the end of a service's name, such as ``grading-worker-2``."""
    number = service.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    die_with_parent()
    os.umask(0o007)
    worker = Worker(load_settings(), index_of(os.environ.get("JUPYTERHUB_SERVICE_NAME", "")))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    main()
