"""What the gateway and MLflow should answer to whom, for each address that MLflow serves.

A path is MLflow's own rule with ``/api`` for both of its spellings. Words with a ``$`` are ids of
the things that belong to the one who is spied on. An address that is in no row and in no family
of `CLOSED` fails the test until someone decides it.
"""

from __future__ import annotations

import enum
import re
from typing import Any, NamedTuple


class May(enum.Enum):
    """Who may: `AUDIENCE` says who that is, for a student's things and for a team's."""

    ANYONE = enum.auto()
    """Everyone with an account; the answer is about nobody, or about oneself."""
    READ = enum.auto()
    WRITE = enum.auto()
    OWN = enum.auto()
    """Whoever made it in a team; in a course nobody, since the platform makes everything."""
    READ_MODELS = enum.auto()
    WRITE_MODELS = enum.auto()
    SEARCH = enum.auto()
    """Everyone may ask in their own workspaces, and only who may read is told of the thing."""
    SEARCH_MODELS = enum.auto()
    CREATE = enum.auto()
    """Make what belongs to nobody yet: whoever works in a team, in a course nobody."""


class Row(NamedTuple):
    method: str
    path: str
    may: May
    query: dict[str, Any] | None = None
    body: Any = None
    last: bool = False
    """Destroys what other rows need."""
    once: bool = False
    """Succeeds only once for the same things."""
    first: Row | None = None
    """What has to be done again before each time."""
    tells: bool = True
    """Whether the answer of a READ or SEARCH holds what was logged."""


_V2, _V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
_RUN = {"run_id": "$run"}
_EXPERIMENT = {"experiment_id": "$experiment"}
_EXPERIMENTS = {"experiment_ids": ["$experiment"]}
_TAG = {"key": "colour", "value": "red"}
_MODEL = {"name": "$registered"}
_VERSION = {"name": "$registered", "version": "1"}
_TRACE = {"trace_id": "$trace"}
_PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "$experiment"}}
_OPINION = {
    "assessment_name": "liked",
    "source": {"source_type": "HUMAN", "source_id": "x"},
    "feedback": {"value": True},
}
_NEW_TRACE = {
    "trace_location": _PLACE,
    "request_time": "2026-01-01T00:00:00Z",
    "state": "OK",
}


def _experiments() -> list[Row]:
    path = f"{_V2}/experiments"
    search = {"max_results": 500}
    tagged = Row("POST", f"{path}/set-experiment-tag", May.WRITE, body=_EXPERIMENT | _TAG)
    return [
        Row("GET", f"{path}/get", May.READ, _EXPERIMENT),
        Row("GET", f"{path}/get-by-name", May.READ, {"experiment_name": "$experiment_name"}),
        Row("GET", f"{path}/search", May.SEARCH, search),
        Row("POST", f"{path}/search", May.SEARCH, body=search),
        Row("POST", f"{path}/search-datasets", May.SEARCH, body=_EXPERIMENTS),
        Row("POST", f"{path}/create", May.CREATE, body={"name": "$fresh"}),
        tagged,
        Row(
            "POST",
            f"{path}/delete-experiment-tag",
            May.WRITE,
            body=_EXPERIMENT | _TAG,
            first=tagged,
        ),
        Row("POST", f"{path}/delete", May.OWN, body={"experiment_id": "$spare"}),
        Row("POST", f"{path}/restore", May.OWN, body={"experiment_id": "$spare"}),
    ]


