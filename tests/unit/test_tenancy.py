"""Decisions about experiments: who may what, which addresses are open, what is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ulab_core.models import Role
from ulab_core.settings import Mlflow, Server, Settings
from ulab_core.team_models import TeamRole
from ulab_mlflow.forwarding import request_headers
from ulab_mlflow.links import experiment_link, run_link
from ulab_mlflow.marker import Place, find_place
from ulab_mlflow.names import PREFIX
from ulab_mlflow.paths import inner_path, is_artifact, is_open, needs_workspace
from ulab_mlflow.server import auth_config, environment
from ulab_mlflow.signature import sign, signer
from ulab_mlflow.tenancy import (
    ROLE_GRANTS,
    Membership,
    Standing,
    changes,
    may_enter,
    may_open,
    visible_assignments,
)

STUDENT = Standing("lin", {"vision": Role.STUDENT}, {"vision": ("garments",)})
MEMBER = Standing("lin", {"vision": Role.STUDENT}, teams={"windfarm": TeamRole.MEMBER})
ASSISTANT = Standing("ta", {"vision": Role.ASSISTANT}, {"vision": ("garments", "later")})
INSTRUCTOR = Standing("prof", {"vision": Role.INSTRUCTOR}, {"vision": ("garments", "later")})
KEY = b"k" * 32


def test_a_students_role_grants_nothing_at_all() -> None:
    assert ROLE_GRANTS[Role.STUDENT] == ()


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.INSTRUCTOR])
def test_who_teaches_may_read_but_not_change_what_students_log(role: Role) -> None:
    assert {grant.permission for grant in ROLE_GRANTS[role]} == {"READ"}


def test_a_mentor_may_read_but_not_change_what_a_team_logs() -> None:
    assert {grant.permission for grant in ROLE_GRANTS[TeamRole.MENTOR]} == {"READ"}


@pytest.mark.parametrize("role", list(ROLE_GRANTS))
def test_nobody_may_manage_a_whole_workspace(role: Role | TeamRole) -> None:
    assert "MANAGE" not in {grant.permission for grant in ROLE_GRANTS[role]}


def test_a_person_has_the_roles_of_courses_and_of_teams() -> None:
    assert MEMBER.memberships == {
        Membership("vision", Role.STUDENT),
        Membership("windfarm", TeamRole.MEMBER),
    }


def test_students_see_what_is_published_and_instructors_everything() -> None:
    published = {"garments": True, "later": False}
    assert visible_assignments(Role.STUDENT, published) == ("garments",)
    assert visible_assignments(Role.ASSISTANT, published) == ("garments", "later")
    assert visible_assignments(Role.INSTRUCTOR, published) == ("garments", "later")


@pytest.mark.parametrize(
    ("standing", "course", "assignment", "owner", "allowed"),
    [
        (STUDENT, "vision", "garments", "lin", True),
        (STUDENT, "vision", "later", "lin", False),
        (STUDENT, "vision", "garments", "wang", False),
        (STUDENT, "energy", "garments", "lin", False),
        (INSTRUCTOR, "vision", "garments", "wang", True),
        (INSTRUCTOR, "energy", "garments", "wang", False),
        (INSTRUCTOR, "vision", "later", "prof", True),
        (ASSISTANT, "vision", "garments", "wang", True),
        (ASSISTANT, "energy", "garments", "wang", False),
        (ASSISTANT, "vision", "later", "ta", True),
        (Standing("stranger"), "vision", "garments", "stranger", False),
    ],
)
def test_who_may_open_whose_runs(
    standing: Standing, course: str, assignment: str, owner: str, allowed: bool
) -> None:
    assert may_open(standing, course, assignment, owner) is allowed


def test_only_members_enter_a_workspace() -> None:
    assert may_enter(STUDENT, "vision")
    assert not may_enter(STUDENT, "energy")
    assert not may_enter(STUDENT, "default")
    assert may_enter(MEMBER, "windfarm")
    assert not may_enter(STUDENT, "windfarm")


def test_changes_add_what_is_missing_and_remove_what_is_too_much() -> None:
    kept, gone = Membership("vision", Role.STUDENT), Membership("energy", Role.STUDENT)
    risen = Membership("energy", Role.INSTRUCTOR)
    found = changes({kept, risen}, {kept, gone})
    assert found.assign == {risen}
    assert found.unassign == {gone}
    assert changes({kept}, {kept}) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/", "/"),
        ("/static-files/a%20b.js", "/static-files/a b.js"),
        ("/x/%E6%A8%A1%E5%9E%8B.bin", "/x/模型.bin"),
        ("/x/", "/x/"),
        ("/x/..hidden", "/x/..hidden"),
        ("//x", None),
        ("/x//y", None),
        ("/x/../y", None),
        ("/x/.", None),
        ("/x/%2E%2e/y", None),
        ("/x/%2fy", None),
        ("/x/%5cy", None),
        ("/x/%252e", None),
        ("/x/%00", None),
        ("/x/%0a", None),
        ("/x/%ff", None),
        ("/x\\y", None),
    ],
)
def test_a_path_has_one_meaning_or_none(path: str, inner: str | None) -> None:
    assert inner_path((PREFIX + path).encode(), PREFIX) == inner


def test_a_path_of_another_service_is_none_of_ours() -> None:
    assert inner_path(b"/services/mlflow-other/x", PREFIX) is None


@pytest.mark.parametrize(
    ("method", "path", "open_"),
    [
        ("GET", "/", True),
        ("HEAD", "/", True),
        ("POST", "/", False),
        ("POST", "/api/2.0/mlflow/runs/create", True),
        ("POST", "/ajax-api/2.0/mlflow/runs/search", True),
        ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", False),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/workspaces/v/1/x", True),
        ("POST", "/api/2.0/mlflow/experiments/update", False),
        ("POST", "/ajax-api/2.0/mlflow/experiments/search", True),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/x", False),
        ("POST", "/ajax-api/2.0/mlflow/artifacts/presigned-download-url", False),
        ("GET", "/api/3.0/mlflow/workspaces", True),
        ("POST", "/api/3.0/mlflow/workspaces", False),
        ("DELETE", "/api/3.0/mlflow/workspaces/vision", False),
        ("GET", "/api/2.0/mlflow/users/current", True),
        ("GET", "/api/2.0/mlflow/users/list", False),
        ("POST", "/api/2.0/mlflow/users/create", False),
        ("PATCH", "/api/2.0/mlflow/users/update-admin", False),
        ("POST", "/api/3.0/mlflow/roles/assign", False),
        ("POST", "/api/2.0/mlflow/webhooks", False),
        ("POST", "/v1/traces", False),
        ("GET", "/gateway/x", False),
        ("TRACE", "/", False),
        ("POST", "/prefix/api/2.0/mlflow/runs/create", False),
    ],
)
def test_only_what_is_listed_is_open(method: str, path: str, open_: bool) -> None:
    assert is_open(method, path) is open_


def test_a_program_must_name_a_workspace_for_runs_alone() -> None:
    assert needs_workspace("/api/2.0/mlflow/runs/create")
    assert not needs_workspace("/api/3.0/mlflow/workspaces")
    assert not needs_workspace("/api/3.0/mlflow/server-info")


@pytest.mark.parametrize(
    ("path", "uploaded"),
    [
        ("/get-artifact", True),
        ("/model-versions/get-artifact", True),
        ("/ajax-api/3.0/mlflow/get-trace-artifact", True),
        ("/api/2.0/mlflow-artifacts/artifacts/1/x.html", True),
        ("/ajax-api/2.0/mlflow/logged-models/m/artifacts/files", True),
        ("/", False),
        ("/static-files/static/js/main.js", False),
    ],
)
def test_uploaded_files_are_told_from_mlflows_own(path: str, uploaded: bool) -> None:
    assert is_artifact(path) is uploaded


def test_a_signature_is_believed_while_it_is_fresh() -> None:
    value = sign(KEY, "lin", 1000)
    assert signer(KEY, value, 1030) == "lin"
    assert signer(KEY, value, 1061) is None
    assert signer(KEY, value, 939) is None


@pytest.mark.parametrize("value", ["", ".", "...", "1.bGlu.1000", "é.ü.1.x", "1.bGlu.x.y"])
def test_nonsense_for_a_signature_is_refused_without_an_error(value: str) -> None:
    assert signer(KEY, value, 1000) is None


def test_a_changed_name_or_key_breaks_the_signature() -> None:
    value = sign(KEY, "lin", 1000)
    assert signer(b"x" * 32, value, 1000) is None
    assert signer(KEY, value.replace("bGlu", "cHJvZg=="), 1000) is None


def test_mlflow_learns_of_the_person_by_the_signed_header_alone() -> None:
    received = [
        (b"cookie", b"a=b"),
        (b"authorization", b"Bearer t"),
        (b"x-ulab-identity", b"forged"),
        (b"x_ulab_identity", b"forged"),
        (b"x-mlflow-workspace", b"other"),
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"origin", b"http://evil"),
        (b"host", b"evil"),
        (b"content-type", b"application/json"),
    ]
    sent = request_headers(received, "10.0.0.7", "signed", "vision")
    assert sorted(sent.items()) == [
        ("X-MLFLOW-WORKSPACE", "vision"),
        ("X-ULab-Identity", "signed"),
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("host", "mlflow"),
        ("x-forwarded-for", "10.0.0.7"),
    ]


def test_a_request_is_never_taken_for_one_of_the_machine_itself() -> None:
    assert request_headers([], "", "signed", None)["x-forwarded-for"] == "unknown"


def test_the_marker_is_found_from_below(tmp_path: Path) -> None:
    folder = tmp_path / "vision" / "garments"
    (folder / "plots").mkdir(parents=True)
    marker = {"course": "vision", "assignment": "garments", "language": "zh"}
    (folder / ".ulab.json").write_text(json.dumps(marker))
    assert find_place(folder / "plots") == Place("vision", "garments")
    assert find_place(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"course": 1, "assignment": "x"}', "\x00"])
def test_a_broken_marker_is_no_marker(tmp_path: Path, content: str) -> None:
    (tmp_path / ".ulab.json").write_text(content)
    assert find_place(tmp_path) is None


def test_links_carry_what_they_need_escaped() -> None:
    assert run_link("v", "g") == f"{PREFIX}/ulab/open?course=v&assignment=g"
    assert run_link("v", "g", "a&b").endswith("&person=a%26b")
    assert experiment_link("v", "7").startswith(f"{PREFIX}/#/experiments/7/runs?")


def test_mlflow_is_set_up_by_the_names_it_reads(tmp_path: Path) -> None:
    from mlflow.server import constants, handlers

    found = environment(Settings(server=Server(state_dir=tmp_path)))
    for name in (
        constants.BACKEND_STORE_URI_ENV_VAR,
        constants.REGISTRY_STORE_URI_ENV_VAR,
        constants.ARTIFACT_ROOT_ENV_VAR,
        constants.ARTIFACTS_DESTINATION_ENV_VAR,
        constants.SERVE_ARTIFACTS_ENV_VAR,
    ):
        assert name in found
    assert handlers.STATIC_PREFIX_ENV_VAR not in found
    from mlflow import environment_variables

    known = {v.name for v in vars(environment_variables).values() if hasattr(v, "name")}
    ours = {name for name in found if "MLFLOW" in name and not name.startswith("_MLFLOW_SERVER_")}
    assert {name for name in ours if not name.startswith("ULAB_")} <= known


def test_who_was_given_no_right_has_none(tmp_path: Path) -> None:
    settings = Settings(
        server=Server(state_dir=tmp_path), mlflow=Mlflow(database_url="postgresql://u:p%40@db/m")
    )
    found = auth_config(settings)
    assert found["default_permission"] == "NO_PERMISSIONS"
    assert found["grant_default_workspace_access"] == "false"
    assert found["database_uri"] == "postgresql://u:p%40@db/m"
