"""What the gateway and MLflow should answer to whom, for each address that MLflow serves.

A path is MLflow's own rule with ``/api`` for both of its spellings. Words with a ``$`` are ids of
the things that belong to the one who is spied on. An address that is in no row and in no family
of `CLOSED` fails the test until someone decides it.
"""

from __future__ import annotations

import re

from attacks.leak_rows import EXPERIMENT, EXPERIMENTS, MODEL, RUN, TAG, V2, V3, VERSION, May, Row
from attacks.leak_traces import datasets, logged_models, traces


def _experiments() -> list[Row]:
    path = f"{V2}/experiments"
    search = {"max_results": 500}
    tagged = Row("POST", f"{path}/set-experiment-tag", May.WRITE, body=EXPERIMENT | TAG)
    return [
        Row("GET", f"{path}/get", May.READ, EXPERIMENT),
        Row("GET", f"{path}/get-by-name", May.READ, {"experiment_name": "$experiment_name"}),
        Row("GET", f"{path}/search", May.SEARCH, search),
        Row("POST", f"{path}/search", May.SEARCH, body=search),
        Row("POST", f"{path}/search-datasets", May.SEARCH, body=EXPERIMENTS),
        Row("POST", f"{path}/create", May.CREATE, body={"name": "$fresh"}),
        tagged,
        Row(
            "POST",
            f"{path}/delete-experiment-tag",
            May.WRITE,
            body=EXPERIMENT | TAG,
            first=tagged,
        ),
        Row("POST", f"{path}/delete", May.OWN, body={"experiment_id": "$spare"}),
        Row("POST", f"{path}/restore", May.OWN, body={"experiment_id": "$spare"}),
    ]


def _runs() -> list[Row]:
    path = f"{V2}/runs"
    metric = {"key": "forged", "value": 1, "timestamp": 1, "step": 0}
    dataset = {"name": "d", "digest": "1", "source_type": "local", "source": "x"}
    bulk = {"run_id": "$run", "metric_key": "loss"}
    tagged = Row("POST", f"{path}/set-tag", May.WRITE, body=RUN | TAG)
    interval = {"run_ids": "$run", "metric_key": "loss", "max_results": 10}
    return [
        Row("GET", f"{path}/get", May.READ, RUN),
        Row("POST", f"{path}/search", May.SEARCH, body=EXPERIMENTS),
        Row("POST", f"{path}/create", May.WRITE, body=EXPERIMENT),
        Row("POST", f"{path}/update", May.WRITE, body=RUN | {"run_name": "renamed"}),
        Row("POST", f"{path}/log-metric", May.WRITE, body=RUN | metric),
        Row("POST", f"{path}/log-batch", May.WRITE, body=RUN | {"metrics": [metric]}),
        Row("POST", f"{path}/log-parameter", May.WRITE, body=RUN | {"key": "$fresh", "value": "1"}),
        tagged,
        Row("POST", f"{path}/delete-tag", May.WRITE, body=RUN | {"key": "colour"}, first=tagged),
        Row(
            "POST",
            f"{path}/log-inputs",
            May.WRITE,
            body=RUN | {"datasets": [{"dataset": dataset}]},
        ),
        Row(
            "POST",
            f"{path}/outputs",
            May.WRITE,
            body=RUN | {"models": [{"model_id": "$model", "step": 1}]},
            once=True,
        ),
        Row("POST", f"{path}/log-model", May.WRITE, body=RUN | {"model_json": "$model_json"}),
        Row("POST", f"{path}/delete", May.OWN, body=RUN, last=True),
        Row("POST", f"{path}/restore", May.OWN, body=RUN, last=True),
        Row("GET", f"{V2}/metrics/get-history", May.READ, bulk, tells=False),
        Row("GET", f"{V2}/metrics/get-history-bulk", May.READ, bulk, tells=False),
        Row("GET", f"{V2}/metrics/get-history-bulk-interval", May.READ, interval, tells=False),
    ]


