"""Rights in MLflow follow the base's rows, after tampering, kills and people who leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks.leak_people import COURSE, OTHER_COURSE, TEAM, people
from attacks.leak_server import platform
from integration.mlflow_support import Site, running_site
from sqlalchemy import select

from ulab_core.models import Enrolment, Person, Role
from ulab_core.team_models import TeamMember, TeamRole
from ulab_mlflow.reconciling import Reconciler

V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("drift")) as running:
        people(running)
        yield running


@pytest.fixture
def reconciler(site: Site) -> Reconciler:
    """The gateway's own, which otherwise works at its start and every few minutes."""
    return site.gateway.reconciler


def person_id(site: Site, name: str) -> int:
    with site.database.read() as session:
        return session.scalars(select(Person.id).where(Person.name == name)).one()


def role_id(site: Site, workspace: str, name: str) -> int:
    roles = platform(site).call("GET", "3.0/mlflow/roles/list", workspace=workspace)["roles"]
    return next(int(role["id"]) for role in roles if role["name"] == name)


def tamper(site: Site, method: str, path: str, **values: Any) -> Any:
    """Change MLflow's rows behind the platform's back."""
    return platform(site).call(method, path, **values)


def status(site: Site, person: str, run_id: str, workspace: str = COURSE) -> int:
    with site.client(person, workspace) as client:
        return client.get(f"{V2}/runs/get", params={"run_id": run_id}).status_code


def logged(site: Site, person: str, run_id: str, workspace: str = COURSE) -> int:
    with site.client(person, workspace) as client:
        metric = {"run_id": run_id, "key": "x", "value": 1, "timestamp": 1}
        return client.post(f"{V2}/runs/log-metric", json=metric).status_code


def run_of(site: Site, person: str) -> str:
    return str(site.new_run(person, COURSE)["info"]["run_id"])


def test_what_the_gateway_made_has_not_drifted(site: Site, reconciler: Reconciler) -> None:
    site.experiment_of("m-owner", COURSE)
    for name in ("m-left", "m-quit"):  # who left since they came
        with site.client(name, None) as client:
            client.get(f"{V3}/workspaces").raise_for_status()
    assert reconciler.look() == []


def test_rights_given_behind_the_platforms_back_are_taken_away(
    site: Site, reconciler: Reconciler
) -> None:
    run_id = run_of(site, "m-owner")
    experiment = site.experiment_of("m-owner", COURSE)
    assert status(site, "m-classmate", run_id) == 403
    student, instructor = (role_id(site, COURSE, name) for name in ("student", "instructor"))
    everything = {"resource_type": "workspace", "resource_pattern": "*", "permission": "MANAGE"}
    boss = tamper(site, "POST", "3.0/mlflow/roles/create", name="boss", workspace=COURSE)
    boss_id = boss["role"]["id"]
    for path, values in (
        ("roles/assign", {"username": "m-classmate", "role_id": instructor}),
        ("roles/permissions/add", {"role_id": student} | everything),
        ("roles/permissions/add", {"role_id": boss_id} | everything),
        ("roles/assign", {"username": "m-classmate", "role_id": boss_id}),
        (
            "users/permissions/grant",
            {
                "inside": COURSE,
                "username": "m-classmate",
                "resource_type": "experiment",
                "resource_id": experiment,
                "permission": "MANAGE",
            },
        ),
    ):
        tamper(site, "POST", f"3.0/mlflow/{path}", **values)
    tamper(site, "PATCH", "2.0/mlflow/users/update-admin", username="m-classmate", is_admin=True)
    assert status(site, "m-classmate", run_id) == 200
    assert len(reconciler.run()) == 5  # the account's boss role goes with the role
    assert status(site, "m-classmate", run_id) == 403
    assert logged(site, "m-classmate", run_id) == 403
    assert logged(site, "m-owner", run_id) == 200
    assert reconciler.look() == []


def test_rights_lost_behind_the_platforms_back_are_given_again(
    site: Site, reconciler: Reconciler
) -> None:
    run_id = run_of(site, "m-owner")
    experiment = site.experiment_of("m-owner", COURSE)
    assert status(site, "m-prof", run_id) == 200
    instructor = role_id(site, COURSE, "instructor")
    listed = tamper(site, "GET", "3.0/mlflow/roles/permissions/list", role_id=instructor)
    for grant in listed["role_permissions"]:
        tamper(
            site, "DELETE", "3.0/mlflow/roles/permissions/remove", role_permission_id=grant["id"]
        )
    tamper(
        site,
        "POST",
        "3.0/mlflow/users/permissions/revoke",
        inside=COURSE,
        username="m-owner",
        resource_type="experiment",
        resource_id=experiment,
    )
    tamper(site, "POST", "2.0/mlflow/experiments/delete", inside=COURSE, experiment_id=experiment)
    tamper(site, "DELETE", "3.0/mlflow/roles/delete", role_id=role_id(site, COURSE, "student"))
    assert status(site, "m-prof", run_id) == 403
    assert logged(site, "m-owner", run_id) == 403
    assert reconciler.run()
    assert status(site, "m-prof", run_id) == 200
    tamper(site, "POST", "2.0/mlflow/runs/restore", inside=COURSE, run_id=run_id)
    assert logged(site, "m-owner", run_id) == 200
    assert status(site, "m-classmate", run_id) == 403
    assert reconciler.look() == []