def _runs() -> list[Row]:
    path = f"{_V2}/runs"
    metric = {"key": "forged", "value": 1, "timestamp": 1, "step": 0}
    dataset = {"name": "d", "digest": "1", "source_type": "local", "source": "x"}
    bulk = {"run_id": "$run", "metric_key": "loss"}
    tagged = Row("POST", f"{path}/set-tag", May.WRITE, body=_RUN | _TAG)
    interval = {"run_ids": "$run", "metric_key": "loss", "max_results": 10}
    return [
        Row("GET", f"{path}/get", May.READ, _RUN),
        Row("POST", f"{path}/search", May.SEARCH, body=_EXPERIMENTS),
        Row("POST", f"{path}/create", May.WRITE, body=_EXPERIMENT),
        Row("POST", f"{path}/update", May.WRITE, body=_RUN | {"run_name": "renamed"}),
        Row("POST", f"{path}/log-metric", May.WRITE, body=_RUN | metric),
        Row("POST", f"{path}/log-batch", May.WRITE, body=_RUN | {"metrics": [metric]}),
        Row(
            "POST", f"{path}/log-parameter", May.WRITE, body=_RUN | {"key": "$fresh", "value": "1"}
        ),
        tagged,
        Row("POST", f"{path}/delete-tag", May.WRITE, body=_RUN | {"key": "colour"}, first=tagged),
        Row(
            "POST",
            f"{path}/log-inputs",
            May.WRITE,
            body=_RUN | {"datasets": [{"dataset": dataset}]},
        ),
        Row(
            "POST",
            f"{path}/outputs",
            May.WRITE,
            body=_RUN | {"models": [{"model_id": "$model", "step": 1}]},
            once=True,
        ),
        Row("POST", f"{path}/log-model", May.WRITE, body=_RUN | {"model_json": "$model_json"}),
        Row("POST", f"{path}/delete", May.OWN, body=_RUN, last=True),
        Row("POST", f"{path}/restore", May.OWN, body=_RUN, last=True),
        Row("GET", f"{_V2}/metrics/get-history", May.READ, bulk, tells=False),
        Row("GET", f"{_V2}/metrics/get-history-bulk", May.READ, bulk, tells=False),
        Row("GET", f"{_V2}/metrics/get-history-bulk-interval", May.READ, interval, tells=False),
    ]


def _files() -> list[Row]:
    proxied = "/api/2.0/mlflow-artifacts"
    file = {"run_uuid": "$run", "path": "secret.txt"}
    return [
        Row("GET", f"{_V2}/artifacts/list", May.READ, _RUN, tells=False),
        Row("GET", "/get-artifact", May.READ, file),
        Row(
            "POST",
            f"{_V2}/upload-artifact",
            May.WRITE,
            {"run_uuid": "$run", "path": "up.txt"},
            b"new",
        ),
        Row("GET", f"{proxied}/artifacts", May.READ, {"path": "$artifact_root"}, tells=False),
        Row("GET", f"{proxied}/artifacts/<artifact_path>", May.READ),
        Row("PUT", f"{proxied}/artifacts/<artifact_path>", May.WRITE, body=b"new"),
        Row(
            "GET",
            "/model-versions/get-artifact",
            May.READ_MODELS,
            {"name": "$registered", "version": "1", "path": "secret.txt"},
        ),
        Row("GET", f"{_V2}/logged-models/<model_id>/artifacts/directories", May.READ, tells=False),
        Row(
            "GET",
            f"{_V2}/logged-models/<model_id>/artifacts/files",
            May.READ,
            {"artifact_file_path": "secret.txt"},
        ),
        Row("GET", f"{_V2}/get-trace-artifact", May.READ, {"request_id": "$trace"}),
        Row("GET", f"{_V3}/get-trace-artifact", May.READ, {"request_id": "$trace"}),
    ]


