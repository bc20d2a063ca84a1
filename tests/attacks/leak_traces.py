"""The rows of the leak table for models that runs logged, data sets and traces."""

from __future__ import annotations

from attacks.leak_rows import (
    EXPERIMENT,
    EXPERIMENTS,
    NEW_TRACE,
    OPINION,
    PLACE,
    TAG,
    TRACE,
    V2,
    V3,
    May,
    Row,
)


def logged_models() -> list[Row]:
    path = f"{V2}/logged-models"
    one = f"{path}/<model_id>"
    tagged = Row("PATCH", f"{one}/tags", May.WRITE, body={"tags": [TAG]})
    parameter = {"key": "$fresh", "value": "1"}
    return [
        Row("GET", one, May.READ),
        Row("POST", f"{path}/search", May.SEARCH, body=EXPERIMENTS),
        Row("POST", path, May.WRITE, body=EXPERIMENT | {"name": "new"}),
        Row("PATCH", one, May.WRITE, body={"model_id": "$model", "status": "LOGGED_MODEL_READY"}),
        Row("POST", f"{one}/params", May.WRITE, body={"model_id": "$model", "params": [parameter]}),
        tagged,
        Row("DELETE", f"{one}/tags/<tag_key>", May.OWN, first=tagged),
        Row("DELETE", one, May.OWN, last=True),
    ]


def datasets() -> list[Row]:
    path = f"{V3}/datasets"
    one = f"{path}/<dataset_id>"
    records = '[{"inputs": {"q": "new"}}]'
    return [
        Row("GET", one, May.READ),
        Row("GET", f"{one}/records", May.READ),
        Row("GET", f"{one}/experiment-ids", May.READ, tells=False),
        Row("GET", f"{path}/search", May.SEARCH, EXPERIMENTS),
        Row("POST", f"{path}/search", May.SEARCH, body=EXPERIMENTS),
        Row("POST", f"{path}/create", May.WRITE, body=EXPERIMENTS | {"name": "$fresh"}),
        Row("POST", f"{one}/records", May.WRITE, body={"records": records}),
        Row("DELETE", f"{one}/records", May.WRITE, body={"dataset_record_ids": ["none"]}),
        Row("PATCH", f"{one}/tags", May.WRITE, body={"tags": '{"colour": "red"}'}),
        Row("DELETE", f"{one}/tags/<key>", May.WRITE),
        Row("POST", f"{one}/add-experiments", May.WRITE, body=EXPERIMENTS),
        Row("POST", f"{one}/remove-experiments", May.WRITE, body={"experiment_ids": ["999"]}),
        Row("DELETE", one, May.OWN, last=True),
    ]


def traces() -> list[Row]:
    old, path = f"{V2}/traces", f"{V3}/traces"
    opinions = f"{path}/<trace_id>/assessments"
    filters = {"filter_string1": "trace.status = 'OK'", "filter_string2": "trace.status = 'OK'"}
    count = {
        "view_type": "TRACES",
        "metric_name": "trace_count",
        "aggregations": [{"aggregation_type": "COUNT"}],
    }
    doomed = {"experiment_id": "$experiment", "request_ids": ["tr-none"]}
    tagged_once = Row("PATCH", f"{old}/<request_id>/tags", May.WRITE, body=TAG)
    tagged = Row("PATCH", f"{path}/<trace_id>/tags", May.WRITE, body=TAG)
    return [
        Row("GET", f"{path}/get", May.READ, TRACE),
        Row("GET", f"{path}/<trace_id>", May.READ),
        Row("GET", f"{path}/batchGet", May.READ, {"trace_ids": "$trace"}),
        Row("POST", f"{path}/batchGetInfos", May.READ, body={"trace_ids": ["$trace"]}),
        Row("GET", f"{old}/<request_id>/info", May.READ),
        Row("GET", old, May.SEARCH, EXPERIMENTS),
        Row("POST", f"{path}/search", May.SEARCH, body={"locations": [PLACE]}),
        Row("POST", f"{path}/metrics", May.SEARCH, body=EXPERIMENTS | count, tells=False),
        Row(
            "POST",
            f"{path}/calculate-filter-correlation",
            May.SEARCH,
            body=EXPERIMENTS | filters,
            tells=False,
        ),
        Row(
            "POST",
            path,
            May.WRITE,
            body={"trace": {"trace_info": NEW_TRACE | {"trace_id": "$fresh"}}},
        ),
        Row("POST", old, May.WRITE, body=EXPERIMENT | {"timestamp_ms": 1}),
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
        Row("POST", opinions, May.WRITE, body={"assessment": OPINION | TRACE}),
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
        Row("POST", f"{old}/link-prompts", May.WRITE, body=TRACE | {"prompt_versions": []}),
        Row("DELETE", f"{opinions}/<assessment_id>", May.WRITE, last=True),
        Row("POST", f"{old}/delete-traces", May.OWN, body=doomed),
        Row("POST", f"{path}/delete-traces", May.OWN, body=doomed),
    ]
