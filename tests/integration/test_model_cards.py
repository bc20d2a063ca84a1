"""The registry of a team in a real MLflow: nothing is promoted without a card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from integration.mlflow_support import VISION, Site, running_site
from sqlalchemy import select

from ulab_core.models import AuditEntry
from ulab_core.team_models import TeamRole
from ulab_teams.teams import create_team, set_member

API = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"
TEAM = "windfarm"
CARD = {
    "data_revision": "elecdemand@v1",
    "code_sha256": "a" * 64,
    "licence": "Apache-2.0",
    "owner": "lin",
    "intended_use": "day-ahead forecasts",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as found:
        with found.database.write() as session:
            create_team(session, TEAM, "Wind farm", "", "lin", "test")
            set_member(session, TEAM, "wang", TeamRole.MEMBER, "test")
            set_member(session, TEAM, "prof", TeamRole.MENTOR, "test")
        yield found


@pytest.fixture
def lin(site: Site) -> Iterator[httpx.Client]:
    with site.client("lin", TEAM) as client:
        yield client


def version(client: httpx.Client, model: str, **card: str) -> str:
    """A new version of a model, with these fields in its card."""
    client.post(f"{API}/registered-models/create", json={"name": model})
    tags = [{"key": f"ulab.card.{field}", "value": text} for field, text in card.items()]
    # A path needs a run that it lies in; this is what a client sends for a model logged elsewhere.
    experiment = client.post(f"{API}/experiments/create", json={"name": f"for {model}"})
    found = client.get(f"{API}/experiments/get-by-name", params={"experiment_name": f"for {model}"})
    assert experiment.status_code in (200, 400)
    asked = {"experiment_id": found.json()["experiment"]["experiment_id"], "start_time": 1}
    run = client.post(f"{API}/runs/create", json=asked).json()["run"]["info"]
    asked = {
        "name": model,
        "source": f"{run['artifact_uri']}/model",
        "run_id": run["run_id"],
        "tags": tags,
    }
    made = client.post(f"{API}/model-versions/create", json=asked)
    assert made.status_code == 200, made.text
    return str(made.json()["model_version"]["version"])


def seen(client: httpx.Client, model: str, number: str) -> dict[str, Any]:
    answer = client.get(f"{API}/model-versions/get", params={"name": model, "version": number})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["model_version"]
    return found


def in_use(client: httpx.Client, model: str, number: str) -> bool:
    found = seen(client, model, number)
    return bool(found.get("aliases")) or found["current_stage"] in ("Staging", "Production")


def alias(client: httpx.Client, model: str, number: str, api: str = API) -> httpx.Response:
    asked = {"name": model, "alias": "champion", "version": number}
    return client.post(f"{api}/registered-models/alias", json=asked)


def stage(client: httpx.Client, model: str, number: str, name: str) -> httpx.Response:
    asked = {"name": model, "version": number, "stage": name}
    return client.post(f"{API}/model-versions/transition-stage", json=asked)


def tag(client: httpx.Client, model: str, number: str, field: str, text: str) -> httpx.Response:
    asked = {"name": model, "version": number, "key": f"ulab.card.{field}", "value": text}
    return client.post(f"{API}/model-versions/set-tag", json=asked)


def untag(client: httpx.Client, model: str, number: str, field: str) -> httpx.Response:
    asked = {"name": model, "version": number, "key": f"ulab.card.{field}"}
    return client.request("DELETE", f"{API}/model-versions/delete-tag", json=asked)


@pytest.mark.parametrize("field", sorted(CARD))
def test_one_missing_field_holds_a_version_back_until_it_is_there(
    lin: httpx.Client, field: str
) -> None:
    model = f"lacks-{field}"
    number = version(lin, model, **{f: t for f, t in CARD.items() if f != field})
    for answer in (alias(lin, model, number), alias(lin, model, number, AJAX)):
        assert answer.status_code == 400
        assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
        assert f"ulab.card.{field}" in answer.json()["message"]
    assert stage(lin, model, number, "Production").status_code == 400
    assert not in_use(lin, model, number)
    assert tag(lin, model, number, field, CARD[field]).status_code == 200
    assert alias(lin, model, number).status_code == 200
    assert in_use(lin, model, number)


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("code_sha256", "main", "neither"),
        ("owner", "stranger", "owner or member"),
        ("owner", "prof", "owner or member"),
    ],
)
def test_what_can_not_be_right_holds_it_back_too(
    lin: httpx.Client, field: str, text: str, reason: str
) -> None:
    model = f"wrong-{field}-{text}"
    number = version(lin, model, **(CARD | {field: text}))
    answer = alias(lin, model, number)
    assert answer.status_code == 400
    assert reason in answer.json()["message"]
    assert not in_use(lin, model, number)


def odd_bodies(model: str, number: str) -> dict[str, tuple[str, bytes]]:
    """Ways of asking for an alias that a reader of JSON could take for something else."""
    plain = {"name": model, "alias": "champion", "version": number}
    text = json.dumps(plain)
    return {
        "twice encoded": (f"{API}/registered-models/alias", json.dumps(text).encode()),
        "unknown fields": (
            f"{API}/registered-models/alias",
            json.dumps({"other": [1, {"a": 2}]} | plain).encode(),
        ),
        "a key twice": (
            f"{API}/registered-models/alias",
            b'{"name": "no such model", ' + text[1:].encode(),
        ),
        "escaped keys": (
            f"{API}/registered-models/alias",
            text.replace("alias", "\\u0061lias").encode(),
        ),
        "a byte order mark": (f"{API}/registered-models/alias", b"\xef\xbb\xbf" + text.encode()),
        "utf-16": (f"{API}/registered-models/alias", text.encode("utf-16")),
        "a number for the version": (
            f"{API}/registered-models/alias",
            json.dumps(plain | {"version": int(number)}).encode(),
        ),
        "a zero before it": (
            f"{API}/registered-models/alias",
            json.dumps(plain | {"version": f"0{number}"}).encode(),
        ),
        "version 3 of the API": ("/api/3.0/mlflow/registered-models/alias", text.encode()),
        "production, in capitals": (
            f"{API}/model-versions/transition-stage",
            json.dumps({"name": model, "version": number, "stage": "PRODUCTION"}).encode(),
        ),
        "staging, others archived": (
            f"{API}/model-versions/transition-stage",
            json.dumps(
                {
                    "name": model,
                    "version": number,
                    "stage": "sTaGing",
                    "archiveExistingVersions": True,
                }
            ).encode(),
        ),
    }


@pytest.mark.parametrize("way", sorted(odd_bodies("m", "1")))
@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "", "application/x-www-form-urlencoded"]
)
def test_no_way_of_asking_gets_around_it(lin: httpx.Client, way: str, content_type: str) -> None:
    model = f"odd-{way} {content_type.replace('/', ' ')}"
    number = version(lin, model)
    path, body = odd_bodies(model, number)[way]
    answer = lin.post(path, content=body, headers={"content-type": content_type})
    assert not answer.is_success, answer.text
    assert not in_use(lin, model, number)


def copy(client: httpx.Client, source: str, into: str, **card: str) -> httpx.Response:
    """What MLflow's pages call promoting: a version of another model made from a version."""
    client.post(f"{API}/registered-models/create", json={"name": into})
    tags = [{"key": f"ulab.card.{field}", "value": text} for field, text in card.items()]
    asked = {"name": into, "source": source, "tags": tags}
    return client.post(f"{API}/model-versions/create", json=asked)