def _registry() -> list[Row]:
    models, versions = f"{_V2}/registered-models", f"{_V2}/model-versions"
    read, write = May.READ_MODELS, May.WRITE_MODELS
    alias = {"name": "$registered", "alias": "best"}
    return [
        Row("GET", f"{models}/get", read, _MODEL),
        Row("GET", f"{models}/search", May.SEARCH_MODELS),
        Row("GET", f"{models}/get-latest-versions", read, _MODEL),
        Row("POST", f"{models}/get-latest-versions", read, body=_MODEL),
        Row("GET", f"{models}/alias", read, {"name": "$registered", "alias": "kept"}),
        Row("POST", f"{models}/create", May.CREATE, body={"name": "$fresh"}),
        Row("PATCH", f"{models}/update", write, body=_MODEL | {"description": "$marker"}),
        Row("POST", f"{models}/set-tag", write, body=_MODEL | _TAG),
        Row("DELETE", f"{models}/delete-tag", write, body=_MODEL | {"key": "colour"}),
        Row("POST", f"{models}/alias", write, body=alias | {"version": "1"}),
        Row("DELETE", f"{models}/alias", May.OWN, body=alias),
        Row("GET", f"{versions}/get", read, _VERSION),
        Row("GET", f"{versions}/get-download-uri", read, _VERSION, tells=False),
        Row("GET", f"{versions}/search", May.SEARCH_MODELS),
        Row(
            "POST",
            f"{versions}/create",
            write,
            body=_MODEL | {"source": "$source", "run_id": "$run"},
        ),
        Row("PATCH", f"{versions}/update", write, body=_VERSION | {"description": "$marker"}),
        Row("POST", f"{versions}/set-tag", write, body=_VERSION | _TAG),
        Row("DELETE", f"{versions}/delete-tag", May.OWN, body=_VERSION | {"key": "colour"}),
        Row(
            "POST",
            f"{versions}/transition-stage",
            write,
            body=_VERSION | {"stage": "Staging", "archive_existing_versions": False},
        ),
        Row("DELETE", f"{versions}/delete", May.OWN, body=_VERSION, last=True),
        Row("POST", f"{models}/rename", write, body=_MODEL | {"new_name": "$renamed"}, last=True),
        Row("DELETE", f"{models}/delete", May.OWN, body={"name": "$renamed"}, last=True),
    ]


def _logged_models() -> list[Row]:
    path = f"{_V2}/logged-models"
    one = f"{path}/<model_id>"
    tagged = Row("PATCH", f"{one}/tags", May.WRITE, body={"tags": [_TAG]})
    parameter = {"key": "$fresh", "value": "1"}
    return [
        Row("GET", one, May.READ),
        Row("POST", f"{path}/search", May.SEARCH, body=_EXPERIMENTS),
        Row("POST", path, May.WRITE, body=_EXPERIMENT | {"name": "new"}),
        Row("PATCH", one, May.WRITE, body={"model_id": "$model", "status": "LOGGED_MODEL_READY"}),
        Row("POST", f"{one}/params", May.WRITE, body={"model_id": "$model", "params": [parameter]}),
        tagged,
        Row("DELETE", f"{one}/tags/<tag_key>", May.OWN, first=tagged),
        Row("DELETE", one, May.OWN, last=True),
    ]


def _datasets() -> list[Row]:
    path = f"{_V3}/datasets"
    one = f"{path}/<dataset_id>"
    records = '[{"inputs": {"q": "new"}}]'
    return [
        Row("GET", one, May.READ),
        Row("GET", f"{one}/records", May.READ),
        Row("GET", f"{one}/experiment-ids", May.READ, tells=False),
        Row("GET", f"{path}/search", May.SEARCH, _EXPERIMENTS),
        Row("POST", f"{path}/search", May.SEARCH, body=_EXPERIMENTS),
        Row("POST", f"{path}/create", May.WRITE, body=_EXPERIMENTS | {"name": "$fresh"}),
        Row("POST", f"{one}/records", May.WRITE, body={"records": records}),
        Row("DELETE", f"{one}/records", May.WRITE, body={"dataset_record_ids": ["none"]}),
        Row("PATCH", f"{one}/tags", May.WRITE, body={"tags": '{"colour": "red"}'}),
        Row("DELETE", f"{one}/tags/<key>", May.WRITE),
        Row("POST", f"{one}/add-experiments", May.WRITE, body=_EXPERIMENTS),
        Row("POST", f"{one}/remove-experiments", May.WRITE, body={"experiment_ids": ["999"]}),
        Row("DELETE", one, May.OWN, last=True),
    ]


