"""Attacks on experiments: by headers, addresses, ids that disagree, files, and what is known."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from attacks.leak_people import COURSE, EXPIRED, OTHER_COURSE, TEAM, headers_of
from attacks.leak_server import Answer, answer_to, platform
from attacks.leak_table import OPEN, May
from attacks.leak_things import Things, make_things
from attacks.test_mlflow_leaks import Address, snapshot, told
from integration.mlflow_support import Site

from ulab_mlflow.names import PLATFORM, PREFIX

V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
CURRENT = f"{V2}/users/current"


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


@pytest.fixture(scope="module")
def victim(site: Site) -> Things:
    """A student's things; the attacker is in the same course, and was told every id."""
    site.hub.give_token("m-prof", service="mlflow")
    return make_things(site, COURSE, "m-victim", "garments/m-victim")


@pytest.fixture(scope="module")
def mine(site: Site) -> Things:
    return make_things(site, COURSE, "m-attacker", "garments/m-attacker")


def post(site: Site, path: str, body: Any, person: str = "m-attacker", **more: str) -> Answer:
    headers = headers_of(site, person, COURSE) | more
    return answer_to(site, "POST", path, headers, body)


def get(site: Site, path: str, person: str = "m-attacker", **more: str) -> Answer:
    return answer_to(site, "GET", path, headers_of(site, person, COURSE) | more)


def theirs_alone(site: Site, things: Things) -> dict[str, Any]:
    """What is kept of the things, without what the attacker rightly does beside them."""
    kept = snapshot(site, things)
    below = f"workspaces/{things.workspace}/{things.ids['experiment']}/"
    kept["files"] = {name: size for name, size in kept["files"].items() if name.startswith(below)}
    beside = ("experiments", "registry", "versions")
    return {what: value for what, value in kept.items() if what not in beside}


# Who is asking ---------------------------------------------------------------------------------


@pytest.fixture
def line(site: Site) -> Iterator[socket.socket]:
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as opened:
        yield opened


def said(line: socket.socket, request: bytes) -> bytes:
    """All that comes back for bytes that no client would send."""
    line.sendall(request)
    parts = []
    try:
        while part := line.recv(65536):
            parts.append(part)
    except TimeoutError:
        pass
    return b"".join(parts)


def raw(site: Site, path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [
        f"{method} {PREFIX}{path} HTTP/1.1",
        "Host: base",
        "Connection: close",
        f"Authorization: Bearer {site.token('m-attacker')}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


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


# Files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        "{root}/../{theirs}/secret.txt",
        "{root}/%2e%2e/%2e%2e/%2e%2e/{their_root}/secret.txt",
        "{root}/..%2f..%2f..%2f{their_root}/secret.txt",
        "{root}/%252e%252e/%252e%252e/{their_root}/secret.txt",
        "{root}\\..\\..\\{theirs}\\secret.txt",
        "{root}/..%5c..%5c{theirs}%5csecret.txt",
        "/{their_root}/secret.txt",
        "%2f{their_root}/secret.txt",
        "{root}/%2e/..;/..;/{their_root}/secret.txt",
        "{root}/%00/../../{their_root}/secret.txt",
        "{their_root}/secret.txt",
        "{their_root_upper}/secret.txt",
        "file:///etc/passwd",
        "{root}/file:/etc/passwd",
        "../../../../../../etc/passwd",
    ],
)
def test_no_artifact_path_leads_to_anothers_file(
    site: Site, line: socket.socket, victim: Things, mine: Things, way: str
) -> None:
    root, their_root = mine.ids["artifact_root"], victim.ids["artifact_root"]
    path = way.format(
        root=root,
        their_root=their_root,
        their_root_upper=their_root.upper(),
        theirs=victim.ids["run"],
    )
    header = f"X-MLFLOW-WORKSPACE: {COURSE}"
    answer = said(line, raw(site, f"{ARTIFACTS}/{path}", header))
    assert answer.split(b" ", 2)[1] in (b"400", b"403", b"404"), answer
    for query in (f"path={path}", f"path={way and path}&run_uuid={mine.ids['run']}"):
        for address in (
            ARTIFACTS,
            "/get-artifact",
            f"{V2}/artifacts/list?run_id={mine.ids['run']}",
        ):
            joint = "&" if "?" in address else "?"
            with socket.create_connection(line.getpeername(), timeout=20) as other:
                said_there = said(other, raw(site, f"{address}{joint}{query}", header))
            assert victim.marker.encode() not in said_there, address
            assert b"root:x:" not in said_there, address
    assert victim.marker.encode() not in answer
    assert b"root:x:" not in answer


