"""What the threads of a measurement ask of a tracking server, and how often they get it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ulab_core.errors import UserError
from ulab_core.i18n import mark

API = "/api/2.0/mlflow"
PATIENCE_S = 120
KEYS, STEPS = 10, 10
"""Of one log-batch: 100 metrics, as a loop logs them."""
RUNS_FOUND = 25
"""How many runs each search finds: a class's first tries of a lab."""
LEFT_OUT_S = 0.2

Ask = tuple[str, dict[str, Any]]


class TrackingFailed(UserError):
    """A server that is measured did not do what it was asked."""

    exit_code = 4


@dataclass(frozen=True)
class Target:
    """A tracking server, and who asks it.

    Attributes
    ----------
    port, path
        Where it is served on the loopback, without a slash at the end.
    headers
        Sent with each request.
    experiments
        For ``log``, ``create`` and ``search``, so that no operation slows another down.
    """

    port: int
    path: str
    headers: Mapping[str, str]
    experiments: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


class Connection:
    """One client's connection, kept open."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.http = http.client.HTTPConnection("127.0.0.1", target.port, timeout=PATIENCE_S)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {**self._target.headers, "content-type": "application/json"}
        return self._answer("POST", path, json.dumps(body).encode(), headers)

    def get(self, path: str) -> dict[str, Any]:
        return self._answer("GET", path, None, dict(self._target.headers))

    def _answer(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        try:
            self.http.request(method, self._target.path + path, body, headers)
            response = self.http.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise failed(path, str(error) or type(error).__name__) from None
        if response.status != http.client.OK:
            raise failed(path, f"{response.status} {content[:200].decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(content) if content.strip() else {}
        return answer

    def new_run(self, experiment: str, name: str) -> dict[str, Any]:
        run: dict[str, Any] = self.post(*_create_run(experiment, name))["run"]["info"]
        return run


def failed(path: str, said: str) -> TrackingFailed:
    return TrackingFailed(
        mark("The tracking server that is measured answered {path} with: {said}"),
        path=path,
        said=said,
    )


def _create_run(experiment: str, name: str) -> Ask:
    # As MLflow's client does it.
    tags = {"mlflow.user": "bench", "mlflow.source.name": "bench.py", "mlflow.runName": name}
    return f"{API}/runs/create", {
        "experiment_id": experiment,
        "run_name": name,
        "start_time": int(time.time() * 1000),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def _metric(key: str, step: int) -> dict[str, Any]:
    now = int(time.time() * 1000)
    return {"key": key, "value": 1 / (step + 1), "timestamp": now, "step": step}


def _log_metric(target: Target, run_id: str, number: int) -> Ask:
    return f"{API}/runs/log-metric", {"run_id": run_id, **_metric("loss", number)}


def _log_batch(target: Target, run_id: str, number: int) -> Ask:
    metrics = [
        _metric(f"metric{key}", number * STEPS + step)
        for step in range(STEPS)
        for key in range(KEYS)
    ]
    return f"{API}/runs/log-batch", {"run_id": run_id, "metrics": metrics}


def _create(target: Target, run_id: str, number: int) -> Ask:
    return _create_run(target.experiments["create"], f"run {number}")


def _search(target: Target, run_id: str, number: int) -> Ask:
    asked = {"experiment_ids": [target.experiments["search"]], "max_results": 100}
    return f"{API}/runs/search", asked


OPERATIONS: Mapping[str, Callable[[Target, str, int], Ask]] = {
    "log_metric": _log_metric,
    "log_batch": _log_batch,
    "create_run": _create,
    "search": _search,
}


def fill(target: Target) -> None:
    """Log the runs that searches find."""
    connection = Connection(target)
    for number in range(RUNS_FOUND):
        run = connection.new_run(target.experiments["search"], f"try {number}")
        connection.post(
            f"{API}/runs/log-batch",
            {
                "run_id": run["run_id"],
                "metrics": [_metric(f"metric{key}", number) for key in range(5)],
                "params": [{"key": f"param{key}", "value": str(number)} for key in range(5)],
            },
        )
    connection.http.close()


def rate(target: Target, operation: str, threads: int, seconds: float) -> float:
    """Operations a second that so many clients at once get done.

    Each client has a connection and a run of its own. What a server does once for a newcomer, such
    as opening a connection to its database, is left out.

    Raises
    ------
    TrackingFailed
    """
    make = OPERATIONS[operation]
    ready = threading.Barrier(threads)
    # Steps never come twice, whatever was logged before.
    first = int(time.time())

    def ask() -> Iterator[float]:
        connection = Connection(target)
        try:
            run_id = connection.new_run(target.experiments["log"], "measured")["run_id"]
            number, until = first, time.monotonic() + LEFT_OUT_S
            connection.post(*make(target, run_id, number))
            while time.monotonic() < until:
                number += 1
                connection.post(*make(target, run_id, number))
            ready.wait(PATIENCE_S)
            yield time.monotonic()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                number += 1
                connection.post(*make(target, run_id, number))
                yield time.monotonic()
        except BaseException:
            ready.abort()
            raise
        finally:
            connection.http.close()

    with ThreadPoolExecutor(threads) as pool:
        asking = [pool.submit(lambda: list(ask())) for _ in range(threads)]
    # One that fails lets the others' barrier break; what it says is what matters.
    errors = [error for error in (one.exception() for one in asking) if error is not None]
    for error in sorted(errors, key=lambda error: not isinstance(error, UserError)):
        raise error
    moments = [one.result() for one in asking]
    begun = min(own[0] for own in moments)
    over = max(own[-1] for own in moments)
    return sum(len(own) - 1 for own in moments) / (over - begun)
