"""`ulab bench tracking` for real, with tiny sizes: its figures, and that nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from integration.hub_stub import free_port
from integration.postgres_support import Postgres, installed
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from ulab_core.settings import load_settings
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.tracking import BadMeasure, Sizes, measure, rows, sentences
from ulab_deploy.bench.tracking_artifact import memory_of
from ulab_deploy.bench.tracking_load import Target, TrackingFailed, rate
from ulab_deploy.bench.tracking_stores import NoDatabases, stores
from ulab_deploy.cli import build

RUN_S = 280
OPERATIONS = ["log_metric", "log_batch", "create_run", "search"]
SIDES = ["bare", "basic_auth", "ulab"]
MEASURE = """
import json
from ulab_core.settings import load_settings
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.tracking import Sizes, measure
sizes = Sizes(rounds=1, seconds=0.2, threads=2, artifact_mb=3, steps=40)
print(json.dumps(measure(load_settings(), sizes, Progress(silent=True))))
"""


@pytest.mark.timeout(RUN_S + 20)
def test_it_measures_all_three_and_leaves_nothing(tmp_path: Path) -> None:
    # Short, as it holds sockets; a process of its own, as it becomes the parent of orphans.
    with tempfile.TemporaryDirectory(prefix="u") as scratch:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": scratch},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert list(Path(scratch).iterdir()) == []
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == [*OPERATIONS, "artifact_3mb", "track"]
    for operation in OPERATIONS:
        assert list(found[operation]) == SIDES
        assert min(found[operation].values()) > 0
    for one in found["artifact_3mb"].values():
        assert list(one) == ["up_s", "down_s", "peak_mb"]
        assert one["peak_mb"] > 3
    assert list(found["track"]) == ["bare_log_metric_per_s", "ulab_track_per_s"]
    assert min(found["track"].values()) > 0
    assert [len(cells) for cells in rows(found)] == [6] * 8
    assert len(list(sentences(found))) == 1


def test_what_cant_be_measured_is_refused() -> None:
    for sizes in (Sizes(rounds=0), Sizes(rounds=101), Sizes(seconds=0), Sizes(seconds=61)):
        with pytest.raises(BadMeasure, match="from 1 to 100 rounds"):
            measure(load_settings(), sizes, Progress(silent=True))


def test_a_server_that_does_not_answer_is_said() -> None:
    nobody = Target(free_port(), "", {}, {"log": "1"})
    with pytest.raises(TrackingFailed, match=r"answered /api/2\.0/mlflow/runs/create"):
        rate(nobody, "log_metric", 2, 0.1)


def test_a_database_that_can_not_be_reached_is_said() -> None:
    with (
        pytest.raises(NoDatabases, match="No databases can be made"),
        stores(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/x", SIDES),
    ):
        raise AssertionError("it was let in")


def test_each_side_gets_a_database_that_is_dropped_again(tmp_path: Path) -> None:
    if not installed():
        pytest.skip("PostgreSQL is not installed")
    with Postgres(tmp_path) as server:
        url = server.new_database()
        before = server.ask("SELECT datname FROM pg_database ORDER BY datname")
        with stores(url, SIDES) as urls:
            for side in SIDES:
                engine = create_engine(urls[side])
                with engine.begin() as connection:
                    connection.execute(text("CREATE TABLE kept (one INTEGER)"))
                    # The connection stays open, as that of a server which is slow to end.
            assert len(server.ask("SELECT datname FROM pg_database")) == len(before) + len(SIDES)
        assert server.ask("SELECT datname FROM pg_database ORDER BY datname") == before


def test_memory_is_that_of_the_process() -> None:
    before = memory_of(os.getpid())
    block = b"1" * 50_000_000
    assert memory_of(os.getpid()) - before == pytest.approx(len(block), rel=0.1)


def test_help_has_an_example() -> None:
    shown = CliRunner().invoke(build(), ["bench", "tracking", "--help"])
    assert shown.exit_code == 0
    assert "ulab bench tracking --rounds" in shown.output