def artifacts_folder(site: Site) -> Path:
    return site.settings.server.state_dir / "mlflow" / "artifacts"


def test_a_link_cannot_be_uploaded_and_the_store_holds_none(
    site: Site, victim: Things, mine: Things
) -> None:
    """Nobody but the base writes there, and what it writes are plain files."""
    path = f"{ARTIFACTS}/{mine.ids['artifact_root']}/link"
    headers = headers_of(site, "m-attacker", COURSE)
    for body in (b"/etc/passwd", b"../secret.txt"):
        assert answer_to(site, "PUT", path, headers, body).status == 200
        assert answer_to(site, "GET", path, headers).text == body.decode()
    assert [file for file in artifacts_folder(site).rglob("*") if file.is_symlink()] == []
    # Neither in the way of a folder that another's upload would need.
    over = f"{ARTIFACTS}/{victim.ids['artifact_root']}/secret.txt/x"
    assert answer_to(site, "PUT", over, headers, b"x").status == 403


def elsewhere(victim: Things, mine: Things) -> list[str]:
    theirs = victim.ids["source"]
    return [
        "file:///etc",
        "file:///etc/passwd",
        "/etc",
        "file:" + "/" * 3 + "..%2f..%2fetc",
        theirs,
        theirs.replace("mlflow-artifacts:/", "mlflow-artifacts://x/"),
        mine.ids["source"] + "/../../" + victim.ids["run"] + "/artifacts",
        mine.ids["source"] + "/%2e%2e/%2e%2e/" + victim.ids["run"] + "/artifacts",
        f"runs:/{victim.ids['run']}/",
        f"models:/{victim.ids['registered']}/1",
        f"models:/{victim.ids['model']}",
        f"mlflow-artifacts:/workspaces/{COURSE}",
        "http://127.0.0.1:1/",
        "s3://bucket/x",
    ]


def test_a_teams_model_can_not_point_at_files_outside_the_team(site: Site, victim: Things) -> None:
    """Of a version's source, a link to a run, and an experiment's place for files."""
    team = make_things(site, TEAM, "m-member", "sources")
    headers = headers_of(site, "m-member", TEAM)

    def tell(path: str, body: Any) -> Answer:
        return answer_to(site, "POST", path, headers, body)

    leaked = []
    for source in elsewhere(victim, team):
        for more in ({}, {"run_id": team.ids["run"]}, {"run_id": victim.ids["run"]}):
            body = {"name": team.ids["registered"], "source": source} | more
            answer = tell(f"{V2}/model-versions/create", body)
            if answer.status != 200:
                assert victim.marker not in answer.text
                continue
            version = json.loads(answer.text)["model_version"]["version"]
            for file in ("secret.txt", "passwd", "hostname", "x"):
                asked_for = f"name={team.ids['registered']}&version={version}&path={file}"
                opened = answer_to(
                    site, "GET", f"/model-versions/get-artifact?{asked_for}", headers
                )
                if victim.marker in opened.text or "root:x:" in opened.text:
                    leaked.append(f"{source} {more} {file}")
    assert leaked == []
    for place in ("file:///etc", "/etc", *elsewhere(victim, team)[4:6]):
        made = tell(f"{V2}/experiments/create", {"name": f"at {place}", "artifact_location": place})
        if made.status != 200:
            continue
        experiment = json.loads(made.text)["experiment_id"]
        run = json.loads(tell(f"{V2}/runs/create", {"experiment_id": experiment}).text)["run"]
        listed = answer_to(
            site, "GET", f"{V2}/artifacts/list?run_id={run['info']['run_id']}", headers
        )
        assert victim.ids["run"] not in listed.text
        assert not run["info"]["artifact_uri"].startswith(("file:", "/")), place


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
