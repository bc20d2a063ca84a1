"""The page of a team's models: cards are filled in by whoever may, and held to the rule."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from integration.team_support import (
    API,
    CARD,
    TEAM,
    Teams,
    experiment,
    log_run,
    register,
    running_teams,
)
from sqlalchemy import select

from ulab_core.models import AuditEntry
from ulab_mlflow.cards import CardField


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teams]:
    with running_teams(tmp_path_factory.mktemp("teams")) as found:
        yield found


@pytest.fixture
def bare(teams: Teams) -> str:
    """A model whose first version has no card."""
    name = f"bare {uuid4().hex[:8]}"
    with teams.site.client("lin", TEAM) as client:
        run = log_run(client, experiment(client, "cards"), "r", {"model.pt": b"1"})
        register(client, run, name, "model.pt")
    return name


def tags(teams: Teams, model: str) -> dict[str, str]:
    with teams.site.client("lin", TEAM) as client:
        asked = {"name": model, "version": "1"}
        found = client.get(f"{API}/model-versions/get", params=asked).json()["model_version"]
        return {tag["key"]: tag["value"] for tag in found.get("tags", [])}


def promote(teams: Teams, model: str) -> int:
    with teams.site.client("lin", TEAM) as client:
        asked = {"name": model, "alias": "champion", "version": "1"}
        return client.post(f"{API}/registered-models/alias", json=asked).status_code


@pytest.mark.parametrize(("person", "language"), [("lin", "en"), ("wang", "zh")])
def test_a_card_filled_in_on_the_page_promotes(
    teams: Teams, bare: str, person: str, language: str
) -> None:
    browser = teams.browser(person, language)
    page = browser.see(f"teams/{TEAM}/models").text
    assert ("5 fields missing" if language == "en" else "还缺 5 项") in page
    assert promote(teams, bare) == 400
    answer = browser.act(f"teams/{TEAM}/models/card", model=bare, version="1", **CARD)
    assert answer.status_code == 204, answer.text
    assert tags(teams, bare) == {f"ulab.card.{key}": text for key, text in CARD.items()}
    assert promote(teams, bare) == 200
    assert "champion" in browser.see(f"teams/{TEAM}/models").text
    with teams.site.database.read() as session:
        actors = session.scalars(
            select(AuditEntry.actor).where(
                AuditEntry.action == "model.card", AuditEntry.target == f"{TEAM}/{bare}/1"
            )
        ).all()
    assert list(actors) == [person] * len(CardField)


@pytest.mark.parametrize("person", ["prof", "formerly", "gina", "stranger", "root"])
def test_others_fill_in_nothing(teams: Teams, bare: str, person: str) -> None:
    browser = teams.browser(person)
    answer = browser.act(f"teams/{TEAM}/models/card", model=bare, version="1", **CARD)
    assert answer.status_code == 403
    assert tags(teams, bare) == {}
    if person == "prof":
        page = browser.see(f"teams/{TEAM}/models").text
        assert bare in page
        assert "Save the card" not in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"code_sha256": "main"}, "neither"),
        ({"owner": "stranger"}, "owner or member of the team"),
        ({"intended_use": "x" * 2001}, "too long"),
    ],
)
def test_what_can_not_be_right_is_said_at_once_and_nothing_is_written(
    teams: Teams, bare: str, change: dict[str, str], sentence: str
) -> None:
    card = CARD | change
    answer = teams.browser("lin").act(f"teams/{TEAM}/models/card", model=bare, version="1", **card)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert tags(teams, bare) == {}


def test_a_promoted_card_is_changed_and_not_emptied_on_the_page(teams: Teams, bare: str) -> None:
    browser = teams.browser("lin")
    browser.act(f"teams/{TEAM}/models/card", model=bare, version="1", **CARD)
    assert promote(teams, bare) == 200
    emptied = CARD | {"licence": ""}
    answer = browser.act(f"teams/{TEAM}/models/card", model=bare, version="1", **emptied)
    assert answer.status_code == 400
    assert "must keep: licence" in answer.text
    changed = CARD | {"licence": "MIT"}
    answer = browser.act(f"teams/{TEAM}/models/card", model=bare, version="1", **changed)
    assert answer.status_code == 204
    assert tags(teams, bare)["ulab.card.licence"] == "MIT"


def test_a_member_empties_a_field_of_anothers_model(teams: Teams, bare: str) -> None:
    lin, wang = teams.browser("lin"), teams.browser("wang")
    address = f"teams/{TEAM}/models/card"
    assert lin.act(address, model=bare, version="1", **CARD).status_code == 204
    emptied = CARD | {"intended_use": ""}
    answer = wang.act(address, model=bare, version="1", **emptied)
    assert answer.status_code == 204, answer.text
    assert "1 field missing" in wang.see(f"teams/{TEAM}/models").text
    assert promote(teams, bare) == 400


def test_a_card_is_not_called_complete_when_its_owner_has_left(teams: Teams, bare: str) -> None:
    """As a promotion says, which is refused."""
    browser, address = teams.browser("lin"), f"teams/{TEAM}/models"
    assert browser.act(f"{address}/card", model=bare, version="1", **CARD).status_code == 204
    assert "card to be mended" not in browser.see(address).text
    with teams.site.client("lin", TEAM) as client:
        tag = {"name": bare, "version": "1", "key": CardField.OWNER.tag, "value": "formerly"}
        assert client.post(f"{API}/model-versions/set-tag", json=tag).status_code == 200
    page = browser.see(address).text
    assert "card to be mended" in page
    assert "“formerly” is not" in page
    assert promote(teams, bare) == 400


def test_a_new_teams_pages_are_there_before_it_ever_used_mlflow(teams: Teams) -> None:
    sun = teams.browser("sun")
    assert "No model is registered yet" in sun.see("teams/solar/models").text
    assert "Nothing: only the people" in sun.see("teams/solar/shares").text
