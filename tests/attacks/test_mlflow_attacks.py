"""Attacks on experiments: by headers, workspaces, and ids that disagree."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from attacks.leak_people import COURSE, EXPIRED, OTHER_COURSE, headers_of
from attacks.leak_rows import May
from attacks.leak_server import Answer, answer_to, platform, told
from attacks.leak_table import OPEN
from attacks.leak_things import Address, Things
from attacks.mlflow_attack_support import (
    ARTIFACTS,
    CURRENT,
    V2,
    V3,
    get,
    post,
    raw,
    said,
    theirs_alone,
)
from integration.mlflow_support import Site

from ulab_mlflow.names import PLATFORM


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


# Who is asking ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        ("X-ULab-Identity: 1.VS1MYWI=.9999999999.00",),
        ("x-ulab-identity: a", "X-ULAB-IDENTITY: b"),
        ("X_ULab_Identity: 1.VS1MYWI=.9999999999.00",),
        ("X-ULab_Identity: 1", "X_ULAB-IDENTITY: 2"),
        ("X-Forwarded-User: U-Lab", "X-Remote-User: U-Lab", "Remote-User: U-Lab"),
        ("X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1"),
        ("X-Forwarded-Host: mlflow", "X-Forwarded-Prefix: /x", "X-Scheme: https"),
        ("X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT"),
        ("X-Original-URL: /api/2.0/mlflow/users/list", "X-Rewrite-URL: /signup"),
        ("Cookie: service-mlflow=forged; session=abc; jupyterhub-session-id=x",),
    ],
    ids=[
        "identity", "identity twice", "underscores", "mixed", "users", "addresses", "hosts",
        "method", "rewriting", "cookies",
    ],
)  # fmt: skip
def test_no_header_makes_someone_else_of_a_person(
    site: Site, line: socket.socket, mine: Things, headers: tuple[str, ...]
) -> None:
    answer = said(line, raw(site, CURRENT, *headers))
    assert b'"m-attacker"' in answer
    assert PLATFORM.encode() not in answer


def test_mlflows_own_accounts_and_stock_passwords_are_of_no_use(site: Site) -> None:
    """CVE-2026-2635: an administrator with a password that is known."""
    for account in ("admin:password1234", "admin:password", f"{PLATFORM}:password1234"):
        basic = base64.b64encode(account.encode()).decode()
        for path in (CURRENT, f"{V2}/users/list", "/signup", f"{ARTIFACTS}/x"):
            headers = {"authorization": f"Basic {basic}"}
            assert answer_to(site, "GET", path, headers).status == 401
    users = platform(site).call("GET", "2.0/mlflow/users/list")["users"]
    assert [user["username"] for user in users if user["is_admin"]] == [PLATFORM]


@pytest.mark.parametrize(
    "scheme", ["Bearer ", "bearer", "token ", "Basic ", "Digest ", "Bearer a b", "\t"]
)
def test_a_login_that_is_none_is_refused(site: Site, scheme: str) -> None:
    assert answer_to(site, "GET", CURRENT, {"authorization": scheme}).status == 401
    assert answer_to(site, "GET", CURRENT, headers_of(site, EXPIRED, None)).status == 401


def test_a_token_for_another_service_is_refused(site: Site) -> None:
    for service in ("ulab", ""):
        token = site.hub.give_token("m-attacker", service=service)
        answer = answer_to(site, "GET", CURRENT, {"authorization": f"Bearer {token}"})
        assert answer.status == 403


def test_a_service_is_no_person(site: Site) -> None:
    token = site.hub.give_token("m-attacker", service="mlflow", kind="service")
    answer = answer_to(site, "GET", CURRENT, {"authorization": f"Bearer {token}"})
    assert answer.status == 401


# The workspace ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        (f"X-MLFLOW-WORKSPACE: {COURSE}", f"X-MLFLOW-WORKSPACE: {OTHER_COURSE}"),
        (f"X-MLFLOW-WORKSPACE: {OTHER_COURSE}", f"X-MLFLOW-WORKSPACE: {COURSE}"),
        (f"X-MLFLOW-WORKSPACE: {COURSE}", f"X_MLFLOW_WORKSPACE: {OTHER_COURSE}"),
        (f"X-MLFLOW-WORKSPACE: {COURSE},{OTHER_COURSE}",),
        (f"X-MLFLOW-WORKSPACE: {OTHER_COURSE}\t",),
        ("X-MLFLOW-WORKSPACE: OTHER-COURSE",),
        ("X-MLFLOW-WORKSPACE: ../other-course",),
        ("X-MLFLOW-WORKSPACE: default",),
    ],
)
def test_no_spelling_of_the_workspace_leads_into_another(
    site: Site, line: socket.socket, headers: tuple[str, ...]
) -> None:
    with site.client("m-dean", OTHER_COURSE) as dean:
        assert dean.post(f"{V2}/experiments/search", json={"max_results": 99}).is_success
    site.experiment_of("m-elsewhere", OTHER_COURSE)
    query = f"/ajax-api/2.0/mlflow/experiments/search?max_results=99&workspace={OTHER_COURSE}"
    answer = said(line, raw(site, query, *headers))
    assert b"m-elsewhere" not in answer
    assert answer.split(b" ", 2)[1] in (b"200", b"400", b"403")


# Ids that disagree -----------------------------------------------------------------------------

_KEYS = (
    "run_id", "run_uuid", "runId", "runUuid", "run_ids", "runIds", "experiment_id", "experimentId",
    "experiment_ids", "experimentIds", "model_id", "modelId", "trace_id", "traceId", "request_id",
    "requestId", "trace_ids", "dataset_id", "datasetId", "assessment_id",
)  # fmt: skip


def their_id(key: str, theirs: Things) -> Any:
    plain = key.lower().replace("_", "")
    for word, name in (
        ("run", "run"), ("experiment", "experiment"), ("model", "model"), ("dataset", "dataset"),
        ("assessment", "assessment"), ("trace", "trace"), ("request", "trace"),
    ):  # fmt: skip
        if plain.startswith(word):
            return [theirs.ids[name]] if plain.endswith("ids") else theirs.ids[name]
    raise AssertionError(key)


def test_ids_of_another_beside_ones_own_are_of_no_use(
    site: Site, victim: Things, mine: Things
) -> None:
    """MLflow decides by one of them and must not act by another."""
    before = theirs_alone(site, victim)
    theirs = {key: their_id(key, victim) for key in _KEYS}
    wrong = []
    rows = [row for row in OPEN if row.may in (May.READ, May.WRITE, May.SEARCH)]
    for row in rows:
        path = Address(row, row.path).path(mine)
        own_query, own_body = mine.filled(row.query) or {}, mine.filled(row.body)
        their_query = victim.filled(row.query) or {}
        variants: list[tuple[Mapping[str, Any], Any]] = [
            (own_query | theirs, own_body),
            (theirs | own_query, own_body),
        ]
        if isinstance(own_body, dict):
            their_body = victim.filled(row.body)
            variants += [
                (own_query, theirs | own_body),
                (own_query, own_body | theirs),
                (own_body, their_body),
                (their_body, own_body),
            ]
            # Types that one reader takes for JSON and another doesn't, and a body that is wrapped.
            wrapped = json.dumps(json.dumps(their_body)).encode()
            variants += [(own_body, wrapped), (their_body, json.dumps(json.dumps(own_body)))]
            for kind in ("text/plain", "", "application/x+json", "application/json;charset=utf-16"):
                sent = json.dumps(their_body).encode()
                answer = asked(site, row.method, path, own_body, sent, **{"content-type": kind})
                if victim.marker in answer.text:
                    wrong.append(f"{row.method} {row.path} as {kind} {told(answer)}")
        elif own_query:
            variants += [(own_query, their_query), (their_query, own_query)]
        for query, body in variants:
            for order in (query, dict(reversed(query.items()))):
                answer = asked(site, row.method, path, order, body)
                if victim.marker in answer.text:
                    wrong.append(f"{row.method} {row.path} {told(answer)}")
    assert len(rows) > 50
    assert "\n".join(wrong) == ""
    assert theirs_alone(site, victim) == before


def asked(
    site: Site, method: str, path: str, query: Mapping[str, Any], body: Any, **more: str
) -> Answer:

    plain = {key: value for key, value in query.items() if not isinstance(value, dict)}
    return answer_to(
        site,
        method,
        f"{path}?{urlencode(plain, doseq=True)}",
        headers_of(site, "m-attacker", COURSE) | more,
        body,
    )


@pytest.mark.parametrize("first", ["mine", "victim"])
def test_of_an_id_given_twice_none_opens_what_is_anothers(
    site: Site, victim: Things, mine: Things, first: str
) -> None:
    ids = [mine.ids, victim.ids] if first == "mine" else [victim.ids, mine.ids]
    for path, key, name in (
        (f"{V2}/runs/get", "run_id", "run"),
        (f"{V2}/artifacts/list", "run_id", "run"),
        ("/get-artifact", "run_uuid", "run"),
        (f"{V2}/metrics/get-history-bulk", "run_id", "run"),
        (f"{V2}/experiments/get", "experiment_id", "experiment"),
        (f"{V2}/get-trace-artifact", "request_id", "trace"),
        (f"{V3}/traces/batchGet", "trace_ids", "trace"),
        (f"{V3}/datasets/search", "experiment_ids", "experiment"),
    ):
        both = "&".join(f"{key}={one[name]}" for one in ids)
        answer = get(site, f"{path}?{both}&path=secret.txt&metric_key=loss")
        assert victim.marker not in answer.text, path
        assert answer.status != 200 or victim.ids["run"] not in answer.text, path


# Writing into what is another's ----------------------------------------------------------------


def test_nothing_of_ones_own_can_be_made_to_reach_into_anothers(
    site: Site, victim: Things, mine: Things
) -> None:
    before = theirs_alone(site, victim)
    own_run, own_experiment = mine.ids["run"], mine.ids["experiment"]
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": own_experiment}}
    metric = {"key": "forged", "value": 9, "timestamp": 1, "step": 0}
    trace = {
        "trace_id": victim.ids["trace"],
        "trace_location": place,
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "request_preview": "forged",
        "tags": {"secret": "forged"},
    }
    attempts = {
        "a trace of this id in the own experiment": post(
            site, f"{V3}/traces", {"trace": {"trace_info": trace}}
        ),
        "a metric for another's model": post(
            site,
            f"{V2}/runs/log-metric",
            {"run_id": own_run, "model_id": victim.ids["model"]} | metric,
        ),
        "metrics for another's model": post(
            site,
            f"{V2}/runs/log-batch",
            {"run_id": own_run, "metrics": [metric | {"model_id": victim.ids["model"]}]},
        ),
        "another's model as an output": post(
            site,
            f"{V2}/runs/outputs",
            {"run_id": own_run, "models": [{"model_id": victim.ids["model"], "step": 1}]},
        ),
        "another's model as an input": post(
            site,
            f"{V2}/runs/log-inputs",
            {"run_id": own_run, "models": [{"model_id": victim.ids["model"]}]},
        ),
        "another's run as the source of a model": post(
            site,
            f"{V2}/logged-models",
            {"experiment_id": own_experiment, "name": "x", "source_run_id": victim.ids["run"]},
        ),
        "another's trace for the own run": post(
            site,
            f"{V2}/traces/link-to-run",
            {"trace_ids": [victim.ids["trace"]], "run_id": own_run},
        ),
        "the own data set in another's experiment": post(
            site,
            f"{V3}/datasets/{mine.ids['dataset']}/add-experiments",
            {"experiment_ids": [victim.ids["experiment"]]},
        ),
        "a data set in both experiments": post(
            site,
            f"{V3}/datasets/create",
            {"name": "x", "experiment_ids": [own_experiment, victim.ids["experiment"]]},
        ),
    }
    accepted = {what: told(answer) for what, answer in attempts.items() if answer.status == 200}
    assert accepted == {}
    assert theirs_alone(site, victim) == before


def test_who_logs_what_is_said_by_the_experiment_and_not_by_what_a_run_claims(
    site: Site, victim: Things, mine: Things
) -> None:
    claims = {
        "experiment_id": mine.ids["experiment"],
        "user_id": "m-victim",
        "start_time": 1,
        "run_name": "m-victim's best",
        "tags": [{"key": "mlflow.user", "value": "m-victim"}],
    }
    run = json.loads(post(site, f"{V2}/runs/create", claims).text)["run"]
    with site.client("m-prof", COURSE) as prof:
        found = prof.get(f"{V2}/runs/get", params={"run_id": run["info"]["run_id"]}).json()["run"]
        kept = prof.get(
            f"{V2}/experiments/get", params={"experiment_id": found["info"]["experiment_id"]}
        ).json()
        assert kept["experiment"]["name"] == "garments/m-attacker"
        theirs = prof.post(
            f"{V2}/runs/search",
            json={"experiment_ids": [victim.ids["experiment"]], "max_results": 100},
        )
        assert run["info"]["run_id"] not in theirs.text
    tags = {tag["key"]: tag["value"] for tag in found["data"]["tags"]}
    assert tags["mlflow.user"] == "m-attacker"
    assert found["info"]["user_id"] == "m-attacker"
