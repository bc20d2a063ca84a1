"""What the machine and the kernel are doing while a run is open, under MLflow's own names."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ulab.tracking.gpu import gpus
from ulab.tracking.spool import Spool
from ulab.tracking.writer import Writer

if TYPE_CHECKING:
    import psutil

# MLflow's own variables and interval.
SWITCH = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"
SECONDS_BETWEEN = 10.0
# Short runs get one too; a rate needs a little time.
SECONDS_TO_FIRST = 2.0


def switched_on() -> bool:
    return os.environ.get(SWITCH, "true").strip().lower() not in ("false", "0")


def interval() -> float:
    try:
        return max(1.0, float(os.environ[INTERVAL]))
    except (KeyError, ValueError):
        return SECONDS_BETWEEN


class Watcher:
    """Notes samples in a run's own spool, so that they are sent with its other numbers."""

    def __init__(self, spool: Spool, about: dict[str, Any]) -> None:
        self._writer = Writer(spool.folder)
        self._start = about["start"]
        self._kernel = kernel(about)
        self._interval = interval()
        self._due = time.monotonic() + min(SECONDS_TO_FIRST, self._interval)
        sample(self._kernel)

    def look(self) -> None:
        """Note a sample if it is time to."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._interval
        now = time.time_ns()
        # By the clock, so that a sender that follows this one goes on counting.
        step = round((now / 1e6 - self._start) / 1000 / self._interval)
        found = {f"system/{name}": value for name, value in sample(self._kernel).items()}
        self._writer.write(["m", step, now, found])


def kernel(about: dict[str, Any]) -> psutil.Process | None:
    """The run's process; None when another has its number by now, as after a restart."""
    import psutil

    try:
        found = psutil.Process(about["process"])
        return found if abs(found.create_time() - about["created"]) < 1 else None
    except (psutil.Error, KeyError):
        return None


def sample(kernel: psutil.Process | None) -> dict[str, float]:
    """Numbers of this moment; rates are since the last sample."""
    import psutil

    memory = psutil.virtual_memory()
    found: dict[str, float] = {
        "cpu_utilization_percentage": psutil.cpu_percent(),
        "system_memory_usage_megabytes": memory.used / 1e6,
        "system_memory_usage_percentage": memory.used / memory.total * 100,
    }
    if kernel is not None:
        try:
            found["process_cpu_percentage"] = kernel.cpu_percent()
            found["process_memory_megabytes"] = kernel.memory_info().rss / 1e6
        except psutil.Error:
            pass
    for number, gpu in enumerate(gpus()):
        found |= {f"gpu_{number}_{name}": value for name, value in gpu.items()}
    return found
