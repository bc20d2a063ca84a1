"""The grading worker: keeps its slots at work on the queue until it is told to stop."""

from __future__ import annotations

import fcntl
import logging
import os
import queue as queues
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import InterfaceError, OperationalError

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.process import die_with_parent
from ulab_core.settings import Settings, load_settings
from ulab_coursework import queue
from ulab_coursework.consumer import consumer_of
from ulab_coursework.grading import LeaseLost, grade
from ulab_coursework.judging import AHEAD, Judges
from ulab_coursework.lookout import Lookout
from ulab_coursework.marking import Marker
from ulab_runtime.judge.parents import Parents

UNEXPECTED = mark(
    "Something went wrong in the base while your submission was graded. It is stored; your "
    "instructor can have it graded again, and the administrator finds the reason in the log."
)
log = logging.getLogger(__name__)


def slots_of(settings: Settings) -> int:
    """How many submissions a worker runs at once."""
    return settings.grading.slots or len(os.sched_getaffinity(0))


class Worker:
    """One worker on one base; each of its jobs in hand is a thread that waits for a sandbox.

    Parameters
    ----------
    index
        Tells workers of one base on one machine apart. Each job in hand of each of them runs
        under a host user of its own.
    """

    def __init__(self, settings: Settings, index: int = 0) -> None:
        self.settings = settings
        self.layout = Layout.of(settings)
        self.db = Database.of(settings)
        self.index = index
        self.place = f"{socket.gethostname()[:64]}/{index}/"
        # A name of its own in each life: a lease of a former life is not ours.
        self.name = f"{self.place}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._lookout = Lookout(self.db)
        self._leases: dict[str, queue.Lease] = {}
        self._free: queues.SimpleQueue[int] = queues.SimpleQueue()
        slots = slots_of(settings)
        in_hand = slots * AHEAD
        for place in range(in_hand):
            self._free.put(place)
        # Each worker of a machine has host users of its own.
        first_uid = settings.accounts.uid_base - 1 - index * (2 * in_hand + 1)
        warm = self.layout.fork_for_base("kernel") if settings.warm.enabled else None
        parents = Parents(warm, self.layout.forks_of_labs(index))
        self._judges = Judges(settings, self.layout.dataset_store, parents, first_uid, slots)
        self._marker = Marker(self._judges, settings.site.language)

    def run(self) -> None:
        """Work until a signal says to stop; the jobs in hand are put back then."""
        with self._alone():
            if freed := queue.release_dead(self.db, self.place):
                log.info("%d jobs of this worker's former life are free again.", freed)
            threading.Thread(target=self._keep_alive, name="leases", daemon=True).start()
            in_hand = self._free.qsize()
            consumer = consumer_of(
                self.take, self.work, self.interrupted, in_hand, self._lookout.every_s
            )
            log.info("Grading worker %s is ready, with %d slots.", self.name, in_hand // AHEAD)
            consumer.run()
            self._judges.end()

    def work_once(self) -> bool:
        """Do one job if there is one; whether there was."""
        held = self.take()
        if held is None:
            return False
        self.work(held)
        return True

    def take(self) -> queue.Lease | None:
        """Take the next job, and keep it alive from now on."""
        held = self._lookout.lease(self.name)
        if held is not None:
            self._leases[held.job_id] = held
        return held

    def work(self, held: queue.Lease) -> None:
        """Do a job, whatever comes of it."""
        log.info("Grading submission %s, take %d.", held.submission_id, held.take)
        begun = time.monotonic()
        slot = self._free.get()
        try:
            report = Report(self.db, held)
            score = grade(self.db, self.layout, self._marker, held, slot, report)
            log.info(
                "Submission %s: %g of %g points in %.1f s.",
                held.submission_id,
                score.points,
                score.max_points,
                time.monotonic() - begun,
            )
        except LeaseLost:
            log.warning("Submission %s was taken by another worker.", held.submission_id)
        except UserError as error:
            log.error("Submission %s: %s", held.submission_id, error, exc_info=True)
            self._fail(held, error.message if not error.values else str(error))
        except (OperationalError, InterfaceError):
            # A database was away for a moment, which is not the submission's fault.
            log.exception("Submission %s goes back to the queue.", held.submission_id)
            self._put_back(held, counted=True)
        except Exception:
            log.exception("Submission %s could not be graded.", held.submission_id)
            self._fail(held, UNEXPECTED)
        finally:
            self._leases.pop(held.job_id, None)
            self._free.put(slot)

    def interrupted(self, held: queue.Lease) -> None:
        """Return a job that is stopped in the middle."""
        self._leases.pop(held.job_id, None)
        self._put_back(held, counted=False)

    def _fail(self, held: queue.Lease, problem: str) -> None:
        with _or_let_go(), self.db.write() as session:
            queue.fail(session, held, problem)

    def _put_back(self, held: queue.Lease, *, counted: bool) -> None:
        with _or_let_go(), self.db.write() as session:
            queue.put_back(session, held, counted=counted)

    def _keep_alive(self) -> None:
        while True:
            time.sleep(queue.HEARTBEAT_S)
            try:
                if held := list(self._leases.values()):
                    queue.renew(self.db, held)
            except Exception:
                log.exception("The leases could not be renewed; trying again.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process is this worker; the kernel gives a dead one's place back."""
        self.layout.run.mkdir(parents=True, exist_ok=True)
        name = f"{self.place.strip('/').replace('/', '-')}.lock"
        with (self.layout.run / f"grading-worker-{name}").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Report:
    """Writes a job's progress into its row, at most once a second; a short job has none."""

    FIRST_S = 0.5
    EVERY_S = 1.0

    def __init__(self, db: Database, held: queue.Lease) -> None:
        self.db, self.held = db, held
        self._next = time.monotonic() + self.FIRST_S

    def __call__(self, progress: queue.Progress) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.EVERY_S
        # Nobody should lose a grade because a page could not be told about it.
        with _or_let_go():
            queue.report(self.db, self.held, progress)


@contextmanager
def _or_let_go() -> Iterator[None]:
    """Go on when the database is away: the lease runs out then, and the job is done again."""
    try:
        yield
    except (OperationalError, InterfaceError):
        log.exception("The database could not be told.")


def index_of(service: str) -> int:
    """The number at the end of a service's name, such as ``grading-worker-2``."""
    number = service.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    die_with_parent()
    os.umask(0o007)
    # Until huey listens to it, a signal to stop must not be taken for a crash.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Worker(load_settings(), index_of(os.environ.get("JUPYTERHUB_SERVICE_NAME", ""))).run()


if __name__ == "__main__":
    main()
