"""What MLflow remembers of its own look-ups, with a real server: no right outlives its change."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from integration.mlflow_support import ENERGY, VISION, Site

from ulab_core.layout import Layout
from ulab_core.secret_files import shared_key
from ulab_mlflow.admin import Admin
from ulab_mlflow.lookups import SECONDS, Remembered, remember_reads
from ulab_mlflow.names import IDENTITY_HEADER, WORKSPACE_HEADER, identity_key_file, socket_of
from ulab_mlflow.signature import sign
from ulab_mlflow.withholding import may_name_models

API = "/api/2.0/mlflow"
USERS = "3.0/mlflow/users"


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


@pytest.fixture(scope="module")
def admin(site: Site) -> Iterator[Admin]:
    one = Admin.of(site.settings)
    yield one
    one.close()


@pytest.fixture(scope="module")
def run_id(site: Site) -> str:
    return str(site.new_run("lin")["info"]["run_id"])


class Socket:
    """Someone who asks MLflow itself, past the gateway's own refusals."""

    def __init__(self, site: Site, person: str) -> None:
        self._key, self._person = shared_key(identity_key_file(site.settings)), person
        transport = httpx.HTTPTransport(uds=str(socket_of(site.settings)))
        self.client = httpx.Client(transport=transport, base_url="http://mlflow")

    def get_run(self, run_id: str, workspace: str = VISION, **headers: str) -> httpx.Response:
        said = {IDENTITY_HEADER: sign(self._key, self._person, time.time())}
        return self.client.get(
            f"{API}/runs/get",
            params={"run_id": run_id},
            headers={**said, WORKSPACE_HEADER: workspace, **headers},
        )


@pytest.fixture
def guest(site: Site, admin: Admin) -> Iterator[tuple[str, Socket]]:
    """Someone without rights; the name is new each time."""
    name = f"guest{time.monotonic_ns()}"
    admin.create("POST", "2.0/mlflow/users/create", username=name, password="long enough, nobody's")
    socket = Socket(site, name)
    yield name, socket
    socket.client.close()


def may(admin: Admin, what: str, site: Site, name: str, permission: str = "READ") -> None:
    right: dict[str, Any] = {"resource_type": "experiment", "username": name}
    if what == "grant":
        right["permission"] = permission
    resource = site.experiment_of("lin")
    admin.call("POST", f"{USERS}/permissions/{what}", inside=VISION, resource_id=resource, **right)


def test_a_right_counts_with_the_next_request_and_so_does_its_end(
    site: Site, admin: Admin, guest: tuple[str, Socket], run_id: str
) -> None:
    name, socket = guest
    for _ in range(2):
        assert socket.get_run(run_id).status_code == 403
        may(admin, "grant", site, name)
        assert socket.get_run(run_id).status_code == 200
        may(admin, "revoke", site, name)
    assert socket.get_run(run_id).status_code == 403


def test_a_right_that_another_process_ended_is_refused_within_seconds(
    site: Site, admin: Admin, guest: tuple[str, Socket], run_id: str
) -> None:
    name, socket = guest
    may(admin, "grant", site, name)
    assert socket.get_run(run_id).status_code == 200
    accounts = Layout.of(site.settings).mlflow / "accounts.sqlite"
    with sqlite3.connect(accounts, timeout=20) as connection:
        [user] = connection.execute("SELECT id FROM users WHERE username = ?", [name]).fetchone()
        connection.execute("DELETE FROM user_role_assignments WHERE user_id = ?", [user])
    connection.close()
    time.sleep(SECONDS + 0.1)
    assert socket.get_run(run_id).status_code == 403


def test_a_run_that_was_looked_up_is_not_found_from_another_workspace(
    site: Site, admin: Admin, guest: tuple[str, Socket], run_id: str
) -> None:
    name, socket = guest
    site.experiment_of("prof")
    with site.client("dean", ENERGY) as client:
        client.post(f"{API}/experiments/search", json={"max_results": 1})
    may(admin, "grant", site, name)
    assert socket.get_run(run_id).status_code == 200
    assert socket.get_run(run_id, ENERGY).status_code == 403
    assert socket.get_run(run_id, "nowhere").status_code == 404
    assert socket.get_run(run_id).status_code == 200


def test_the_short_way_refuses_what_the_long_one_does(site: Site, run_id: str) -> None:
    lin = Socket(site, "lin")
    assert lin.get_run(run_id).status_code == 200
    assert lin.get_run(run_id, **{IDENTITY_HEADER: "1.bGlu.0.ff"}).status_code == 401
    assert lin.get_run(run_id, host="evil.example").status_code == 403
    forged = {WORKSPACE_HEADER: VISION, "origin": "http://evil.example"}
    assert lin.client.post(f"{API}/runs/search", json={}, headers=forged).status_code == 403
    assert lin.get_run(run_id).headers["x-content-type-options"] == "nosniff"
    lin.client.close()


