"""One of everything that MLflow keeps, with a secret in it, for the leak matrix."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from attacks.leak_people import TEAM
from attacks.leak_rows import Row
from attacks.leak_server import past_the_gateway, platform
from integration.mlflow_support import Site

from ulab_mlflow.cards import CardField
from ulab_mlflow.names import PLATFORM

V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"


@dataclass
class Things:
    """One of everything that MLflow keeps, each with a secret in it.

    Attributes
    ----------
    marker
        The secret; an answer that holds it tells of a thing.
    ids
        What `leak_table` names with a ``$``.
    """

    workspace: str
    marker: str
    ids: dict[str, str] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """`value` with the ids in the place of their names, and new names where some are wanted."""
        if isinstance(value, str):
            return Template(value).safe_substitute(
                self.ids, marker=self.marker, fresh=f"new-{uuid.uuid4().hex}"
            )
        if isinstance(value, Mapping):
            return {key: self.filled(inner) for key, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value


class Address(NamedTuple):
    """One row at one of the spellings that MLflow serves."""

    row: Row
    rule: str

    def path(self, things: Things) -> str:
        def filled(found: re.Match[str]) -> str:
            return things.ids[found[1]]

        return re.sub(r"<(\w+)>", filled, self.rule)


def make_things(site: Site, workspace: str, maker: str, experiment: str) -> Things:
    """Log one of everything.

    Parameters
    ----------
    maker
        Who logs it.
    experiment
        The name of the experiment: created in a team, there already in a course.
    """
    marker = f"secret{uuid.uuid4().hex}"
    things = Things(workspace, marker)
    ids = things.ids
    admin = platform(site)

    def ask(method: str, path: str, **values: Any) -> Any:
        with site.client(maker, workspace) as client:
            asks = method == "GET"
            answer = client.request(
                method, path, params=values if asks else None, json=None if asks else values
            )
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def create(path: str, **values: Any) -> Any:
        """What only the platform may make in a course."""
        if workspace == TEAM:
            return ask("POST", f"{V2}/{path}", **values)
        return admin.call("POST", f"2.0/mlflow/{path}", inside=workspace, **values)

    if workspace == TEAM:
        ids["experiment"] = create("experiments/create", name=experiment)["experiment_id"]
    else:
        ids["experiment"] = site.experiment_of(maker, workspace)
    ids["experiment_name"] = experiment
    ids["spare"] = create("experiments/create", name=f"spare-{maker}")["experiment_id"]
    tag = {"key": "secret", "value": marker}
    ask("POST", f"{V2}/experiments/set-experiment-tag", experiment_id=ids["experiment"], **tag)
    run = ask("POST", f"{V2}/runs/create", experiment_id=ids["experiment"], run_name=marker)
    ids["run"] = run["run"]["info"]["run_id"]
    root = run["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:").strip("/")
    ids |= {"artifact_root": root, "artifact_path": f"{root}/secret.txt"}
    ids |= {"new_artifact": f"{root}/up.txt", "source": run["run"]["info"]["artifact_uri"]}
    point = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}
    dataset = {"name": marker, "digest": "1", "source_type": "local", "source": marker}
    ask(
        "POST", f"{V2}/runs/log-batch", run_id=ids["run"], metrics=[point], params=[tag], tags=[tag]
    )
    ask("POST", f"{V2}/runs/log-inputs", run_id=ids["run"], datasets=[{"dataset": dataset}])
    put(site, maker, workspace, ids["artifact_path"], marker.encode())
    model = ask(
        "POST",
        f"{V2}/logged-models",
        experiment_id=ids["experiment"],
        name="net",
        params=[tag],
        source_run_id=ids["run"],
    )["model"]["info"]
    ids |= {"model": model["model_id"], "model_id": model["model_id"], "tag_key": "colour"}
    ask("PATCH", f"{V2}/logged-models/{model['model_id']}/tags", tags=[tag])
    place = model["artifact_uri"].removeprefix("mlflow-artifacts:").strip("/")
    put(site, maker, workspace, f"{place}/secret.txt", marker.encode())
    flavour = {
        "artifact_path": "net",
        "run_id": ids["run"],
        "utc_time_created": "2026",
        "flavors": {},
    }
    ids["model_json"] = json.dumps(flavour | {"model_uuid": uuid.uuid4().hex})
    _make_trace(site, things, maker, ask)
    record = [{"inputs": {"q": marker}}]
    made = ask("POST", f"{V3}/datasets/create", name=marker, experiment_ids=[ids["experiment"]])[
        "dataset"
    ]
    ids |= {"dataset": made["dataset_id"], "dataset_id": made["dataset_id"], "key": "colour"}
    ask("POST", f"{V3}/datasets/{made['dataset_id']}/records", records=json.dumps(record))
    ids |= {"registered": f"model-{maker}", "renamed": f"renamed-{maker}"}
    create("registered-models/create", name=ids["registered"], description=marker)
    version = {"name": ids["registered"], "source": ids["source"], "run_id": ids["run"]}
    create("model-versions/create", **version, description=marker, tags=_card(maker))
    create("registered-models/alias", name=ids["registered"], alias="kept", version="1")
    ids["path"] = _a_static_file()
    admin.close()
    return things


def put(site: Site, person: str, workspace: str, path: str, content: bytes) -> None:
    with site.client(person, workspace) as client:
        url = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
        client.put(url, content=io.BytesIO(content)).raise_for_status()


def _make_trace(site: Site, things: Things, maker: str, ask: Any) -> None:
    ids, marker = things.ids, things.marker
    trace = f"tr-{uuid.uuid4().hex}"
    place = {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": ids["experiment"]},
    }
    info = {
        "trace_id": trace,
        "trace_location": place,
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "request_preview": marker,
        "tags": {"secret": marker},
    }
    made = ask("POST", f"{V3}/traces", trace={"trace_info": info})["trace"]["trace_info"]
    uri = made["tags"]["mlflow.artifactLocation"]
    folder = uri.removeprefix("mlflow-artifacts:").strip("/")
    spans = json.dumps({"spans": [], "request": marker}).encode()
    put(site, maker, things.workspace, f"{folder}/traces.json", spans)
    opinion = {
        "assessment_name": "judged",
        "trace_id": trace,
        "source": {"source_type": "HUMAN", "source_id": maker},
        "feedback": {"value": marker},
    }
    answer = ask("POST", f"{V3}/traces/{trace}/assessments", assessment=opinion)
    assessment = answer["assessment"]["assessment_id"]
    _add_span(site, things, trace)
    ids |= {"trace": trace, "trace_id": trace, "request_id": trace}
    ids |= {"assessment": assessment, "assessment_id": assessment}


def _add_span(site: Site, things: Things, trace: str) -> None:
    """Keep what was traced in MLflow's database, where most of its addresses look for it."""
    span = {
        "traceId": trace.removeprefix("tr-"),
        "spanId": uuid.uuid4().hex[:16],
        "name": "step",
        "startTimeUnixNano": "1000",
        "endTimeUnixNano": "2000",
        "attributes": [
            {"key": "mlflow.traceRequestId", "value": {"stringValue": json.dumps(trace)}},
            {"key": "secret", "value": {"stringValue": json.dumps(things.marker)}},
        ],
    }
    with past_the_gateway(site, PLATFORM, things.workspace) as client:
        client.post(
            "/v1/traces",
            json={"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]},
            headers={"x-mlflow-experiment-id": things.ids["experiment"]},
        ).raise_for_status()


def _card(owner: str) -> list[dict[str, str]]:
    said = {
        CardField.DATA_REVISION: "1",
        CardField.CODE_SHA256: "0" * 64,
        CardField.LICENCE: "MIT",
        CardField.OWNER: owner,
        CardField.INTENDED_USE: "none",
    }
    return [{"key": card.tag, "value": value} for card, value in said.items()]


def _a_static_file() -> str:
    [package] = find_spec("mlflow").submodule_search_locations  # without importing all of it
    build = Path(package) / "server" / "js" / "build"
    return str(next(build.glob("static/js/main*.js")).relative_to(build))


def snapshot(site: Site, things: Things) -> dict[str, Any]:
    """What is kept of the things, in MLflow's administrator's eyes."""
    ids, inside = things.ids, things.workspace
    admin = platform(site)
    values = {
        "experiment": admin.call(
            "GET", "2.0/mlflow/experiments/get", inside=inside, experiment_id=ids["experiment"]
        ),
        "experiments": admin.call(
            "GET", "2.0/mlflow/experiments/search", inside=inside, max_results=1000
        ),
        "run": admin.call("GET", "2.0/mlflow/runs/get", inside=inside, run_id=ids["run"]),
        "runs": len(
            admin.call(
                "POST",
                "2.0/mlflow/runs/search",
                inside=inside,
                experiment_ids=[ids["experiment"]],
            )["runs"]
        ),
        "models": admin.call(
            "POST",
            "2.0/mlflow/logged-models/search",
            inside=inside,
            experiment_ids=[ids["experiment"]],
        ),
        "registry": admin.call("GET", "2.0/mlflow/registered-models/search", inside=inside),
        "versions": admin.call("GET", "2.0/mlflow/model-versions/search", inside=inside),
        "trace": admin.call("GET", "3.0/mlflow/traces/get", inside=inside, trace_id=ids["trace"]),
        "dataset": admin.call("GET", f"3.0/mlflow/datasets/{ids['dataset']}", inside=inside),
        "records": admin.call(
            "GET", f"3.0/mlflow/datasets/{ids['dataset']}/records", inside=inside
        ),
    }
    admin.close()
    root = site.settings.server.state_dir / "mlflow" / "artifacts"
    values["files"] = {
        str(file.relative_to(root)): file.stat().st_size
        for file in root.rglob("*")
        if file.is_file()
    }
    return values