def _traces() -> list[Row]:
    old, path = f"{_V2}/traces", f"{_V3}/traces"
    opinions = f"{path}/<trace_id>/assessments"
    filters = {"filter_string1": "trace.status = 'OK'", "filter_string2": "trace.status = 'OK'"}
    count = {
        "view_type": "TRACES",
        "metric_name": "trace_count",
        "aggregations": [{"aggregation_type": "COUNT"}],
    }
    doomed = {"experiment_id": "$experiment", "request_ids": ["tr-none"]}
    tagged_once = Row("PATCH", f"{old}/<request_id>/tags", May.WRITE, body=_TAG)
    tagged = Row("PATCH", f"{path}/<trace_id>/tags", May.WRITE, body=_TAG)
    return [
        Row("GET", f"{path}/get", May.READ, _TRACE),
        Row("GET", f"{path}/<trace_id>", May.READ),
        Row("GET", f"{path}/batchGet", May.READ, {"trace_ids": "$trace"}),
        Row("POST", f"{path}/batchGetInfos", May.READ, body={"trace_ids": ["$trace"]}),
        Row("GET", f"{old}/<request_id>/info", May.READ),
        Row("GET", old, May.SEARCH, _EXPERIMENTS),
        Row("POST", f"{path}/search", May.SEARCH, body={"locations": [_PLACE]}),
        Row("POST", f"{path}/metrics", May.SEARCH, body=_EXPERIMENTS | count, tells=False),
        Row(
            "POST",
            f"{path}/calculate-filter-correlation",
            May.SEARCH,
            body=_EXPERIMENTS | filters,
            tells=False,
        ),
        Row(
            "POST",
            path,
            May.WRITE,
            body={"trace": {"trace_info": _NEW_TRACE | {"trace_id": "$fresh"}}},
        ),
        Row("POST", old, May.WRITE, body=_EXPERIMENT | {"timestamp_ms": 1}),
        Row("PATCH", f"{old}/<request_id>", May.WRITE, body={"timestamp_ms": 2, "status": "OK"}),
        tagged_once,
        Row(
            "DELETE",
            f"{old}/<request_id>/tags",
            May.WRITE,
            body={"key": "colour"},
            first=tagged_once,
        ),
        tagged,
        Row("DELETE", f"{path}/<trace_id>/tags", May.WRITE, body={"key": "colour"}, first=tagged),
        Row("GET", f"{opinions}/<assessment_id>", May.READ),
        Row("POST", opinions, May.WRITE, body={"assessment": _OPINION | _TRACE}),
        Row(
            "PATCH",
            f"{opinions}/<assessment_id>",
            May.WRITE,
            body={
                "assessment": {
                    "assessment_id": "$assessment",
                    "trace_id": "$trace",
                    "assessment_name": "judged",
                },
                "update_mask": "assessmentName",
            },
        ),
        Row(
            "POST",
            f"{old}/link-to-run",
            May.WRITE,
            body={"trace_ids": ["$trace"], "run_id": "$run"},
        ),
        Row("POST", f"{old}/link-prompts", May.WRITE, body=_TRACE | {"prompt_versions": []}),
        Row("DELETE", f"{opinions}/<assessment_id>", May.WRITE, last=True),
        Row("POST", f"{old}/delete-traces", May.OWN, body=doomed),
        Row("POST", f"{path}/delete-traces", May.OWN, body=doomed),
    ]


def _everyones() -> list[Row]:
    return [
        Row("GET", "/", May.ANYONE),
        Row("GET", "/version", May.ANYONE),
        Row("GET", "/static-files/<path>", May.ANYONE),
        Row("GET", f"{_V3}/server-info", May.ANYONE),
        Row("GET", f"{_V2}/users/current", May.ANYONE),
        Row("GET", f"{_V3}/users/current/permissions", May.ANYONE),
        Row("GET", f"{_V3}/workspaces", May.ANYONE),
    ]


