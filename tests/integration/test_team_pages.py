"""Teams in the portal: asking, answering, inviting, joining, roles, and who is refused."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.coursework_support import COURSE
from integration.portal_support import Browser, Portal, make_portal
from sqlalchemy import select

from ulab_core.models import AuditEntry
from ulab_core.team_models import TeamRole
from ulab_coursework.courses import ensure_person
from ulab_teams.folders import prepare_folder
from ulab_teams.invitations import invite
from ulab_teams.teams import create_team, members_of, set_member

TEAM = "windfarm"
PURPOSE = "Forecasts for the Tongyu wind farm"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    made = make_portal(tmp_path, monkeypatch)
    with made.base.db.write() as session:
        ensure_person(session, "root", display_name="The office")
    return made


@pytest.fixture
def team(portal: Portal) -> Portal:
    """A team with alice as owner, bob as member, carol as mentor, and dave invited."""
    with portal.base.db.write() as session:
        ensure_person(session, "alice", display_name="李娜")
        create_team(session, TEAM, "Wind farm", PURPOSE, "alice", "test")
        set_member(session, TEAM, "bob", TeamRole.MEMBER, "test")
        set_member(session, TEAM, "carol", TeamRole.MENTOR, "test")
        invite(session, TEAM, "dave", TeamRole.MEMBER, "alice")
    return portal


def members(portal: Portal) -> dict[str, str]:
    with portal.base.db.read() as session:
        return {name: role.value for name, role in members_of(session, TEAM).items()}


def noted(portal: Portal) -> list[tuple[str, str, str]]:
    with portal.base.db.read() as session:
        rows = session.execute(
            select(AuditEntry.actor, AuditEntry.action, AuditEntry.target)
            .where(AuditEntry.action.like("team.%"), AuditEntry.actor != "test")
            .order_by(AuditEntry.id)
        )
        return [(row.actor, row.action, row.target) for row in rows]


def number(browser: Browser, team: str = TEAM) -> str:
    found = re.search(rf'data-request="{team}".*?team-requests/(\d+)/answer', see(browser), re.S)
    assert found
    return found[1]


def see(browser: Browser, path: str = "teams") -> str:
    answer = browser.see(path)
    assert answer.status_code == 200, answer.text
    return answer.text


# Asking ----------------------------------------------------------------------------------------


def test_a_student_asks_and_an_administrator_approves(portal: Portal) -> None:
    alice, root = portal.browser("alice"), portal.browser("root")
    assert "Teams (1 waiting)" not in see(root, "")
    asked = alice.act("team-requests", team_id=TEAM, title="Wind farm", purpose=PURPOSE)
    assert asked.status_code == 204, asked.text
    assert "waiting for an administrator" in see(alice)
    assert "Teams (1 waiting)" in see(root, ""), "on every page"
    assert "团队（1 项待处理）" in see(portal.browser("root", "zh"), "")
    assert PURPOSE in see(root)
    assert alice.see(f"teams/{TEAM}").status_code == 404, "nothing exists before"
    done = root.act(f"team-requests/{number(root)}/answer", approve="true", answer="Good luck")
    assert done.status_code == 204, done.text
    page = see(alice)
    assert f'data-team="{TEAM}"' in page
    assert "Good luck" in page
    assert "answered by The office" in page
    assert members(portal) == {"alice": "owner"}
    assert noted(portal) == [
        ("alice", "team.request", TEAM),
        ("root", "team.create", TEAM),
        ("root", "team.request.approve", TEAM),
    ]


def test_a_refusal_needs_a_sentence_that_who_asked_reads(portal: Portal) -> None:
    alice, root = portal.browser("alice"), portal.browser("root", "zh")
    alice.act("team-requests", team_id=TEAM, purpose=PURPOSE)
    answer = f"team-requests/{number(root)}/answer"
    empty = root.act(answer, approve="false", answer="  ")
    assert empty.status_code == 400
    assert "请用一句话说明原因" in empty.text
    assert root.act(answer, approve="false", answer="Ask your mentor first").status_code == 204
    assert root.act(answer, approve="true").status_code == 409, "it is answered"
    page = see(alice)
    assert "refused" in page
    assert "Ask your mentor first" in page
    assert members(portal) == {}
    # The id is free again.
    assert alice.act("team-requests", team_id=TEAM, purpose=PURPOSE).status_code == 204


@pytest.mark.parametrize(
    ("team_id", "purpose", "status", "sentence"),
    [
        ("Wind_Farm", PURPOSE, 400, "can&#39;t be a team&#39;s id"),
        ("default", PURPOSE, 400, "can&#39;t be a team&#39;s id"),
        ("taken", PURPOSE, 409, "There is a team taken already"),
        (COURSE, PURPOSE, 409, "There is a course"),
        ("asked", PURPOSE, 409, "Someone has asked for a team asked already"),
        (TEAM, " ", 400, "Say in a sentence what the team works on"),
        (TEAM, "x" * 601, 400, "601 characters; write 600 at most"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_with_a_sentence(
    portal: Portal, team_id: str, purpose: str, status: int, sentence: str
) -> None:
    with portal.base.db.write() as session:
        create_team(session, "taken", "", "", "bob", "test")
    portal.browser("bob").act("team-requests", team_id="asked", purpose=PURPOSE)
    refused = portal.browser("alice").act("team-requests", team_id=team_id, purpose=purpose)
    assert refused.status_code == status
    assert sentence in refused.text
    assert "data-asked" not in see(portal.browser("alice"))


def test_three_requests_may_wait_and_one_can_be_withdrawn(portal: Portal) -> None:
    alice, root = portal.browser("alice"), portal.browser("root")
    for name in ("one", "two", "three"):
        assert alice.act("team-requests", team_id=name, purpose=PURPOSE).status_code == 204
    assert alice.act("team-requests", team_id="four", purpose=PURPOSE).status_code == 409
    again = alice.act("team-requests", team_id="one", purpose=PURPOSE)
    assert (again.status_code, "You have asked for the team one" in again.text) == (409, True)
    two = number(root, "two")
    assert portal.browser("bob").act(f"team-requests/{two}/withdraw").status_code == 404
    assert alice.act(f"team-requests/{two}/withdraw").status_code == 204
    assert 'data-request="two"' not in see(root)
    assert alice.act("team-requests", team_id="four", purpose=PURPOSE).status_code == 204


def test_a_team_without_a_title_is_called_by_its_id_and_the_forms_say_so(portal: Portal) -> None:
    said = "Leave it empty to call it by its id."
    alice = portal.browser("alice")
    with portal.base.db.write() as session:
        create_team(session, TEAM, "  ", PURPOSE, "alice", "test")
    assert said in see(alice)
    assert said in see(alice, f"teams/{TEAM}")
    for title, called in (("风场", "风场"), ("  ", TEAM)):
        assert alice.act(f"teams/{TEAM}/describe", title=title, purpose="").status_code == 204
        assert f"<h1>{called} " in see(alice, f"teams/{TEAM}")


@pytest.mark.parametrize("person", ["alice", "carol"])
def test_only_administrators_answer(portal: Portal, person: str) -> None:
    portal.browser("alice").act("team-requests", team_id=TEAM, purpose=PURPOSE)
    asked = number(portal.browser("root"))
    browser = portal.browser(person)
    assert "data-request" not in see(browser)
    refused = browser.act(f"team-requests/{asked}/answer", approve="true")
    assert refused.status_code == 403
    assert members(portal) == {}


# A team's page ---------------------------------------------------------------------------------


def test_who_is_invited_joins_or_declines(team: Portal) -> None:
    alice, dave = team.browser("alice"), team.browser("dave")
    assert 'data-invited="dave"' in see(alice, f"teams/{TEAM}")
    assert "Teams (1 waiting)" in see(dave, "")
    assert "by 李娜, " in see(dave)
    page = see(dave, f"teams/{TEAM}")
    assert "invited into this team as member" in page
    assert "~/teams/" not in page, "only once they joined"
    assert dave.act(f"teams/{TEAM}/accept").status_code == 204
    assert members(team)["dave"] == "member"
    assert dave.act(f"teams/{TEAM}/accept").status_code == 404, "it served once"
    assert f"~/teams/{TEAM}" in see(dave, f"teams/{TEAM}")
    assert dave.act(f"teams/{TEAM}/leave").status_code == 204
    assert alice.act(f"teams/{TEAM}/invite", name=" Dave ", role="mentor").status_code == 204
    assert dave.act(f"teams/{TEAM}/decline").status_code == 204
    assert dave.act(f"teams/{TEAM}/accept").status_code == 404
    assert alice.act(f"teams/{TEAM}/invite", name="dave", role="mentor").status_code == 204
    assert alice.act(f"teams/{TEAM}/invite/withdraw", name="dave").status_code == 204
    assert dave.act(f"teams/{TEAM}/accept").status_code == 404
    assert dave.see(f"teams/{TEAM}").status_code == 403
    assert noted(team) == [
        ("alice", "team.invite", f"{TEAM}/dave"),
        ("dave", "team.invite.accept", f"{TEAM}/dave"),
        ("dave", "team.member", f"{TEAM}/dave"),
        ("dave", "team.remove", f"{TEAM}/dave"),
        ("alice", "team.invite", f"{TEAM}/dave"),
        ("dave", "team.invite.decline", f"{TEAM}/dave"),
        ("alice", "team.invite", f"{TEAM}/dave"),
        ("alice", "team.invite.withdraw", f"{TEAM}/dave"),
    ]


def test_the_page_says_how_much_lies_in_the_folder_and_who_has_no_account(team: Portal) -> None:
    layout = team.base.layout
    assert ">empty<" in see(team.browser("bob"), f"teams/{TEAM}")
    folder = prepare_folder(layout, TEAM, None)
    for name in ("one", "two"):
        (folder / name).write_bytes(b"x" * 1_000_000)
    layout.hub.mkdir(exist_ok=True)
    with closing(sqlite3.connect(layout.hub_database)) as accounts, accounts:
        accounts.execute("CREATE TABLE users_info (username TEXT, is_authorized BOOLEAN)")
        accounts.execute("INSERT INTO users_info VALUES ('alice', 1), ('carol', 1)")
    page = see(team.browser("carol"), f"teams/{TEAM}")
    assert "2 files · 2.0 MB" in page
    assert re.findall(r'data-person="(\w+)"(?:(?!</tr>).)*?no account', page, re.S) == ["bob"]
    for person in ("dave", "root"):
        assert "2 files" not in see(team.browser(person), f"teams/{TEAM}"), "only who may read it"


def test_an_owner_changes_roles_and_takes_people_out(team: Portal) -> None:
    alice = team.browser("alice")
    assert alice.act(f"teams/{TEAM}/role", name="bob", role="owner").status_code == 204
    assert alice.act(f"teams/{TEAM}/role", name="carol", role="member").status_code == 204
    assert members(team) == {"alice": "owner", "bob": "owner", "carol": "member"}
    assert alice.act(f"teams/{TEAM}/remove", name="carol").status_code == 204
    assert team.browser("carol").see(f"teams/{TEAM}").status_code == 403
    # Who isn't in the team is not put into it that way, invited or not.
    for name in ("carol", "dave"):
        assert alice.act(f"teams/{TEAM}/role", name=name, role="member").status_code == 404
    assert alice.act(f"teams/{TEAM}/leave").status_code == 204
    assert members(team) == {"bob": "owner"}


def test_a_team_keeps_its_last_owner(team: Portal) -> None:
    alice = team.browser("alice")
    page = see(alice, f"teams/{TEAM}")
    assert "only owner" in page
    assert 'id="leave"' not in page
    for path, fields in (
        ("leave", {}),
        ("remove", {"name": "alice"}),
        ("role", {"name": "alice", "role": "mentor"}),
    ):
        refused = alice.act(f"teams/{TEAM}/{path}", **fields)
        assert refused.status_code == 409
        assert "only owner of the team" in refused.text
    assert members(team)["alice"] == "owner"


@pytest.mark.parametrize(
    ("person", "sees", "manages", "describes"),
    [
        ("alice", 200, 204, 204),
        ("bob", 200, 403, 403),
        ("carol", 200, 403, 403),
        ("dave", 200, 403, 403),
        ("root", 200, 204, 403),
        ("stranger", 403, 403, 403),
    ],
)
def test_who_sees_the_page_and_who_changes_it(
    team: Portal, person: str, sees: int, manages: int, describes: int
) -> None:
    browser, before = team.browser(person), members(team)
    assert browser.see(f"teams/{TEAM}").status_code == sees
    acts = [
        ("role", {"name": "bob", "role": "mentor"}),
        ("invite", {"name": "stranger", "role": "member"}),
        ("invite/withdraw", {"name": "dave"}),
        ("remove", {"name": "carol"}),
    ]
    with team.base.db.write() as session:
        ensure_person(session, "stranger")
    for path, fields in acts:
        assert browser.act(f"teams/{TEAM}/{path}", **fields).status_code == manages, path
    described = browser.act(f"teams/{TEAM}/describe", title="New", purpose="Other")
    assert described.status_code == describes
    after = {"alice": "owner", "bob": "mentor"} if manages == 204 else before
    assert members(team) == after
    assert ("New" in see(team.browser("alice"), f"teams/{TEAM}")) is (describes == 204)


@pytest.mark.parametrize(("person", "logs"), [("alice", True), ("bob", True), ("carol", False)])
def test_only_who_may_log_is_told_how(team: Portal, person: str, logs: bool) -> None:
    assert ("ulab.track(" in see(team.browser(person), f"teams/{TEAM}")) is logs


def test_a_form_of_another_site_or_persons_page_changes_nothing(team: Portal) -> None:
    alice = team.browser("alice")
    stolen = {"hx-request": "true", "x-csrf-token": team.browser("bob").token()}
    path = f"/services/ulab/teams/{TEAM}/remove"
    assert alice.post(path, data={"name": "bob"}, headers=stolen).status_code == 403
    foreign = alice._htmx() | {"sec-fetch-site": "cross-site"}
    assert alice.post(path, data={"name": "bob"}, headers=foreign).status_code == 403
    assert "bob" in members(team)


def test_what_people_wrote_is_text_on_the_pages(portal: Portal) -> None:
    hostile = "<script>alert(1)</script>"
    portal.browser("alice").act("team-requests", team_id=TEAM, title=hostile, purpose=hostile)
    root = portal.browser("root")
    assert hostile not in see(root)
    root.act(f"team-requests/{number(root)}/answer", approve="true", answer=hostile)
    for page in (see(portal.browser("alice")), see(portal.browser("alice"), f"teams/{TEAM}")):
        assert hostile not in page
        assert "&lt;script&gt;alert(1)" in page


# The HTTP API ----------------------------------------------------------------------------------


def ask_api(portal: Portal, person: str, method: str, path: str, **body: Any) -> httpx.Response:
    browser = portal.browser(person)
    return browser.request(
        method,
        f"/services/ulab/api/{path}",
        json=body or None,
        headers={"x-csrf-token": browser.token()},
    )


def test_a_program_goes_the_whole_way(portal: Portal) -> None:
    asked = ask_api(portal, "alice", "POST", "team-requests", team=TEAM, purpose=PURPOSE)
    assert asked.status_code == 201, asked.text
    assert ask_api(portal, "alice", "GET", "team-requests").status_code == 403
    [request] = ask_api(portal, "root", "GET", "team-requests").json()
    assert (request["team"], request["asked_by"], request["approved"]) == (TEAM, "alice", None)
    path = f"team-requests/{request['id']}/answer"
    assert ask_api(portal, "alice", "POST", path, approve=True).status_code == 403
    assert ask_api(portal, "root", "POST", path, approve=False).status_code == 400
    assert ask_api(portal, "root", "POST", path, approve=True).json() == {"approved": True}
    invited = ask_api(portal, "alice", "POST", f"teams/{TEAM}/invitations", name="bob")
    assert [one["name"] for one in invited.json()["invited"]] == ["bob"]
    bobs = ask_api(portal, "bob", "GET", "teams").json()
    assert [one["team"] for one in bobs["invitations"]] == [TEAM]
    assert ask_api(portal, "bob", "POST", f"teams/{TEAM}/reply", accept=True).json() == {
        "role": "member"
    }
    changed = ask_api(portal, "alice", "PUT", f"teams/{TEAM}/people/bob", role="mentor").json()
    assert changed["people"] == [
        {"name": "alice", "role": "owner"},
        {"name": "bob", "role": "mentor"},
    ]
    assert ask_api(portal, "bob", "DELETE", f"teams/{TEAM}/people/bob").status_code == 200
    assert ask_api(portal, "bob", "GET", f"teams/{TEAM}").status_code == 403
    assert ask_api(portal, "alice", "DELETE", f"teams/{TEAM}/people/alice").status_code == 409


@pytest.mark.parametrize(
    ("person", "sees", "manages"),
    [("bob", 200, 403), ("carol", 200, 403), ("dave", 200, 403), ("stranger", 403, 403),
     ("root", 200, 200), ("alice", 200, 200)],
)  # fmt: skip
def test_the_api_lets_do_what_the_pages_let_do(
    team: Portal, person: str, sees: int, manages: int
) -> None:
    assert ask_api(team, person, "GET", f"teams/{TEAM}").status_code == sees
    for method, path, body in (
        ("PUT", "people/bob", {"role": "mentor"}),
        ("DELETE", "invitations/dave", {}),
        ("DELETE", "people/carol", {}),
    ):
        if path.endswith(person):
            continue
        answered = ask_api(team, person, method, f"teams/{TEAM}/{path}", **body)
        assert answered.status_code == manages, path
