"""One large file up to a tracking server and down again, and the memory that this takes there."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ulab_core.process import descendants
from ulab_deploy.bench.tracking_load import Connection, Target, failed

MB = 1_000_000
KIBIBYTE = 1024
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
CHUNK = 1 << 20
SAMPLE_S = 0.1


def transfer(target: Target, processes: Sequence[int], size_mb: int) -> dict[str, float]:
    """Seconds up and down, and the most memory that the processes had meanwhile, in MB.

    Parameters
    ----------
    processes
        The server's; what they started is counted too. A page that several map counts once.
    size_mb
        Of the file, in units of a million bytes.

    Raises
    ------
    TrackingFailed
    """
    connection = Connection(target)
    run = connection.new_run(target.experiments["log"], "large file")
    place = str(run["artifact_uri"]).removeprefix("mlflow-artifacts:").strip("/")
    path = f"{target.path}{ARTIFACTS}/{place}/model.bin"
    try:
        with peak_of(processes) as peak:
            up_s = _seconds(lambda: _put(connection.http, target, path, size_mb * MB))
            down_s = _seconds(lambda: _get(connection.http, target, path, size_mb * MB))
    finally:
        connection.http.close()
    return {"up_s": round(up_s, 2), "down_s": round(down_s, 2), "peak_mb": round(peak() / MB, 1)}


def _seconds(act: Callable[[], None]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _put(connection: http.client.HTTPConnection, target: Target, path: str, size: int) -> None:
    headers = {**target.headers, "content-length": str(size)}
    connection.request("PUT", path, _content(size), headers)
    response = connection.getresponse()
    said = response.read()
    if response.status != http.client.OK:
        raise failed(path, f"{response.status} {said[:200].decode(errors='replace')}")


def _get(connection: http.client.HTTPConnection, target: Target, path: str, size: int) -> None:
    connection.request("GET", path, headers=dict(target.headers))
    response = connection.getresponse()
    left = memoryview(bytearray(CHUNK))
    got = 0
    while count := response.readinto(left):
        got += count
    if response.status != http.client.OK or got != size:
        raise failed(path, f"{response.status}, {got} / {size}")


def _content(size: int) -> Iterator[bytes]:
    chunk = os.urandom(CHUNK)
    for start in range(0, size, CHUNK):
        yield chunk[: size - start]


@contextmanager
def peak_of(pids: Sequence[int]) -> Iterator[Callable[[], int]]:
    """Look at the memory of processes, and of those below them, until the block ends.

    Yields
    ------
    callable
        The most bytes that they had together so far.
    """
    most = 0
    over = threading.Event()

    def look() -> None:
        nonlocal most
        while True:
            below = [child for pid in pids for child in descendants(pid)]
            most = max(most, sum(map(memory_of, [*pids, *below])))
            if over.wait(SAMPLE_S):
                return

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield lambda: most
    finally:
        over.set()
        looking.join()


def memory_of(pid: int) -> int:
    """Bytes of a process and its share of what several map; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    [pss] = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return int(pss) * KIBIBYTE