def versions(client: httpx.Client, model: str) -> int:
    listed = client.get(f"{API}/model-versions/search", params={"filter": f"name = '{model}'"})
    return len(listed.json().get("model_versions", []))


def test_a_copy_into_another_model_needs_the_card_too(lin: httpx.Client) -> None:
    number = version(lin, "original", **CARD)
    assert alias(lin, "original", number).status_code == 200
    for source in (
        f"models:/original/{number}",
        "models:/original@champion",
        "models:/original/latest",
        "models:/original/LATEST",
        f"MODELS:/original/{number}",
    ):
        assert copy(lin, source, "copy").status_code == 400, source
        assert copy(lin, source, "copy", **(CARD | {"owner": "dean"})).status_code == 400, source
    assert versions(lin, "copy") == 0
    assert copy(lin, f"models:/original/{number}", "copy", **CARD).status_code == 200
    assert not in_use(lin, "copy", "1")
    # Of the same model it is a new version like any other.
    assert copy(lin, f"models:/original/{number}", "original").status_code == 200
    assert alias(lin, "original", "2").status_code == 400


def test_a_new_name_brings_no_promotion_along(lin: httpx.Client) -> None:
    version(lin, "plain")
    asked = {"name": "plain", "new_name": "renamed"}
    assert lin.post(f"{API}/registered-models/rename", json=asked).status_code == 200
    assert not in_use(lin, "renamed", "1")
    assert alias(lin, "renamed", "1").status_code == 400
    assert stage(lin, "renamed", "1", "Staging").status_code == 400


