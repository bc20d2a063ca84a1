"""Which rows of MLflow's database are one workspace's, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Select,
    String,
    Table,
    and_,
    cast,
    select,
    union,
)

# What a workspace holds of these belongs to parts of MLflow that are closed here (gateways, jobs,
# judges, reviews, web hooks, tool servers), or MLflow counts it anew. A table that is neither here
# nor in `selections` fails a test, so that an upgrade leaves nothing out unnoticed.
LEFT_OUT = frozenset(
    {
        "budget_policies", "endpoint_bindings", "endpoint_model_mappings", "endpoint_tags",
        "endpoints", "guardrail_configs", "guardrails", "issues", "job_locks", "jobs",
        "label_schemas", "mcp_access_endpoints", "mcp_server_aliases", "mcp_server_tags",
        "mcp_server_version_tags", "mcp_server_versions", "mcp_servers", "model_definitions",
        "online_scoring_configs", "review_queue_items", "review_queue_label_schemas",
        "review_queue_users", "review_queues", "scheduler_leases", "scorer_versions", "scorers",
        "secrets", "sql_assessment_daily_rollups", "sql_span_cost_daily_rollups",
        "sql_trace_metric_daily_rollups", "sql_trace_rollup_rebuild_queue", "webhook_events",
        "webhooks", "workspaces",
    }
)  # fmt: skip
# Where rows say where files lie.
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
    "trace_tags": ("value",),
}


def tables() -> MetaData:
    """MLflow's own description of its database."""
    # Each of these adds its tables when it is imported.
    import mlflow.store.model_registry.dbmodels.models
    import mlflow.store.tracking.dbmodels.models
    import mlflow.store.workspace.dbmodels.models  # noqa: F401
    from mlflow.store.db.base_sql_model import Base

    found: MetaData = Base.metadata
    return found


def selections(workspace: str) -> dict[str, ColumnElement[bool]]:
    """By table, the condition that a row belongs to the workspace."""
    named = tables().tables
    found: dict[str, ColumnElement[bool]] = {
        name: named[name].c.workspace == workspace
        for name in (
            "experiments", "registered_models", "registered_model_tags",
            "registered_model_aliases", "model_versions", "model_version_tags",
            "evaluation_datasets",
        )
    }  # fmt: skip

    def ids(table: str, column: str) -> Select[Any]:
        return select(named[table].c[column]).where(found[table])

    def below(parent: Select[Any], column: str, *names: str) -> None:
        for name in names:
            found[name] = named[name].c[column].in_(parent)

    experiments = ids("experiments", "experiment_id")
    below(
        *(experiments, "experiment_id", "experiment_tags", "runs", "datasets"),
        *("logged_models", "trace_info"),
    )
    runs = ids("runs", "run_uuid")
    below(runs, "run_uuid", "tags", "params", "metrics", "latest_metrics")
    models = ids("logged_models", "model_id")
    below(models, "model_id", "logged_model_params", "logged_model_tags")
    found["logged_model_metrics"] = _all_of(
        named["logged_model_metrics"], model_id=models, run_id=runs
    )
    traces = ids("trace_info", "request_id")
    below(traces, "request_id", "trace_tags", "trace_request_metadata", "trace_metrics")
    below(traces, "trace_id", "spans", "span_metrics", "assessments")
    below(
        *(ids("evaluation_datasets", "dataset_id"), "dataset_id"),
        *("evaluation_dataset_tags", "evaluation_dataset_records"),
    )
    # These tie two things by their ids: both must be the workspace's own.
    used = union(runs, models, ids("datasets", "dataset_uuid"))
    found["inputs"] = _all_of(named["inputs"], source_id=used, destination_id=used)
    below(ids("inputs", "input_uuid"), "input_uuid", "input_tags")
    numbers: Column[Any] = named["experiments"].c.experiment_id
    tied = union(
        *(runs, traces, ids("evaluation_datasets", "dataset_id")),
        select(cast(numbers, String(36))).where(found["experiments"]),
    )
    found["entity_associations"] = _all_of(
        named["entity_associations"], source_id=tied, destination_id=tied
    )
    return found


def _all_of(table: Table, **owners: Any) -> ColumnElement[bool]:
    return and_(*(table.c[column].in_(ids) for column, ids in owners.items()))
