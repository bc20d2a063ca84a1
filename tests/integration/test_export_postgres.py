"""A team's export from an MLflow whose database is PostgreSQL: its rows, and nobody else's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from integration.postgres_support import Postgres, installed
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import Engine, create_engine, select

from ulab_core.settings import Settings
from ulab_mlflow.export_database import write_database
from ulab_mlflow.export_tables import tables

TEAM, OTHER = "windfarm", "others"
POINTS = 5000


def fill(engine: Engine, workspace: str, number: int) -> None:
    """One run with a curve, a tag of odd characters, and a registered model."""
    named = tables().tables
    run = f"{number:032x}"
    place = f"mlflow-artifacts:/workspaces/{workspace}/{number}"
    rows: dict[str, list[dict[str, Any]]] = {
        "experiments": [
            {"experiment_id": number, "name": "Default", "workspace": workspace,
             "artifact_location": place, "lifecycle_stage": "active"},
        ],
        "runs": [
            {"run_uuid": run, "name": workspace, "experiment_id": number, "user_id": "lin",
             "lifecycle_stage": "active", "status": "FINISHED", "source_type": "LOCAL",
             "artifact_uri": f"{place}/{run}/artifacts"},
        ],
        "tags": [{"run_uuid": run, "key": "note", "value": f"{workspace}：风电 100 % \\ ' 🌬"}],
        "metrics": [
            {"run_uuid": run, "key": "loss", "value": step / 7, "timestamp": step, "step": step,
             "is_nan": False}
            for step in range(POINTS)
        ],
        "registered_models": [{"name": "day-ahead", "workspace": workspace}],
        "model_versions": [
            {"name": "day-ahead", "version": 1, "workspace": workspace,
             "source": f"{place}/{run}/artifacts/model"},
        ],
    }  # fmt: skip
    with engine.begin() as connection:
        for table, given in rows.items():
            connection.execute(named[table].insert(), given)


def test_an_export_from_postgresql_holds_the_teams_rows_alone(tmp_path: Path) -> None:
    if not installed():
        pytest.skip("PostgreSQL is not installed")
    with Postgres(tmp_path) as server:
        url = server.new_database()
        store = SqlAlchemyStore(url, "mlflow-artifacts:/")
        store.engine.dispose()
        engine = create_engine(url)
        fill(engine, TEAM, 11)
        fill(engine, OTHER, 12)
        engine.dispose()
        settings = Settings.model_validate(
            {"server": {"state_dir": tmp_path}, "mlflow": {"database_url": url}}
        )
        told: list[tuple[str, int, int]] = []
        counts = write_database(settings, TEAM, tmp_path / "mlflow.db", lambda *at: told.append(at))
        # Nothing is held in the database that is read.
        assert server.ask("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'") == [
            (0,)
        ]
    assert (counts["experiments"], counts["runs"], counts["metrics"]) == (1, 1, POINTS)
    assert [done for table, done, _ in told if table == "metrics"] == [2000, 4000, 5000]
    named = tables().tables
    found = create_engine(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with found.connect() as connection:
        [experiment] = connection.execute(
            select(named["experiments"]).where(named["experiments"].c.experiment_id != 0)
        ).mappings()
        assert (experiment["name"], experiment["workspace"]) == ("Default (windfarm)", "default")
        assert experiment["artifact_location"] == "mlflow-artifacts:/11"
        [tag] = connection.execute(select(named["tags"].c.value)).scalars()
        assert tag == f"{TEAM}：风电 100 % \\ ' 🌬"
        values = connection.execute(
            select(named["metrics"].c.value).order_by(named["metrics"].c.step)
        ).scalars()
        assert all(math.isclose(got, step / 7) for step, got in enumerate(values))
        [version] = connection.execute(select(named["model_versions"])).mappings()
        assert version["source"].startswith("mlflow-artifacts:/11/")
    found.dispose()
