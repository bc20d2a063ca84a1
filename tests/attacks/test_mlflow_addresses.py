"""Attacks on experiments by what MLflow is known for, odd addresses, and the connection."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from attacks.leak_people import COURSE, TEAM, headers_of
from attacks.leak_server import answer_to, told
from attacks.leak_things import Things
from attacks.mlflow_attack_support import (
    ARTIFACTS,
    CURRENT,
    V2,
    get,
    post,
    raw,
    said,
)
from integration.mlflow_support import Site


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


# What is known of MLflow -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        # CVE-2026-0545: jobs without authorisation.
        ("POST", "/ajax-api/3.0/jobs/", {"job_name": "invoke_scorer", "params": {}}),
        ("POST", "/ajax-api/3.0/jobs/search", {}),
        ("PATCH", "/ajax-api/3.0/jobs/cancel/1", None),
        # CVE-2026-2652: routes of FastAPI beside /gateway without a login.
        ("POST", "/gateway/mlflow/v1/chat/completions", {"model": "x"}),
        ("POST", "/gateway/x/mlflow/invocations", {}),
        ("POST", "/gateway/proxy/x/v1/models", {}),
        ("POST", "/v1/traces", {"resourceSpans": []}),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message", {"message": "ls"}),
        ("PUT", "/ajax-api/3.0/mlflow/assistant/config", {}),
        ("POST", "/ajax-api/3.0/mlflow/mcp-servers", {"name": "x"}),
        # Addresses that work without a login (#24567).
        ("POST", "/api/2.0/mlflow/artifacts/presigned-download-url", {"run_id": "$run"}),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/x", None),
        # The server calls an address of the client's choice.
        ("POST", "/api/2.0/mlflow/webhooks", {"name": "x", "url": "http://127.0.0.1/"}),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy", {"gateway_path": "http://127.0.0.1/"}),
        # Prompts and judges run the gateway's models.
        ("POST", "/ajax-api/3.0/mlflow/scorer/invoke", {}),
        ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", {}),
    ],
)  # fmt: skip
def test_what_mlflow_is_known_for_is_closed_to_everyone(
    site: Site, method: str, path: str, body: Any
) -> None:
    for person in ("m-attacker", "m-prof", "m-chief", "m-admin"):
        inside = TEAM if person == "m-chief" else COURSE
        answer = answer_to(site, method, path, headers_of(site, person, inside), body)
        assert answer.status == 404, told(answer)
        assert "not in use here" in answer.text
    assert answer_to(site, method, path, {}, body).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/API/2.0/mlflow/users/list",
        "/api/2.0/mlflow/Users/List",
        "/api/2.0/MLFLOW/runs/search",
        "/api/2.0/mlflow/runs/search/",
        "/api/2.0/mlflow/runs/;/users/list",
        "/api/2.0/mlflow/runs/search;x=/users/list",
        "/api/2.0/mlflow/runs/search#/users/list",
        "/graphql/",
        "/GraphQL",
        "/ajax-api/4.0/mlflow/runs/search",
        "/static-files/x/../../signup",
    ],
)
def test_no_other_spelling_of_an_address_opens_it(
    site: Site, line: socket.socket, path: str
) -> None:
    answer = said(line, raw(site, path, f"X-MLFLOW-WORKSPACE: {COURSE}"))
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"405"), answer


def test_methods_are_those_that_mlflow_has(site: Site, victim: Things) -> None:
    headers = headers_of(site, "m-attacker", COURSE)
    path = f"{V2}/runs/get?run_id={victim.ids['run']}"
    for method in (
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PROPFIND",
    ):
        answer = answer_to(site, method, path, headers)
        assert answer.status in (400, 403, 404, 405), method
        assert victim.marker not in answer.text
    # The secret file's size would be told by HEAD.
    file = f"{ARTIFACTS}/{victim.ids['artifact_path']}"
    assert answer_to(site, "HEAD", file, headers).status in (403, 404, 405)


def test_graphql_takes_no_batches_and_few_aliases(site: Site, victim: Things) -> None:
    one = (
        f'mlflowGetRun(input: {{runId: "{victim.ids["run"]}"}}) {{ run {{ info {{ runName }} }} }}'
    )
    many = " ".join(f"a{number}: {one}" for number in range(200))
    for body in (
        {"query": f"query {{ {many} }}"},
        [{"query": f"query {{ {one} }}"}] * 3,
        {"query": f"query A {{ {one} }} query B {{ x: {one} }}", "operationName": "B"},
        {"query": f"fragment F on Query {{ {one} }} query {{ ...F }}"},
    ):
        answer = post(site, "/graphql", body)
        assert victim.marker not in answer.text
    hidden = "query { mlflowSearchRuns(input: {experimentIds: []}) { runs { info { runName } } } }"
    assert victim.marker not in post(site, "/graphql", {"query": hidden}).text
    assert get(site, f"/graphql?query={{{one}}}".replace(" ", "%20")).status == 404


# The connection --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "framing",
    [
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
        ("Content-Length: 4", "Content-Length: 60"),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: chunked, identity",),
    ],
)
def test_a_request_hidden_in_anothers_body_reaches_nobody(
    site: Site, line: socket.socket, victim: Things, framing: tuple[str, ...]
) -> None:
    inner = (
        f"GET {V2}/runs/get?run_id={victim.ids['run']} HTTP/1.1\r\nHost: mlflow\r\n"
        "X-ULab-Identity: 1.VS1MYWI=.9999999999.00\r\n\r\n"
    )
    start = raw(
        site, f"{V2}/runs/search", "Content-Type: application/json", *framing, method="POST"
    )
    answer = said(line, start + b"0\r\n\r\n" + inner.encode())
    assert victim.marker.encode() not in answer
    assert answer.count(b"HTTP/1.1 200") == 0
    # And the connections to MLflow are still in step.
    assert json.loads(get(site, CURRENT).text)["user"]["username"] == "m-attacker"


def test_a_connection_can_not_be_turned_into_another_protocol(
    site: Site, line: socket.socket
) -> None:
    upgrade = (
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGVzdA==",
    )  # fmt: skip
    request = raw(site, "/version", *upgrade).replace(b"Connection: close", b"Connection: Upgrade")
    line.settimeout(3)
    assert b" 101 " not in said(line, request)


def test_very_long_headers_are_refused_and_harm_nobody(site: Site, line: socket.socket) -> None:
    try:
        answer = said(line, raw(site, "/version", f"X-Long: {'x' * 200_000}"))
    except ConnectionError:
        answer = b""
    assert not answer.startswith(b"HTTP/1.1 200")
    assert get(site, "/version").status == 200


def test_refusals_name_nothing_that_was_not_sent(site: Site, victim: Things) -> None:
    """A refusal is the same for what is there and for what is not."""
    there, absent = (
        get(site, f"{V2}/experiments/get?experiment_id={number}")
        for number in (victim.ids["experiment"], "999999")
    )
    assert (there.status, there.text) == (absent.status, absent.text)