def test_a_role_that_was_removed_is_made_again_when_someone_comes(
    site: Site, reconciler: Reconciler
) -> None:
    tamper(site, "DELETE", "3.0/mlflow/roles/delete", role_id=role_id(site, COURSE, "student"))
    with site.database.write() as session:
        session.add(Person(name="m-late"))
        session.flush()
        late = session.scalars(select(Person.id).where(Person.name == "m-late")).one()
        session.add(Enrolment(course_id=COURSE, person_id=late, role=Role.STUDENT))
    # The gateway remembers the role that is gone.
    assert logged(site, "m-late", run_of(site, "m-late")) == 200
    reconciler.run()
    assert reconciler.look() == []


def test_who_leaves_a_course_loses_it_at_once_and_finds_it_again(site: Site) -> None:
    run_id = run_of(site, "m-classmate")
    classmate = person_id(site, "m-classmate")
    assert logged(site, "m-classmate", run_id) == 200
    with site.database.write() as session:
        session.delete(session.get_one(Enrolment, (COURSE, classmate)))
    assert logged(site, "m-classmate", run_id) == 403
    held = tamper(site, "GET", "3.0/mlflow/users/permissions/list", username="m-classmate")
    assert [one for one in held["permissions"] if one["workspace"] == COURSE] == []
    with site.database.write() as session:
        session.add(Enrolment(course_id=COURSE, person_id=classmate, role=Role.STUDENT))
    assert logged(site, "m-classmate", run_id) == 200


def test_who_only_looks_on_from_now_keeps_no_right_to_what_they_made(
    site: Site, reconciler: Reconciler
) -> None:
    with site.client("m-member", TEAM) as client:
        made = client.post(f"{V2}/experiments/create", json={"name": "day-ahead-2"}).json()
        run = client.post(
            f"{V2}/runs/create", json={"experiment_id": made["experiment_id"]}
        ).json()["run"]["info"]["run_id"]
    assert logged(site, "m-member", run, TEAM) == 200
    member = person_id(site, "m-member")
    for role, may in ((TeamRole.MENTOR, 403), (TeamRole.MEMBER, 200)):
        with site.database.write() as session:
            session.get_one(TeamMember, (TEAM, member)).role = role
        assert status(site, "m-member", run, TEAM) == 200
        assert logged(site, "m-member", run, TEAM) == may
        assert reconciler.look() == []


def test_a_workspace_whose_course_is_gone_leaves_no_right_to_its_successor(
    site: Site, reconciler: Reconciler
) -> None:
    """As after a course was removed by hand, and another was made under its name."""
    run = site.new_run("m-elsewhere", OTHER_COURSE)["info"]["run_id"]
    assert status(site, "m-dean", run, OTHER_COURSE) == 200
    with site.database.write() as session:
        gone = session.scalars(select(Enrolment).where(Enrolment.course_id == OTHER_COURSE)).all()
        rows = [(one.person_id, one.role) for one in gone]
        for one in gone:
            session.delete(one)
    reconciler.run()
    for name in ("m-elsewhere", "m-dean"):
        held = tamper(site, "GET", "3.0/mlflow/users/permissions/list", username=name)
        assert held["permissions"] == []
    with site.database.write() as session:
        for who, role in rows:
            if role is Role.INSTRUCTOR:
                session.add(Enrolment(course_id=OTHER_COURSE, person_id=who, role=role))
    assert status(site, "m-elsewhere", run, OTHER_COURSE) == 403
    assert status(site, "m-dean", run, OTHER_COURSE) == 200


_SETTLE = """
import sys
from ulab_core.settings import load_settings
from ulab_mlflow.workspaces import Workspaces
workspaces = Workspaces.of(load_settings())
print("ready", flush=True)
for name in sys.argv[1:]:
    workspaces.settle(name)
print("done", flush=True)
"""


def settling(site: Site, names: list[str]) -> subprocess.Popen[str]:
    state = str(site.settings.server.state_dir)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_SETTLE), *names],
        env=os.environ | {"ULAB_SERVER__STATE_DIR": state},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("killed", ["the one who settles", "MLflow"])
def test_what_a_kill_left_half_done_is_completed(
    site: Site, reconciler: Reconciler, killed: str
) -> None:
    prefix = "k" if killed == "MLflow" else "j"
    names = [f"m-{prefix}{number}" for number in range(12)]
    with site.database.write() as session:
        for name in names:
            person = Person(name=name)
            session.add(person)
            session.flush()
            session.add(Enrolment(course_id=COURSE, person_id=person.id, role=Role.STUDENT))
    process = settling(site, names)
    try:
        folder = Path(site.settings.server.state_dir)
        until_some_came(site, names)
        if killed == "MLflow":
            site.server.kill()
            site.server.start()
        else:
            process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert folder.exists()
    assert 0 < len(accounts(site, names)) < len(names), "it was over before the kill"
    until = time.monotonic() + 30
    # What was in hand at the kill may be done by MLflow after a look.
    while reconciler.run():
        assert time.monotonic() < until, "it is never as it should be"
    for name in accounts(site, names):
        held = tamper(site, "GET", "3.0/mlflow/users/permissions/list", username=name)
        assert [one["permission"] for one in held["permissions"]] == ["EDIT"]
    for name in (names[0], names[-1]):
        assert logged(site, name, run_of(site, name)) == 200


def accounts(site: Site, names: list[str]) -> list[str]:
    users = platform(site).call("GET", "2.0/mlflow/users/list")["users"]
    return [user["username"] for user in users if user["username"] in names]


def until_some_came(site: Site, names: list[str]) -> None:
    until = time.monotonic() + 60
    while not accounts(site, names):
        assert time.monotonic() < until
