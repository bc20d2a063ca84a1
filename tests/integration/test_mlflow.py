"""Experiments: who may log and see what, with a real MLflow behind the real gateway."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from integration.mlflow_support import ENERGY, VISION, Site

from ulab_core.database import Database
from ulab_core.hub_auth import HubLogin
from ulab_core.models import Enrolment, Person, Role
from ulab_core.secret_files import shared_key
from ulab_mlflow.gateway import LOGIN_SECONDS, STANDING_SECONDS
from ulab_mlflow.links import run_link
from ulab_mlflow.names import (
    IDENTITY_HEADER,
    PLATFORM,
    PREFIX,
    WORKSPACE_HEADER,
    identity_key_file,
    socket_of,
)
from ulab_mlflow.signature import sign

API = "/api/2.0/mlflow"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


@pytest.fixture(scope="module")
def run_of_lin(site: Site) -> dict[str, Any]:
    run = site.new_run("lin")
    with site.client("lin") as client:
        run_id = run["info"]["run_id"]
        logged = client.post(
            f"{API}/runs/log-batch",
            json={
                "run_id": run_id,
                "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}],
                "params": [{"key": "lr", "value": "0.1"}],
            },
        )
        assert logged.status_code == 200, logged.text
        assert client.put(artifact_path(run, "notes.txt"), content=b"mine").status_code == 200
    return run


def artifact_path(run: dict[str, Any], name: str) -> str:
    place = run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:").strip("/")
    return f"/api/2.0/mlflow-artifacts/artifacts/{place}/{name}"


def search(client: httpx.Client, experiment: str) -> list[Any]:
    answer = client.post(f"{API}/runs/search", json={"experiment_ids": [experiment]})
    assert answer.status_code == 200, answer.text
    runs: list[Any] = answer.json().get("runs", [])
    return runs


def graphql(client: httpx.Client, experiment: str) -> httpx.Response:
    query = (
        "query S($data: MlflowSearchRunsInput!)"
        "{ mlflowSearchRuns(input: $data) { runs { info { runId } } apiError { code } } }"
    )
    return client.post(
        "/graphql",
        json={"query": query, "variables": {"data": {"experimentIds": [experiment]}}},
    )


# What a student may do -------------------------------------------------------------------------


def test_a_student_logs_to_the_own_experiment_and_reads_it_back(
    site: Site, run_of_lin: dict[str, Any]
) -> None:
    run_id = run_of_lin["info"]["run_id"]
    with site.client("lin") as client:
        found = client.get(f"{API}/runs/get", params={"run_id": run_id}).json()["run"]
        assert found["data"]["metrics"][0]["value"] == 0.5
        assert run_id in [r["info"]["run_id"] for r in search(client, site.experiment_of("lin"))]
        assert run_id in graphql(client, site.experiment_of("lin")).text
        assert client.get(artifact_path(run_of_lin, "notes.txt")).content == b"mine"


def test_a_student_sees_only_the_own_workspaces_and_experiments(site: Site) -> None:
    site.experiment_of("wang")
    with site.client("lin", None) as client:
        listed = client.get("/api/3.0/mlflow/workspaces").json()["workspaces"]
        assert [found["name"] for found in listed] == [VISION]
    with site.client("lin") as client:
        found = client.post(f"{API}/experiments/search", json={"max_results": 100}).json()
        assert [e["name"] for e in found["experiments"]] == ["garments/lin"]


def test_a_large_artifact_goes_through_as_a_stream(site: Site) -> None:
    run = site.new_run("lin")
    chunk = bytes(range(256)) * (MEGABYTE // 256)

    def body() -> Iterator[bytes]:
        for _ in range(60):
            yield chunk

    with site.client("lin") as client:
        path = artifact_path(run, "model.bin")
        assert client.put(path, content=body()).status_code == 200
        size = 0
        with client.stream("GET", path) as answer:
            assert answer.status_code == 200
            for part in answer.iter_bytes():
                size += len(part)
        assert size == 60 * MEGABYTE


def test_a_body_beyond_the_limit_is_refused_with_a_sentence(site: Site) -> None:
    run = site.new_run("lin")
    chunk = bytes(MEGABYTE)
    with site.client("lin") as client:
        path = artifact_path(run, "huge.bin")
        said = client.put(path, content=bytes(65 * MEGABYTE))
        assert said.status_code == 413
        assert "64 MiB" in said.json()["message"]
        unsaid = client.put(path, content=(chunk for _ in range(65)))
        assert unsaid.status_code == 413
        assert client.get(path).status_code == 404
        batch = client.post(f"{API}/runs/log-batch", content=(chunk for _ in range(17)))
        assert batch.status_code == 413


# What another student may not ------------------------------------------------------------------


@pytest.mark.parametrize("person", ["wang", "dean", "stranger"])
def test_others_are_refused_a_students_run(
    site: Site, run_of_lin: dict[str, Any], person: str
) -> None:
    run_id, experiment = run_of_lin["info"]["run_id"], site.experiment_of("lin")
    for workspace in (VISION, ENERGY):
        with site.client(person, workspace) as client:
            for answer in (
                client.get(f"{API}/runs/get", params={"run_id": run_id}),
                client.get(f"{API}/experiments/get", params={"experiment_id": experiment}),
                client.get(f"{API}/artifacts/list", params={"run_id": run_id}),
                client.get("/get-artifact", params={"run_uuid": run_id, "path": "notes.txt"}),
                client.get(artifact_path(run_of_lin, "notes.txt")),
                client.put(artifact_path(run_of_lin, "notes.txt"), content=b"forged"),
                client.get(
                    f"{API}/metrics/get-history", params={"run_id": run_id, "metric_key": "loss"}
                ),
                client.post(
                    f"{API}/runs/log-metric",
                    json={"run_id": run_id, "key": "loss", "value": 0, "timestamp": 1},
                ),
                client.post(f"{API}/runs/create", json={"experiment_id": experiment}),
            ):
                assert answer.status_code in (403, 404), f"{answer.request.url}: {answer.text}"
            leaks = client.post(f"{API}/runs/search", json={"experiment_ids": [experiment]})
            assert run_id not in leaks.text
            assert run_id not in graphql(client, experiment).text
            found = client.post(f"{API}/experiments/search", json={"max_results": 100})
            assert "garments/lin" not in found.text
    with site.client("lin") as client:
        assert client.get(artifact_path(run_of_lin, "notes.txt")).content == b"mine"


def test_a_student_can_not_enter_another_course(site: Site) -> None:
    with site.client("lin", ENERGY) as client:
        answer = client.post(f"{API}/experiments/search", json={"max_results": 1})
        assert answer.status_code == 403
        assert answer.json()["message"] == f"You are in no course or team called {ENERGY}."


def test_a_student_can_not_create_share_rename_or_delete(
    site: Site, run_of_lin: dict[str, Any]
) -> None:
    experiment = site.experiment_of("lin")
    with site.client("lin") as client:
        for path, body in (
            (f"{API}/experiments/create", {"name": "garments/wang2"}),
            (f"{API}/experiments/delete", {"experiment_id": experiment}),
            (f"{API}/runs/delete", {"run_id": run_of_lin["info"]["run_id"]}),
            (f"{API}/registered-models/create", {"name": "mine"}),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 403, f"{path}: {answer.text}"
        for path in (f"{API}/experiments/update", "/ajax-api/2.0/mlflow/experiments/update"):
            renamed = client.post(
                path, json={"experiment_id": experiment, "new_name": "garments/dean"}
            )
            assert renamed.status_code == 404
        shared = client.post(
            "/api/3.0/mlflow/users/permissions/grant",
            json={
                "username": "wang",
                "resource_type": "experiment",
                "resource_id": experiment,
                "permission": "READ",
            },
        )
        assert shared.status_code == 404
        found = client.get(f"{API}/registered-models/search")
        assert found.status_code == 403 or not found.json().get("registered_models")


def test_an_unpublished_assignment_has_no_experiment_for_students(site: Site) -> None:
    asked = {"course": VISION, "assignment": "unpublished"}
    with site.client("lin", None) as client:
        answer = client.get("/ulab/experiment", params=asked)
        assert answer.status_code == 404
        assert "unpublished" in answer.json()["message"]
    for person in ("prof", "ta"):
        with site.client(person, None) as client:
            assert client.get("/ulab/experiment", params=asked).status_code == 200


# Instructors and assistants ----------------------------------------------------------------------


@pytest.mark.parametrize("person", ["prof", "ta"])
def test_who_teaches_sees_every_run_of_the_course_and_changes_none(
    site: Site, run_of_lin: dict[str, Any], person: str
) -> None:
    run_id, experiment = run_of_lin["info"]["run_id"], site.experiment_of("lin")
    with site.client(person) as client:
        assert run_id in [r["info"]["run_id"] for r in search(client, experiment)]
        assert client.get(artifact_path(run_of_lin, "notes.txt")).content == b"mine"
        forged = {"run_id": run_id, "key": "loss", "value": 0, "timestamp": 1}
        for path, body in (
            (f"{API}/runs/log-metric", forged),
            (f"{API}/runs/delete", {"run_id": run_id}),
            (f"{API}/experiments/delete", {"experiment_id": experiment}),
            # The name of a student who has not come yet, and files of the host.
            (f"{API}/experiments/create", {"name": "garments/newcomer"}),
            (f"{API}/experiments/create", {"name": "x", "artifact_location": "file:///etc"}),
            (f"{API}/registered-models/create", {"name": "x"}),
        ):
            assert client.post(path, json=body).status_code == 403, path
    with site.client(person, ENERGY) as client:
        assert client.post(f"{API}/experiments/search", json={}).status_code == 403


def test_the_runs_page_opens_for_the_owner_and_who_teaches_alone(site: Site) -> None:
    experiment = site.experiment_of("lin")
    link = run_link(VISION, "garments", "lin").removeprefix(PREFIX)
    page = (
        f"{PREFIX}/#/experiments/{experiment}/runs?workflowType=machine_learning&workspace={VISION}"
    )
    for person in ("lin", "prof", "ta"):
        with site.client(person, None) as client:
            assert client.get(link).headers["location"] == page
    for person in ("wang", "dean", "stranger"):
        with site.client(person, None) as client:
            answer = client.get(link)
            assert answer.status_code == 403
            assert answer.json()["message"] == "These are another person's runs."


def leave(site: Site, name: str) -> None:
    with site.database.write() as session:
        person = session.query(Person).filter_by(name=name).one()
        session.delete(session.query(Enrolment).filter_by(person_id=person.id).one())


def join(site: Site, name: str, course: str = ENERGY) -> None:
    with site.database.write() as session:
        person = Person(name=name)
        session.add(person)
        session.flush()
        session.add(Enrolment(course_id=course, person_id=person.id, role=Role.STUDENT))


def test_who_leaves_a_course_is_refused_at_once(site: Site) -> None:
    join(site, "guest")
    with site.client("guest", ENERGY) as client:
        assert client.post(f"{API}/experiments/search", json={"max_results": 1}).is_success
        leave(site, "guest")
        answer = client.post(f"{API}/experiments/search", json={"max_results": 1})
        assert answer.status_code == 403
        assert not client.get("/api/3.0/mlflow/workspaces").json().get("workspaces")


def test_where_the_database_can_not_say_that_it_changed_it_is_within_seconds(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "version", lambda self: None)
    join(site, "visitor")
    with site.client("visitor", ENERGY) as client:
        assert client.post(f"{API}/experiments/search", json={"max_results": 1}).is_success
        leave(site, "visitor")
        time.sleep(STANDING_SECONDS + 0.1)
        answer = client.post(f"{API}/experiments/search", json={"max_results": 1})
        assert answer.status_code == 403


def test_who_joins_a_course_is_let_in_at_once(site: Site) -> None:
    join(site, "joiner")
    with site.client("joiner", VISION) as client:
        assert client.post(f"{API}/experiments/search", json={"max_results": 1}).status_code == 403
        with site.database.write() as session:
            person = session.query(Person).filter_by(name="joiner").one()
            session.add(Enrolment(course_id=VISION, person_id=person.id, role=Role.STUDENT))
        assert client.post(f"{API}/experiments/search", json={"max_results": 1}).is_success


def test_a_revoked_token_is_refused_within_seconds(site: Site) -> None:
    token = site.hub.give_token("lin", service="mlflow")
    headers = {"authorization": f"Bearer {token}", WORKSPACE_HEADER: VISION}
    with httpx.Client(base_url=site.tracking_uri, headers=headers) as client:
        assert client.post(f"{API}/experiments/search", json={"max_results": 1}).is_success
        del site.hub.tokens[token]
        time.sleep(LOGIN_SECONDS + 0.1)
        answer = client.post(f"{API}/experiments/search", json={"max_results": 1})
        assert answer.status_code == 401


# The gateway -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/signup",
        "/gateway/mlflow/v1/models",
        "/api/2.0/mlflow/users/list",
        "/api/2.0/mlflow/users/get?username=wang",
        "/api/3.0/mlflow/roles/list",
        "/api/3.0/mlflow/gateway/endpoints/list",
        "/api/2.0/mlflow/webhooks",
        "/ajax-api/3.0/jobs/1",
        "/ajax-api/3.0/mlflow/assistant/providers/x/health",
        "/ajax-api/3.0/mlflow/ui-telemetry",
        "/health",
    ],
)
def test_what_is_not_needed_is_closed_to_everyone(site: Site, path: str) -> None:
    for person in ("lin", "prof"):
        with site.client(person) as client:
            answer = client.get(path)
            assert answer.status_code == 404
            assert answer.json()["message"] == "This part of MLflow is not in use here."


@pytest.mark.parametrize(
    "path",
    [
        "/static-files/..%2f..%2fsignup",
        "/static-files/%2e%2e/signup",
        "/static-files/../signup",
        "//signup",
        "/static-files//signup",
        "/api/2.0/mlflow/runs/%2e%2e/users/list",
        "/static-files/%252e%252e/signup",
        "/static-files\\..\\signup",
    ],
)
def test_tricks_with_the_path_get_nowhere(site: Site, path: str) -> None:
    # Unlike httpx, this client sends the path as it is.
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"))
    try:
        headers = {"Authorization": f"Bearer {site.token('lin')}"}
        connection.request("GET", PREFIX + path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 400
        assert b"error_code" in answer.read()
    finally:
        connection.close()


def test_what_mlflows_pages_ask_unasked_is_answered_without_mlflow(site: Site) -> None:
    with site.client("lin") as client:
        asked = {"gateway_path": "http://127.0.0.1/"}
        answer = client.get("/ajax-api/2.0/mlflow/gateway-proxy", params=asked)
        assert answer.json() == {"endpoints": []}
        assert client.post("/ajax-api/2.0/mlflow/gateway-proxy", json=asked).status_code == 404


def test_nothing_is_written_outside_the_state_directory(site: Site) -> None:
    site.new_run("lin")
    assert list(site.server.machines_tmp.iterdir()) == []


def test_nobody_gets_in_without_a_login(site: Site) -> None:
    with httpx.Client(base_url=site.tracking_uri) as client:
        assert client.post(f"{API}/experiments/search", json={}).status_code == 401
        page = client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 302
        assert page.headers["location"].startswith("/hub/api/oauth2/authorize")


def test_headers_of_identity_from_outside_are_not_believed(site: Site) -> None:
    forged = {
        IDENTITY_HEADER: sign(shared_key(identity_key_file(site.settings)), PLATFORM, time.time()),
        "x_ulab_identity": "1",
    }
    with site.client("lin") as client:
        answer = client.get("/api/2.0/mlflow/users/current", headers=forged)
        assert answer.json()["user"]["username"] == "lin"


def test_mlflow_itself_believes_only_a_fresh_signature(site: Site) -> None:
    key = shared_key(identity_key_file(site.settings))
    transport = httpx.HTTPTransport(uds=str(socket_of(site.settings)))
    with httpx.Client(transport=transport, base_url="http://mlflow") as client:

        def status(value: str | None, path: str) -> int:
            headers = {WORKSPACE_HEADER: VISION}
            if value is not None:
                headers[IDENTITY_HEADER] = value
            return client.get(path, headers=headers).status_code

        for path in ("/api/2.0/mlflow/users/current", "/ajax-api/3.0/mlflow/workspaces"):
            assert status(sign(key, "lin", time.time()), path) == 200
            assert status(None, path) == 401
            assert status("1.bGlu.0.ff", path) == 401
            assert status(sign(b"other" * 7, "lin", time.time()), path) == 401
            assert status(sign(key, "lin", time.time() - 3600), path) == 401
            assert status(sign(key, "lin", time.time() + 3600), path) == 401


def test_a_program_outside_an_assignment_is_told_what_to_do(site: Site) -> None:
    with site.client("lin", None) as client:
        answer = client.post(f"{API}/runs/create", json={"experiment_id": "0"})
        assert answer.status_code == 400
        assert "folder of an assignment" in answer.json()["message"]
        chinese = client.post(f"{API}/runs/create", json={}, headers={"accept-language": "zh-CN"})
        assert "课程" in chinese.json()["message"]


# A browser -------------------------------------------------------------------------------------


@pytest.fixture
def browser(site: Site) -> Iterator[httpx.Client]:
    """A browser in which lin is logged in."""
    login = HubLogin(b"c" * 32, site.hub.login("mlflow"))
    cookie = login._tokens.dumps(site.token("lin"))
    with httpx.Client(base_url=site.tracking_uri, cookies={"service-mlflow": cookie}) as client:
        yield client


def test_the_page_and_its_scripts_open_with_the_login(browser: httpx.Client) -> None:
    page = browser.get("/", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "same-origin"
    assert "ulab-back" in page.text
    script = page.text.split('src="', 1)[1].split('"', 1)[0]
    assert browser.get("/" + script.lstrip("./")).status_code == 200


def test_a_fetch_needs_to_come_from_mlflows_own_pages(site: Site, browser: httpx.Client) -> None:
    own = {"sec-fetch-site": "same-origin", "referer": f"{site.tracking_uri}/"}
    for headers, status in (
        (own, 200),
        (own | {"sec-fetch-site": "cross-site"}, 403),
        (own | {"referer": f"{site.url}/user/mallory/lab"}, 403),
        ({"sec-fetch-site": "same-origin"}, 403),
        ({"origin": site.url, "referer": f"{site.tracking_uri}/"}, 200),
        ({"origin": "http://evil.example", "referer": f"{site.tracking_uri}/"}, 403),
    ):
        answer = browser.post(
            "/ajax-api/2.0/mlflow/experiments/search",
            json={"max_results": 1},
            headers=headers | {WORKSPACE_HEADER: VISION},
        )
        assert answer.status_code == status, headers


def test_an_uploaded_page_does_not_run_as_the_reader(
    site: Site, browser: httpx.Client, run_of_lin: dict[str, Any]
) -> None:
    answer = browser.get(
        "/get-artifact",
        params={"run_uuid": run_of_lin["info"]["run_id"], "path": "notes.txt"},
        headers={
            WORKSPACE_HEADER: VISION,
            "sec-fetch-site": "same-origin",
            "referer": f"{site.tracking_uri}/",
        },
    )
    assert answer.content == b"mine"
    assert answer.headers["content-security-policy"] == "sandbox"


def test_a_killed_mlflow_gives_a_sentence_and_then_works_again(
    site: Site, browser: httpx.Client, run_of_lin: dict[str, Any]
) -> None:
    site.server.kill()
    with site.client("lin") as client:
        asked = {"run_id": run_of_lin["info"]["run_id"]}
        down = client.get(f"{API}/runs/get", params=asked)
        assert down.status_code == 503
        assert "being restarted" in down.json()["message"]
        page = browser.get("/", headers={"accept": "text/html", "accept-language": "zh"})
        assert page.status_code == 503
        assert "正在重新启动" in page.text
        assert 'http-equiv="refresh"' in page.text
        site.server.start()
        again = client.get(f"{API}/runs/get", params=asked).json()["run"]
        assert again["data"]["params"][0]["value"] == "0.1"