def _files() -> list[Row]:
    proxied = "/api/2.0/mlflow-artifacts"
    file = {"run_uuid": "$run", "path": "secret.txt"}
    return [
        Row("GET", f"{V2}/artifacts/list", May.READ, RUN, tells=False),
        Row("GET", "/get-artifact", May.READ, file),
        Row(
            "POST",
            f"{V2}/upload-artifact",
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
        Row("GET", f"{V2}/logged-models/<model_id>/artifacts/directories", May.READ, tells=False),
        Row(
            "GET",
            f"{V2}/logged-models/<model_id>/artifacts/files",
            May.READ,
            {"artifact_file_path": "secret.txt"},
        ),
        Row("GET", f"{V2}/get-trace-artifact", May.READ, {"request_id": "$trace"}),
        Row("GET", f"{V3}/get-trace-artifact", May.READ, {"request_id": "$trace"}),
    ]


def _registry() -> list[Row]:
    models, versions = f"{V2}/registered-models", f"{V2}/model-versions"
    read, write = May.READ_MODELS, May.WRITE_MODELS
    alias = {"name": "$registered", "alias": "best"}
    return [
        Row("GET", f"{models}/get", read, MODEL),
        Row("GET", f"{models}/search", May.SEARCH_MODELS),
        Row("GET", f"{models}/get-latest-versions", read, MODEL),
        Row("POST", f"{models}/get-latest-versions", read, body=MODEL),
        Row("GET", f"{models}/alias", read, {"name": "$registered", "alias": "kept"}),
        Row("POST", f"{models}/create", May.CREATE, body={"name": "$fresh"}),
        Row("PATCH", f"{models}/update", write, body=MODEL | {"description": "$marker"}),
        Row("POST", f"{models}/set-tag", write, body=MODEL | TAG),
        Row("DELETE", f"{models}/delete-tag", write, body=MODEL | {"key": "colour"}),
        Row("POST", f"{models}/alias", write, body=alias | {"version": "1"}),
        Row("DELETE", f"{models}/alias", May.OWN, body=alias),
        Row("GET", f"{versions}/get", read, VERSION),
        Row("GET", f"{versions}/get-download-uri", read, VERSION, tells=False),
        Row("GET", f"{versions}/search", May.SEARCH_MODELS),
        Row(
            "POST",
            f"{versions}/create",
            write,
            body=MODEL | {"source": "$source", "run_id": "$run"},
        ),
        Row("PATCH", f"{versions}/update", write, body=VERSION | {"description": "$marker"}),
        Row("POST", f"{versions}/set-tag", write, body=VERSION | TAG),
        Row("DELETE", f"{versions}/delete-tag", May.OWN, body=VERSION | {"key": "colour"}),
        Row(
            "POST",
            f"{versions}/transition-stage",
            write,
            body=VERSION | {"stage": "Staging", "archive_existing_versions": False},
        ),
        Row("DELETE", f"{versions}/delete", May.OWN, body=VERSION, last=True),
        Row("POST", f"{models}/rename", write, body=MODEL | {"new_name": "$renamed"}, last=True),
        Row("DELETE", f"{models}/delete", May.OWN, body={"name": "$renamed"}, last=True),
    ]


def _everyones() -> list[Row]:
    return [
        Row("GET", "/", May.ANYONE),
        Row("GET", "/version", May.ANYONE),
        Row("GET", "/static-files/<path>", May.ANYONE),
        Row("GET", f"{V3}/server-info", May.ANYONE),
        Row("GET", f"{V2}/users/current", May.ANYONE),
        Row("GET", f"{V3}/users/current/permissions", May.ANYONE),
        Row("GET", f"{V3}/workspaces", May.ANYONE),
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
    *logged_models(),
    *datasets(),
    *traces(),
)

CLOSED: dict[str, str] = {
    r"/gateway/.*": "the LLM gateway: calls any address with the base's keys",
    rf"{V3}/gateway/.*": "the same, its settings and secrets",
    rf"{V2}/gateway-proxy": "calls an address that the client names",
    rf"/api/3.0/jobs(?:/.*)?|{V3}/jobs/.*": "jobs run code on the host",
    rf"{V3}/assistant/.*": "a shell on the host",
    rf"{V3}/mcp-servers(?:/.*)?": "a list of servers for agents, of no use here",
    r"/signup|/api/2.0/mlflow/users/create-ui": "accounts are the hub's",
    rf"(?:{V2}|{V3})/users/(?!current).*": "people and rights are the base's rows",
    rf"{V3}/roles/.*": "the same",
    rf"{V3}/workspaces/.+|POST {V3}/workspaces": "courses and teams are the base's",
    rf"{V2}/webhooks(?:/.*)?": "make the server call any address",
    rf"{V2}/artifacts/presigned-.*|/api/2.0/mlflow-artifacts/presigned/.*": (
        "addresses that work without a login"
    ),
    r"/api/2.0/mlflow-artifacts/mpu/.*": "uploads to a cloud store, which this is not",
    r"DELETE /api/2.0/mlflow-artifacts/artifacts/.*": "what is logged stays",
    rf"{V2}/experiments/update": "an experiment's name says whose it is",
    rf"{V2}/runs/create-promptlab-run": "calls the LLM gateway",
    rf"{V3}/(?:prompt-optimization|genai|scorers?|issues)(?:/.*)?": "run models of the gateway",
    rf"{V3}/(?:label-schemas|review-queues|demo)(?:/.*)?": "reviews of such models' answers",
    rf"{V3}/ui-telemetry": "reports to MLflow's makers",
    r"/v1/traces": "OpenTelemetry's way in, which knows no workspace",
    r"/health|/build/.*": "of no use to people",
    rf"{V2}/(?:unified-traces|get-online-trace-details)|/api/2.0mlflow/.*": "not implemented",
}
"""Families of addresses that the gateway answers itself, to everyone, and why."""


def closed(method: str, path: str) -> bool:
    return any(
        re.fullmatch(family, path) or re.fullmatch(family, f"{method} {path}") for family in CLOSED
    )