def test_a_promoted_versions_card_is_changed_but_never_emptied(lin: httpx.Client) -> None:
    number = version(lin, "kept", **CARD)
    assert alias(lin, "kept", number).status_code == 200
    for field in CARD:
        for answer in (untag(lin, "kept", number, field), tag(lin, "kept", number, field, " ")):
            assert answer.status_code == 400, field
    assert tag(lin, "kept", number, "code_sha256", "main").status_code == 400
    assert tag(lin, "kept", number, "licence", "MIT").status_code == 200
    tags = {one["key"]: one["value"] for one in seen(lin, "kept", number)["tags"]}
    assert tags == {f"ulab.card.{f}": t for f, t in (CARD | {"licence": "MIT"}).items()}
    # Out of use again, it may be emptied, and then is not promoted.
    asked = {"name": "kept", "alias": "champion"}
    assert lin.request("DELETE", f"{API}/registered-models/alias", json=asked).status_code == 200
    assert untag(lin, "kept", number, "licence").status_code == 200
    assert alias(lin, "kept", number).status_code == 400


def test_a_card_emptied_at_the_very_moment_of_promotion_promotes_nothing(
    site: Site, lin: httpx.Client
) -> None:
    number = version(lin, "raced", **CARD)
    asked = {"name": "raced", "alias": "champion"}
    with site.client("lin", TEAM) as again, ThreadPoolExecutor(2) as pool:
        for _ in range(15):
            together = [
                pool.submit(alias, lin, "raced", number),
                pool.submit(untag, again, "raced", number, "licence"),
            ]
            outcome = sorted(one.result().status_code for one in together)
            found = seen(lin, "raced", number)
            keys = {one["key"] for one in found["tags"]}
            assert outcome == [200, 400]
            assert bool(found.get("aliases")) is ("ulab.card.licence" in keys)
            lin.request("DELETE", f"{API}/registered-models/alias", json=asked)
            assert tag(lin, "raced", number, "licence", "MIT").status_code == 200


def test_stages_out_of_use_and_other_tags_need_no_card(lin: httpx.Client) -> None:
    number = version(lin, "bare")
    for name in ("Archived", "None"):
        assert stage(lin, "bare", number, name).status_code == 200
    asked = {"name": "bare", "version": number, "key": "note", "value": "x"}
    assert lin.post(f"{API}/model-versions/set-tag", json=asked).status_code == 200
    asked = {"name": "bare", "version": number, "key": "note"}
    gone = lin.request("DELETE", f"{API}/model-versions/delete-tag", json=asked)
    assert gone.status_code == 200


def test_a_mentor_and_others_promote_nothing(site: Site, lin: httpx.Client) -> None:
    number = version(lin, "guarded", **CARD)
    for person in ("prof", "stranger", "dean"):
        with site.client(person, TEAM) as client:
            assert alias(client, "guarded", number).status_code == 403
            assert tag(client, "guarded", number, "licence", "MIT").status_code == 403
    with site.client("wang", TEAM) as client:
        assert alias(client, "guarded", number).status_code == 200


def test_the_refusal_is_in_the_readers_language(site: Site, lin: httpx.Client) -> None:
    number = version(lin, "spoken")
    asked = {"name": "spoken", "alias": "champion", "version": number}
    answer = lin.post(
        f"{API}/registered-models/alias", json=asked, headers={"accept-language": "zh-CN"}
    )
    assert "模型卡缺少：数据版本、代码哈希" in answer.json()["message"]


def test_who_promoted_and_changed_what_is_noted(site: Site, lin: httpx.Client) -> None:
    number = version(lin, "noted", **CARD)
    with site.client("wang", TEAM) as wang:
        assert alias(wang, "noted", number).status_code == 200
        assert tag(wang, "noted", number, "licence", "MIT").status_code == 200
    assert untag(lin, "noted", number, "licence").status_code == 400
    with site.database.read() as session:
        rows = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.target == f"{TEAM}/noted/{number}")
            .order_by(AuditEntry.id)
        ).all()
        noted = [(row.actor, row.action, row.detail) for row in rows]
    assert noted == [
        ("wang", "model.promote", {"alias": "champion"}),
        ("wang", "model.card", {"field": "licence", "from": "Apache-2.0", "to": "MIT"}),
    ]


def test_in_a_course_nobody_registers_a_model(site: Site) -> None:
    for person in ("lin", "prof"):
        with site.client(person, VISION) as client:
            answer = client.post(f"{API}/registered-models/create", json={"name": "mine"})
            assert answer.status_code == 403
