"""Logs a training run to MLflow in few, large requests, and never stops a notebook that can't."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulab.device import grading
from ulab.language import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Metric

BATCH = 500
SECONDS_BETWEEN = 3.0


class Run:
    """A run that is being logged; everything is a no-op when there is nowhere to log to."""

    def __init__(self, run_id: str | None) -> None:
        self.run_id = run_id
        self._waiting: list[Metric] = []
        self._next_step = 0
        self._sent_at = time.monotonic()

    def log(self, step: int | None = None, /, **metrics: float) -> None:
        """Note numbers of one step, such as an epoch.

        Parameters
        ----------
        step
            The step; None means the one after the last.
        **metrics
            Name to number; a tensor or array with one element is a number too.

        Examples
        --------
        >>> with track("small CNN", lr=0.1) as run:  # doctest: +SKIP
        ...     run.log(loss=0.52, accuracy=0.81)
        """
        step = self._next_step if step is None else step
        self._next_step = step + 1
        if self.run_id is None:
            return
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._waiting += [Metric(name, float(value), now, step) for name, value in metrics.items()]
        late = time.monotonic() - self._sent_at > SECONDS_BETWEEN
        if late or len(self._waiting) >= BATCH:
            self._send()

    def figure(self, figure: Figure, name: str) -> None:
        """Keep a matplotlib figure with the run, as ``<name>.png``."""
        if self.run_id is not None:
            from mlflow import MlflowClient

            with self._tolerant():
                MlflowClient().log_figure(self.run_id, figure, f"{name}.png")

    def file(self, path: str | os.PathLike[str]) -> None:
        """Keep a file with the run, such as a saved model."""
        if not Path(path).is_file():
            raise FileNotFoundError(
                say(zh=f"没有这个文件：{path}", en=f"There is no such file: {path}")
            )
        if self.run_id is not None:
            from mlflow import MlflowClient

            with self._tolerant():
                MlflowClient().log_artifact(self.run_id, str(path))

    def _send(self) -> None:
        from mlflow import MlflowClient

        waiting, self._waiting = self._waiting, []
        self._sent_at = time.monotonic()
        if self.run_id is None:
            return
        with self._tolerant():
            for start in range(0, len(waiting), BATCH):
                MlflowClient().log_batch(self.run_id, metrics=waiting[start : start + BATCH])

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        """Give up on the run, with a sentence, when it can't be logged any further."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            self.run_id = None
            _tell(error)

    def _end(self, status: str) -> None:
        if self.run_id is None:
            return
        self._send()
        if self.run_id is not None:
            from mlflow import end_run

            with self._tolerant():
                end_run(status)


@contextmanager
def track(name: str | None = None, **params: Any) -> Iterator[Run]:
    """Log a run to the experiment of this assignment.

    Parameters
    ----------
    name
        What the run is called in the list of runs.
    **params
        What was chosen before training: the learning rate, the width of a layer.

    Yields
    ------
    Run
        Its `log`, `figure` and `file` add to the run. While a submission is graded, and where there
        is no tracking server, they do nothing.

    Examples
    --------
    >>> with track("small CNN", lr=0.1, epochs=5) as run:  # doctest: +SKIP
    ...     for epoch in range(5):
    ...         run.log(loss=train_one_epoch())
    """
    run = Run(None if grading() else _begin(name, params))
    try:
        yield run
    except BaseException:
        run._end("FAILED")
        raise
    run._end("FINISHED")


def _begin(name: str | None, params: dict[str, Any]) -> str | None:
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        _say_it(say(zh="这里没有实验跟踪服务。", en="There is no tracking server here."))
        return None
    # A restart of the server is waited for, a minute at most; MLflow itself would try for four.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        run_id: str = mlflow.start_run(run_name=name).info.run_id
        if params:
            mlflow.log_params(params)
    except MlflowException as error:
        if mlflow.active_run() is not None:
            mlflow.end_run("FAILED")
        _tell(error)
        return None
    return run_id


def _tell(error: Exception) -> None:
    # MLflow puts its code before the sentence; the code says nothing to a student.
    _say_it(re.sub(r"^[A-Z_]+: ", "", str(error)))


def _say_it(reason: str) -> None:
    rest = say(
        zh="这次运行不会被记录，其余照常。", en="This run is not recorded; all else goes on."
    )
    print(reason, rest, file=sys.stderr)