_GRAPHQL_RUN = (
    "{ info { runId runName } data { params { value } } "
    "experiment { name } modelVersions { name } }"
)
GRAPHQL: dict[str, tuple[str, May, str]] = {
    "Query.mlflowGetExperiment": (
        '(input: {experimentId: "$experiment"}) { experiment { tags { value } } }',
        May.READ,
        "",
    ),
    "Query.mlflowGetRun": ('(input: {runId: "$run"}) { run ' + _GRAPHQL_RUN + " }", May.READ, ""),
    "Query.mlflowSearchRuns": (
        '(input: {experimentIds: ["$experiment"]}) { runs ' + _GRAPHQL_RUN + " }",
        May.SEARCH,
        "",
    ),
    "Query.mlflowListArtifacts": (
        '(input: {runId: "$run"}) { files { path } }',
        May.READ,
        "secret.txt",
    ),
    "Query.mlflowGetMetricHistoryBulkInterval": (
        '(input: {runIds: ["$run"], metricKey: "loss", maxResults: 9}) { metrics { runId value } }',
        May.READ,
        "$run",
    ),
    "Query.mlflowSearchModelVersions": (
        "(input: {}) { modelVersions { description } }",
        May.SEARCH_MODELS,
        "",
    ),
    "Query.test": ('(inputString: "x") { output }', May.ANYONE, ""),
    "Mutation.mlflowSearchDatasets": (
        '(input: {experimentIds: ["$experiment"]}) { datasetSummaries { name } }',
        May.SEARCH,
        "",
    ),
    "Mutation.mlflowSearchRuns": (
        '(input: {experimentIds: ["$experiment"]}) { runs ' + _GRAPHQL_RUN + " }",
        May.SEARCH,
        "",
    ),
    "Mutation.testMutation": ('(inputString: "x") { output }', May.ANYONE, ""),
}
"""Each operation's arguments and fields, who may, and what is told (empty for the marker)."""

OPEN: tuple[Row, ...] = (
    *_everyones(),
    *_experiments(),
    *_runs(),
    *_files(),
    *_registry(),
    *_logged_models(),
    *_datasets(),
    *_traces(),
)

CLOSED: dict[str, str] = {
    r"/gateway/.*": "the LLM gateway: calls any address with the base's keys",
    rf"{_V3}/gateway/.*": "the same, its settings and secrets",
    rf"{_V2}/gateway-proxy": "calls an address that the client names",
    rf"/api/3.0/jobs(?:/.*)?|{_V3}/jobs/.*": "jobs run code on the host",
    rf"{_V3}/assistant/.*": "a shell on the host",
    rf"{_V3}/mcp-servers(?:/.*)?": "a list of servers for agents, of no use here",
    r"/signup|/api/2.0/mlflow/users/create-ui": "accounts are the hub's",
    rf"(?:{_V2}|{_V3})/users/(?!current).*": "people and rights are the base's rows",
    rf"{_V3}/roles/.*": "the same",
    rf"{_V3}/workspaces/.+|POST {_V3}/workspaces": "courses and teams are the base's",
    rf"{_V2}/webhooks(?:/.*)?": "make the server call any address",
    rf"{_V2}/artifacts/presigned-.*|/api/2.0/mlflow-artifacts/presigned/.*": (
        "addresses that work without a login"
    ),
    r"/api/2.0/mlflow-artifacts/mpu/.*": "uploads to a cloud store, which this is not",
    r"DELETE /api/2.0/mlflow-artifacts/artifacts/.*": "what is logged stays",
    rf"{_V2}/experiments/update": "an experiment's name says whose it is",
    rf"{_V2}/runs/create-promptlab-run": "calls the LLM gateway",
    rf"{_V3}/(?:prompt-optimization|genai|scorers?|issues)(?:/.*)?": "run models of the gateway",
    rf"{_V3}/(?:label-schemas|review-queues|demo)(?:/.*)?": "reviews of such models' answers",
    rf"{_V3}/ui-telemetry": "reports to MLflow's makers",
    r"/v1/traces": "OpenTelemetry's way in, which knows no workspace",
    r"/health|/build/.*": "of no use to people",
    rf"{_V2}/(?:unified-traces|get-online-trace-details)|/api/2.0mlflow/.*": "not implemented",
}
"""Families of addresses that the gateway answers itself, to everyone, and why."""


def closed(method: str, path: str) -> bool:
    return any(
        re.fullmatch(family, path) or re.fullmatch(family, f"{method} {path}") for family in CLOSED
    )