def test_links_to_models_are_withheld_from_whoever_may_not_see_models(
    site: Site, admin: Admin, guest: tuple[str, Socket], run_id: str
) -> None:
    name, socket = guest
    experiment = site.experiment_of("lin")
    made = admin.call(
        "POST", "2.0/mlflow/logged-models", inside=VISION, experiment_id=experiment, name="m"
    )
    model = made["model"]["info"]["model_id"]
    outputs = [{"model_id": model, "step": 0}]
    admin.call("POST", "2.0/mlflow/runs/outputs", inside=VISION, run_id=run_id, models=outputs)
    may(admin, "grant", site, name)
    assert model in socket.get_run(run_id).text
    role = admin.call("POST", "3.0/mlflow/roles/create", inside=VISION, name=name, workspace=VISION)
    denied = {"resource_type": "logged_model", "resource_pattern": "*", "permission": "DENY"}
    identity = {"role_id": role["role"]["id"]}
    admin.call("POST", "3.0/mlflow/roles/permissions/add", **identity, **denied)
    admin.call("POST", "3.0/mlflow/roles/assign", username=name, **identity)
    answer = socket.get_run(run_id)
    assert answer.status_code == 200
    assert model not in answer.text


@pytest.mark.parametrize(
    ("body", "may_name"),
    [
        (b'{"runs": [{"data": {"metrics": [{"key": "loss", "model_id": "m-1"}]}}]}', True),
        (b'{"run": {"inputs": {"model_inputs": [{"model_id": "m-1"}]}}}', True),
        (b'{"run": {"outputs": {"modelOutputs": []}}}', True),
        (b'{"run": {"data": {"tags": [{"key": "mlflow.model_id", "value": "x"}]}}}', True),
        (b'{"run": {"data": {"metrics": [{"key": "loss", "value": 0.5}]}}}', False),
        (b'{"run": {"data": {"params": [{"key": "model", "value": "cnn"}]}}}', False),
        (b"{}", False),
    ],
)
def test_answers_that_name_models_are_known(body: bytes, may_name: bool) -> None:
    assert may_name_models(body) is may_name


def test_stores_have_a_write_ahead_log(site: Site) -> None:
    for name in ("mlflow.sqlite", "accounts.sqlite"):
        connection = sqlite3.connect(Layout.of(site.settings).mlflow / name)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


# What remembers, alone --------------------------------------------------------------------------


def test_what_was_asked_before_a_write_is_not_kept_beyond_it() -> None:
    kept = Remembered(seconds=600)

    def ask_while_it_changes() -> str:
        kept.forget()
        return "old"

    assert kept.answer("right", ask_while_it_changes) == "old"
    assert kept.answer("right", lambda: "new") == "new"
    assert kept.answer("right", lambda: "newer") == "new"


def test_a_failure_is_not_kept() -> None:
    kept = Remembered(seconds=600)
    with pytest.raises(ZeroDivisionError):
        kept.answer("right", lambda: 1 / 0)
    assert kept.answer("right", lambda: "found") == "found"


def test_everything_that_writes_to_mlflows_accounts_forgets(tmp_path: Path) -> None:
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(f"sqlite:///{tmp_path}/accounts.sqlite")
    remember_reads(store, Remembered(seconds=600), ("get_user", "list_grants"))
    user = store.create_user("ann", "long enough, nobody's")
    role = store.create_role("editor", VISION)

    def grants() -> list[str]:
        return [one.permission for one in store.list_grants(user.id, VISION, {"experiment"})]

    assert grants() == []
    store.assign_role_to_user(user.id, role.id)
    added = store.add_role_permission(role.id, "experiment", "*", "EDIT")
    assert grants() == ["EDIT"]
    store.update_role_permission(added.id, "READ")
    assert grants() == ["READ"]
    store.unassign_role_from_user(user.id, role.id)
    assert grants() == []
    store.assign_role_to_user(user.id, role.id)
    store.delete_role(role.id)
    assert grants() == []
    assert store.get_user("ann").is_admin is False
    store.update_user("ann", is_admin=True)
    assert store.get_user("ann").is_admin is True
    store.engine.dispose()


@pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi")
def test_what_fastapi_answers_itself_takes_no_short_way() -> None:
    from ulab_mlflow.direct import Direct

    whole = FastAPI()
    whole.mount("/", FastAPI())
    asked = {"type": "http", "method": "POST", "path": f"{API}/runs/search", "root_path": ""}
    assert Direct(whole, None).is_direct(asked)
    for other in (
        {"method": "DELETE"},
        {"path": "/api/2.0/mlflow-artifacts/artifacts/1/2/artifacts/x"},
        {"path": f"{API}/runs/../users/list"},
        {"path": "/graphql"},
        {"path": f"{API}/users/current"},
    ):
        assert not Direct(whole, None).is_direct(asked | other)

    @whole.post(f"{API}/runs/search")
    def search() -> None: ...

    whole.router.routes.reverse()
    assert not Direct(whole, None).is_direct(asked)
