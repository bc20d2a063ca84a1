"""Teams on a base: what `ulab team` says, changes and refuses, and who gets into MLflow by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import Result
from integration.coursework_support import COURSE, Base
from integration.mlflow_support import ENERGY, VISION, Site, running_site
from sqlalchemy import select
from typer.testing import CliRunner

from ulab_core.errors import Conflict, NotFound, UserError
from ulab_core.models import AuditEntry
from ulab_core.team_models import TeamRole
from ulab_coursework.courses import create_course
from ulab_deploy.cli import build
from ulab_teams.folders import prepare_folder
from ulab_teams.requests import ask, requests_of
from ulab_teams.teams import create_team, remove_member, set_member, without_owner

API = "/api/2.0/mlflow"


def ulab(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["--language", "en", "team", *arguments])


def said(*arguments: str) -> Any:
    shown = ulab(*arguments, "--json")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.output)


def refusal(*arguments: str) -> str:
    shown = ulab(*arguments)
    assert shown.exit_code != 0
    return str(shown.exception) if isinstance(shown.exception, UserError) else shown.output


# Decisions -------------------------------------------------------------------------------------

OWNER, MEMBER, MENTOR = TeamRole.OWNER, TeamRole.MEMBER, TeamRole.MENTOR


@pytest.mark.parametrize(
    ("members", "name", "role", "orphaned"),
    [
        ({"a": OWNER}, "a", None, True),
        ({"a": OWNER}, "a", MEMBER, True),
        ({"a": OWNER}, "a", OWNER, False),
        ({"a": OWNER, "b": OWNER}, "a", None, False),
        ({"a": OWNER, "b": MEMBER}, "a", MENTOR, True),
        ({"a": OWNER, "b": MEMBER}, "b", None, False),
        ({"a": OWNER, "b": MEMBER}, "b", OWNER, False),
        ({"a": OWNER}, "new", MENTOR, False),
    ],
)
def test_a_team_keeps_an_owner(
    members: dict[str, TeamRole], name: str, role: TeamRole | None, orphaned: bool
) -> None:
    assert without_owner(members, name, role) is orphaned


# The command -----------------------------------------------------------------------------------


def test_a_team_is_made_filled_and_listed(base: Base) -> None:
    assert "no teams yet" in ulab("list").output
    made = said("create", "windfarm", "alice", "--title", "Wind farm", "--purpose", "forecasts")
    assert made == {"team": "windfarm", "title": "Wind farm", "owner": "alice"}
    assert (
        "bob is now mentor of the team windfarm"
        in ulab("add", "windfarm", "bob", "--role", "mentor").output
    )
    said("add", "windfarm", "bob")
    said("add", "windfarm", "bob", "carol")
    [row] = said("list")
    assert row["members"] == [
        {"name": "alice", "role": "owner"},
        {"name": "bob", "role": "member"},
        {"name": "carol", "role": "member"},
    ]
    assert said("remove", "windfarm", "carol")["people"] == ["carol"]
    assert "alice (owner), bob (member)" in ulab("list").output
    with base.db.read() as session:
        noted = session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.action.like("team.%"))
            .order_by(AuditEntry.id)
        ).all()
    # What changed nothing is no news.
    assert noted == ["team.create", *["team.member"] * 3, "team.remove"]


def test_what_is_asked_for_is_listed_approved_and_refused(base: Base) -> None:
    assert "Nobody waits" in ulab("requests").output
    with base.db.write() as session:
        ask(session, "windfarm", "Wind farm", "forecasts", "alice")
        ask(session, "grid", "", "load", "bob")
    [first, second] = said("requests")
    assert (first["team"], first["asked_by"], first["purpose"]) == (
        *("windfarm", "alice"),
        "forecasts",
    )
    assert second["title"] == "grid"
    assert said("approve", "windfarm", "--saying", "Good luck") == {
        "team": "windfarm",
        "title": "Wind farm",
        "owner": "alice",
    }
    assert "--because" in refusal("refuse", "grid")
    assert "Say in a sentence why" in refusal("refuse", "grid", "--because", " ")
    shown = ulab("refuse", "grid", "--because", "Join windfarm")
    assert "Refused the team grid that bob asked for" in shown.output
    assert said("requests") == []
    with base.db.read() as session:
        [answered] = requests_of(session, "bob")
        assert (answered.approved, answered.answer) == (False, "Join windfarm")
    assert [row["team"] for row in said("list")] == ["windfarm"]


def test_people_are_invited_shown_and_given_roles(base: Base) -> None:
    said("create", "windfarm", "alice", "--purpose", "forecasts")
    assert "as mentor" in ulab("invite", "windfarm", "bob", "--role", "mentor").output
    folder = prepare_folder(base.layout, "windfarm", None)
    (folder / "data.bin").write_bytes(b"x" * 8192)
    shown = said("show", "windfarm")
    assert shown["invited"] == [{"name": "bob", "role": "mentor", "by": "ulab team"}]
    assert shown["folder"] == {
        "path": str(base.layout.team("windfarm")),
        "files": 1,
        "bytes": 8192,
        "whole": True,
    }
    assert "invited as mentor" in ulab("show", "windfarm").output
    said("add", "windfarm", "bob")
    assert said("show", "windfarm")["invited"] == [], "who is in it is invited no more"
    assert "bob is now owner" in ulab("role", "windfarm", "bob", "owner").output
    assert "the only owner" not in ulab("role", "windfarm", "alice", "mentor").output
    assert said("show", "windfarm")["members"] == [
        {"name": "bob", "role": "owner"},
        {"name": "alice", "role": "mentor"},
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("approve", "nothing"), "Nobody waits for a team nothing."),
        (("refuse", "nothing", "--because", "x"), "Nobody waits for a team nothing."),
        (("show", "unknown"), "There is no team unknown."),
        (("invite", "taken", "nobody"), "There is nobody called nobody."),
        (("invite", "taken", "alice"), "alice is in the team taken already."),
        (("invite", "taken", "bob", "--role", "chief"), "write owner, member or mentor"),
        (("role", "taken", "bob", "member"), "bob is not in the team taken."),
        (("role", "taken", "alice", "member"), "the only owner of the team taken"),
        (("create", "Wind_Farm", "alice"), "can't be a team's id"),
        (("create", "default", "alice"), "such as default or teams"),
        (("create", "teams", "alice"), "can't be a team's id"),
        (("create", COURSE, "alice"), "There is a course"),
        (("create", "taken", "alice"), "There is a team taken already."),
        (("create", "windfarm", "nobody"), "There is nobody called nobody."),
        (("add", "unknown", "alice"), "There is no team unknown."),
        (("add", "taken", "nobody"), "There is nobody called nobody."),
        (("add", "taken", "bob", "--role", "chief"), "write owner, member or mentor"),
        (("add", "taken", "alice", "--role", "mentor"), "the only owner of the team taken"),
        (("remove", "taken", "alice"), "the only owner of the team taken"),
        (("remove", "taken", "bob"), "bob is not in the team taken."),
    ],
)
def test_mistakes_are_sentences_and_change_nothing(
    base: Base, arguments: tuple[str, ...], sentence: str
) -> None:
    said("create", "taken", "alice")
    before = said("list")
    assert sentence in refusal(*arguments)
    assert said("list") == before


def test_a_course_takes_no_teams_name(base: Base) -> None:
    said("create", "taken", "alice")
    with base.db.write() as session, pytest.raises(Conflict, match="There is a team taken"):
        create_course(session, base.layout, "taken", "any", "1", None, "", "carol")


# MLflow ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as found:
        with found.database.write() as session:
            create_team(session, "windfarm", "Wind farm", "", "lin", "test")
            set_member(session, "windfarm", "wang", TeamRole.MEMBER, "test")
            set_member(session, "windfarm", "prof", TeamRole.MENTOR, "test")
            create_team(session, "grid", "Grid", "", "dean", "test")
        yield found


@pytest.fixture(scope="module")
def run_id(site: Site) -> str:
    """A run that an owner logged in the team."""
    with site.client("lin", "windfarm") as client:
        made = client.post(f"{API}/experiments/create", json={"name": "day-ahead"})
        assert made.status_code == 200, made.text
        asked = {"experiment_id": made.json()["experiment_id"], "start_time": 1}
        run = client.post(f"{API}/runs/create", json=asked)
        assert run.status_code == 200, run.text
        found: str = run.json()["run"]["info"]["run_id"]
        return found


def read(site: Site, person: str, run_id: str, workspace: str = "windfarm") -> int:
    with site.client(person, workspace) as client:
        return client.get(f"{API}/runs/get", params={"run_id": run_id}).status_code


def log(site: Site, person: str, run_id: str, workspace: str = "windfarm") -> int:
    point = {"run_id": run_id, "key": "mae", "value": 1.0, "timestamp": 1}
    with site.client(person, workspace) as client:
        return client.post(f"{API}/runs/log-metric", json=point).status_code


@pytest.mark.parametrize(
    ("person", "reads", "logs"),
    [("lin", 200, 200), ("wang", 200, 200), ("prof", 200, 403), ("dean", 403, 403),
     ("stranger", 403, 403)],
)  # fmt: skip
def test_who_may_what_in_a_team(
    site: Site, run_id: str, person: str, reads: int, logs: int
) -> None:
    assert (read(site, person, run_id), log(site, person, run_id)) == (reads, logs)


@pytest.mark.parametrize("workspace", ["grid", ENERGY, VISION])
def test_another_workspaces_name_shows_nothing_of_a_team(
    site: Site, run_id: str, workspace: str
) -> None:
    for person in ("dean", "prof", "stranger"):
        assert read(site, person, run_id, workspace) in (403, 404)
        assert log(site, person, run_id, workspace) in (403, 404)


def test_a_member_makes_models_and_a_mentor_none(site: Site) -> None:
    for person, status in (("wang", 200), ("prof", 403), ("dean", 403)):
        with site.client(person, "windfarm") as client:
            asked = {"name": f"model-of-{person}"}
            assert client.post(f"{API}/registered-models/create", json=asked).status_code == status
    with site.client("prof", "windfarm") as client:
        assert "model-of-wang" in client.get(f"{API}/registered-models/search").text


def test_a_member_can_not_delete_anothers_experiment_or_share_the_team(
    site: Site, run_id: str
) -> None:
    with site.client("wang", "windfarm") as client:
        found = client.get(
            f"{API}/experiments/get-by-name", params={"experiment_name": "day-ahead"}
        ).json()["experiment"]["experiment_id"]
        gone = client.post(f"{API}/experiments/delete", json={"experiment_id": found})
        assert gone.status_code == 403
        given = client.post(
            "/api/3.0/mlflow/users/permissions/grant",
            json={
                "username": "dean",
                "resource_type": "experiment",
                "resource_id": found,
                "permission": "READ",
            },
        )
        assert not given.is_success
    assert read(site, "dean", run_id) == 403


def test_who_is_taken_out_is_refused_with_the_next_request_and_the_runs_stay(
    site: Site, run_id: str
) -> None:
    with site.database.write() as session:
        set_member(session, "windfarm", "stranger", TeamRole.MEMBER, "test")
    assert read(site, "stranger", run_id) == 200
    with site.database.write() as session:
        set_member(session, "windfarm", "stranger", TeamRole.MENTOR, "test")
    assert log(site, "stranger", run_id) == 403
    with site.database.write() as session:
        remove_member(session, "windfarm", "stranger", "test")
    assert read(site, "stranger", run_id) == 403
    with site.client("stranger", None) as client:
        assert not client.get("/api/3.0/mlflow/workspaces").json().get("workspaces")
    assert read(site, "lin", run_id) == 200
    with site.database.write() as session, pytest.raises(NotFound):
        remove_member(session, "windfarm", "stranger", "test")


def test_ones_course_is_untouched_by_ones_team(site: Site) -> None:
    run = site.new_run("lin")
    assert read(site, "lin", run["info"]["run_id"], VISION) == 200
    assert read(site, "wang", run["info"]["run_id"], VISION) == 403
    assert read(site, "wang", run["info"]["run_id"]) in (403, 404)
