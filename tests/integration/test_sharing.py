"""Links to one run or model of a team, on a real MLflow: who is shown what, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from integration.portal_support import Browser
from integration.team_support import (
    API,
    AUDIENCE,
    PEOPLE,
    SECRET,
    TEAM,
    THIRD,
    Teams,
    experiment,
    log_run,
    register,
    running_teams,
)
from sqlalchemy import select
from typer.testing import CliRunner

from ulab_core.models import AuditEntry
from ulab_core.team_models import Share, SharedThing, TeamRole
from ulab_deploy.cli import build
from ulab_teams import shares
from ulab_teams.teams import remove_member, set_member


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teams]:
    with running_teams(tmp_path_factory.mktemp("teams")) as found:
        yield found


def link(
    teams: Teams, audience: str | None = None, sharer: str = "lin", run: str | None = None
) -> str:
    with teams.site.database.write() as session:
        made = shares.share(
            session, TEAM, SharedThing.RUN, run or teams.run, None, audience, sharer, sharer
        )
        return made.id


def model_link(teams: Teams, audience: str | None = None, number: str | None = None) -> str:
    with teams.site.database.write() as session:
        made = shares.share(
            *(session, TEAM, SharedThing.MODEL_VERSION, "day-ahead"),
            *(number or teams.number, audience, "lin", "lin"),
        )
        return made.id


def withdraw(teams: Teams, share_id: str) -> None:
    with teams.site.database.write() as session:
        shares.withdraw(session, share_id, "lin")


FILES = {"run": "notes.txt", "model": "weights.pt"}
# Who is shown anything, by whom the link is for.
SHOWN = {
    AUDIENCE: {"owner", "member", "mentor", "member of the audience"},
    None: set(PEOPLE.values()),
    "withdrawn": set(),
}


@pytest.mark.parametrize("kind", ["run", "model"])
@pytest.mark.parametrize("meant", [AUDIENCE, None, "withdrawn"])
def test_who_is_shown_what(teams: Teams, kind: str, meant: str | None) -> None:
    make = link if kind == "run" else model_link
    share_id = make(teams, AUDIENCE if meant == AUDIENCE else None)
    if meant == "withdrawn":
        withdraw(teams, share_id)
    for person, what in PEOPLE.items():
        browser = teams.browser(person)
        page = browser.see(f"shared/{share_id}")
        file = browser.see(f"shared/{share_id}/files/{FILES[kind]}")
        expected = 200 if what in SHOWN[meant] else 404
        assert (page.status_code, file.status_code) == (expected, expected), what
        assert ("0.125" in page.text) is (expected == 200), what
        if expected == 404:
            assert "This link shows you nothing" in page.text
            assert "small network" not in page.text + file.text
            assert "day-ahead" not in page.text + file.text
    anonymous = teams.browser("lin")
    anonymous.cookies.clear()
    for path in (f"shared/{share_id}", f"shared/{share_id}/files/{FILES[kind]}"):
        assert anonymous.see(path).status_code == 401


def test_a_run_is_shown_whole_and_harmless(teams: Teams) -> None:
    share_id = link(teams, AUDIENCE)
    page = teams.browser("gina").see(f"shared/{share_id}").text
    for part in ("small network", "day-ahead", "lin", "Wind farm", "loss", "0.025", "elecdemand"):
        assert part in page
    assert "data-curve=" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "/home/lin/private" not in page, "where the notebook lies is MLflow's own tag"
    chinese = teams.browser("gina", "zh").see(f"shared/{share_id}").text
    assert "由团队“Wind farm”的 lin 分享，只供查看。" in chinese


def test_a_model_is_shown_with_its_card_and_the_runs_metrics(teams: Teams) -> None:
    page = teams.browser("gina").see(f"shared/{model_link(teams, AUDIENCE)}").text
    for part in ("Apache-2.0", "elecdemand@v1", "day-ahead forecasts", "0.125", "weights.pt"):
        assert part in page
    assert "notes.txt" not in page, "the version is the folder model alone"


def test_files_are_downloads_that_run_nothing(teams: Teams) -> None:
    share_id = link(teams)
    browser = teams.browser("stranger")
    for path, content in (
        ("page.html", b"<html><script>alert(1)</script></html>"),
        ("model/weights.pt", bytes(range(256)) * 64),
        ("%E6%A8%A1%E5%9E%8B%20%E8%AF%B4%E6%98%8E.txt", "你好".encode()),
    ):
        answer = browser.see(f"shared/{share_id}/files/{path}")
        assert answer.status_code == 200
        assert answer.content == content
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "%E6%A8%A1%E5%9E%8B%20%E8%AF%B4%E6%98%8E.txt" in browser.see(f"shared/{share_id}").text


def elsewhere(teams: Teams) -> list[str]:
    """Paths that would lead from the shared run to what isn't shared."""
    number = teams.kept.joinpath(".").resolve()
    other = next(number.glob(f"*/{teams.other_run}"))
    inside = f"{other.parent.name}/{other.name}/artifacts/secret.txt"
    return [
        f"../../{teams.other_run}/artifacts/secret.txt",
        f"..%2f..%2f{teams.other_run}%2fartifacts%2fsecret.txt",
        f"%2e%2e/%2e%2e/{teams.other_run}/artifacts/secret.txt",
        f"model/../../../{teams.other_run}/artifacts/secret.txt",
        f"..%5c..%5c{teams.other_run}%5cartifacts%5csecret.txt",
        inside,
        f"/{inside}",
        f"%2f{str(other / 'artifacts' / 'secret.txt').lstrip('/')}",
        f"{other}/artifacts/secret.txt",
        "secret.txt",
        "link-to-file",
        "link-to-folder/secret.txt",
        "%00",
        "notes.txt%00",
        "",
        ".",
        "model",
        "%2e%2e",
    ]


@pytest.mark.parametrize("kind", ["run", "model"])
def test_nothing_beside_it_is_reached(teams: Teams, kind: str) -> None:
    share_id = link(teams) if kind == "run" else model_link(teams)
    shown = next(teams.kept.glob(f"*/{teams.run}")) / "artifacts"
    shown = shown if kind == "run" else shown / "model"
    other = next(teams.kept.glob(f"*/{teams.other_run}")) / "artifacts"
    (shown / "link-to-file").symlink_to(other / "secret.txt")
    (shown / "link-to-folder").symlink_to(other, target_is_directory=True)
    try:
        for person in ("gina", "stranger", "lin"):
            browser = teams.browser(person)
            page = browser.see(f"shared/{share_id}").text
            assert SECRET not in page
            assert "link-to" not in page
            for path in elsewhere(teams):
                answer = browser.see(f"shared/{share_id}/files/{path}")
                assert answer.status_code != 200 or "<html" in answer.text, path
                assert SECRET not in answer.text, path
        # The other run's files are there: whoever is in the team reads them in MLflow.
        with teams.site.client("lin", TEAM) as client:
            found = client.get(
                "/get-artifact", params={"run_id": teams.other_run, "path": "secret.txt"}
            )
            assert SECRET in found.text
    finally:
        (shown / "link-to-file").unlink()
        (shown / "link-to-folder").unlink()


def test_a_link_says_nothing_of_other_ids(teams: Teams) -> None:
    share_id = link(teams)
    browser = teams.browser("stranger")
    for path in (
        f"shared/{teams.run}",
        f"shared/{teams.other_run}",
        f"shared/{share_id[:-1]}",
        f"shared/{share_id}/files",
        f"shared/{share_id}?run_id={teams.other_run}",
        f"shared/{share_id}/files/notes.txt?run_id={teams.other_run}&path=secret.txt",
    ):
        assert SECRET not in browser.see(path).text, path
    with teams.site.client("stranger", TEAM) as client:
        for run_id in (teams.run, teams.other_run):
            answer = client.get(f"{API}/runs/get", params={"run_id": run_id})
            assert answer.status_code == 403, "a link opens no door in MLflow"


def test_a_version_that_claims_others_files_shows_none(teams: Teams) -> None:
    """A version's address is its maker's word; only one run or model of the team is believed."""
    with teams.site.client("sun", THIRD) as client:
        foreign = log_run(client, experiment(client, "s"), "s", {"secret.txt": SECRET.encode()})
        root = client.get(f"{API}/runs/get", params={"run_id": foreign}).json()["run"]["info"][
            "artifact_uri"
        ]
    with teams.site.client("lin", TEAM) as client:
        for number, source in enumerate(
            (root, root.rsplit("/", 2)[0], f"mlflow-artifacts:/workspaces/{TEAM}")
        ):
            model = f"claims-{number}"
            client.post(f"{API}/registered-models/create", json={"name": model})
            made = client.post(
                f"{API}/model-versions/create", json={"name": model, "source": source}
            )
            if made.status_code != 200:
                continue  # MLflow itself refuses it
            with teams.site.database.write() as session:
                share_id = shares.share(
                    session, TEAM, SharedThing.MODEL_VERSION, model, "1", None, "lin", "lin"
                ).id
            page = teams.browser("lin").see(f"shared/{share_id}")
            assert page.status_code == 200
            assert "It has no files." in page.text
            for path in ("secret.txt", f"{foreign}/artifacts/secret.txt"):
                answer = teams.browser("lin").see(f"shared/{share_id}/files/{path}")
                assert answer.status_code == 404


def test_what_is_withdrawn_is_refused_at_once_also_between_two_files(teams: Teams) -> None:
    share_id = link(teams, AUDIENCE)
    gina = teams.browser("gina")
    with gina.stream("GET", f"/services/ulab/shared/{share_id}/files/model/weights.pt") as going:
        assert going.status_code == 200
        withdraw(teams, share_id)
    assert gina.see(f"shared/{share_id}/files/model/weights.pt").status_code == 404
    assert gina.see(f"shared/{share_id}").status_code == 404


def test_who_leaves_the_audience_is_refused_with_the_next_request(teams: Teams) -> None:
    share_id = link(teams, AUDIENCE)
    with teams.site.database.write() as session:
        set_member(session, AUDIENCE, "stranger", TeamRole.MENTOR, "test")
    assert teams.browser("stranger").see(f"shared/{share_id}").status_code == 200
    with teams.site.database.write() as session:
        remove_member(session, AUDIENCE, "stranger", "test")
    assert teams.browser("stranger").see(f"shared/{share_id}").status_code == 404


def test_the_link_of_who_left_lapses_with_a_sentence(teams: Teams) -> None:
    with teams.site.database.write() as session:
        set_member(session, TEAM, "formerly", TeamRole.MEMBER, "test")
    share_id = link(teams, AUDIENCE, "formerly")
    assert teams.browser("gina").see(f"shared/{share_id}").status_code == 200
    with teams.site.database.write() as session:
        remove_member(session, TEAM, "formerly", "test")
    for person in ("gina", "lin"):
        page = teams.browser(person).see(f"shared/{share_id}")
        assert page.status_code == 404
        assert "formerly, who shared this, no longer works in the team" in page.text
    assert "lapsed" in teams.browser("lin").see(f"teams/{TEAM}/shares").text
    assert f"shared/{share_id}" not in teams.browser("gina").see(f"teams/{AUDIENCE}/shares").text
    stranger = teams.browser("stranger").see(f"shared/{share_id}").text
    assert "formerly" not in stranger, "who it isn't for learns nothing"


def test_a_deleted_run_is_a_sentence(teams: Teams) -> None:
    with teams.site.client("lin", TEAM) as client:
        number = experiment(client, "short-lived")
        run = log_run(client, number, "soon gone", {"notes.txt": b"x"})
        version = register(client, run, "day-ahead", "notes.txt")
    run_link, version_link = link(teams, run=run), model_link(teams, number=version)
    gina = teams.browser("gina")
    assert gina.see(f"shared/{run_link}").status_code == 200
    # Of a file alone the version has this file, by its name.
    assert gina.see(f"shared/{version_link}/files/notes.txt").content == b"x"
    with teams.site.client("lin", TEAM) as client:
        assert client.post(f"{API}/runs/delete", json={"run_id": run}).status_code == 200
    for path in (f"shared/{run_link}", f"shared/{run_link}/files/notes.txt"):
        page = gina.see(path)
        assert page.status_code == 404
        assert "is not in the team" in page.text
    outlived = gina.see(f"shared/{version_link}")
    assert outlived.status_code == 200
    assert "The run that made it is not kept." in outlived.text


# The pages that make and end links --------------------------------------------------------------


def newest(teams: Teams) -> Share:
    with teams.site.database.read() as session:
        found = session.scalars(select(Share).order_by(Share.created_at.desc())).first()
        assert found is not None
        return found


def make(browser: Browser, **form: Any) -> httpx.Response:
    return browser.act(f"teams/{TEAM}/shares", **form)


def test_a_member_shares_and_withdraws_on_the_page(teams: Teams) -> None:
    wang = teams.browser("wang")
    assert make(wang, run=teams.run, audience=AUDIENCE).status_code == 204
    made = newest(teams)
    assert (made.created_by, made.audience_id, made.name) == ("wang", AUDIENCE, teams.run)
    ours = wang.see(f"teams/{TEAM}/shares").text
    assert f"shared/{made.id}" in ours
    assert "王芳, " in ours
    theirs = teams.browser("gina").see(f"teams/{AUDIENCE}/shares").text
    assert f"shared/{made.id}" in theirs
    assert "王芳, " in theirs
    shown = teams.browser("gina").see(f"shared/{made.id}")
    assert shown.status_code == 200
    assert "王芳 of the team Wind farm" in shown.text
    assert wang.act(f"teams/{TEAM}/shares/{made.id}/withdraw").status_code == 204
    assert f"shared/{made.id}" not in wang.see(f"teams/{TEAM}/shares").text
    assert f"shared/{made.id}" not in teams.browser("gina").see(f"teams/{AUDIENCE}/shares").text
    assert teams.browser("gina").see(f"shared/{made.id}").status_code == 404
    assert make(wang, version=f"day-ahead/{teams.number}", audience="").status_code == 204
    assert newest(teams).kind is SharedThing.MODEL_VERSION
    assert newest(teams).audience_id is None
    with teams.site.database.read() as session:
        rows = session.execute(
            select(AuditEntry.actor, AuditEntry.action)
            .where(AuditEntry.target == f"{TEAM}/{made.id}")
            .order_by(AuditEntry.id)
        ).all()
    assert [tuple(row) for row in rows] == [("wang", "team.share"), ("wang", "team.unshare")]


@pytest.mark.parametrize(
    ("person", "sees", "shares_it", "withdraws_lins"),
    [
        ("lin", True, True, True),
        ("wang", True, True, False),
        ("prof", True, False, False),
        ("formerly", False, False, False),
        ("gina", False, False, False),
        ("sun", False, False, False),
        ("stranger", False, False, False),
        ("root", False, False, False),
    ],
)
def test_who_shares_and_withdraws(
    teams: Teams, person: str, sees: bool, shares_it: bool, withdraws_lins: bool
) -> None:
    share_id = link(teams, AUDIENCE)
    browser = teams.browser(person)
    for part in ("shares", "models"):
        page = browser.see(f"teams/{TEAM}/{part}")
        assert page.status_code == (200 if sees else 403)
        assert ("day-ahead" in page.text) is sees
    before = newest(teams).id
    answer = make(browser, run=teams.run, audience=AUDIENCE)
    assert answer.status_code == (204 if shares_it else 403)
    assert (newest(teams).id != before) is shares_it
    ended = browser.act(f"teams/{TEAM}/shares/{share_id}/withdraw")
    assert ended.status_code == (204 if withdraws_lins else 403)
    assert (teams.browser("gina").see(f"shared/{share_id}").status_code == 404) is withdraws_lins


def test_another_teams_owner_withdraws_nothing_by_their_own_address(teams: Teams) -> None:
    share_id = link(teams, AUDIENCE)
    answer = teams.browser("gina").act(f"teams/{AUDIENCE}/shares/{share_id}/withdraw")
    assert answer.status_code == 404
    assert teams.browser("gina").see(f"shared/{share_id}").status_code == 200


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose one run or one version"),
        ({"run": "{run}", "version": "day-ahead/1"}, "Choose one run or one version"),
        ({"run": "0" * 32}, "is not in the team"),
        ({"run": "{foreign}"}, "is not in the team"),
        ({"run": "'; drop table runs"}, "is not in the team"),
        ({"version": "day-ahead/99"}, "is not in the team"),
        ({"version": "no such/1"}, "is not in the team"),
        ({"version": "day-ahead"}, "is not in the team"),
        ({"run": "{run}", "audience": "nobody"}, "There is no team nobody."),
        ({"run": "{run}", "audience": TEAM}, "sees all of it already"),
    ],
)
def test_mistakes_are_sentences_and_share_nothing(
    teams: Teams, form: dict[str, str], sentence: str
) -> None:
    with teams.site.client("sun", THIRD) as client:
        foreign = log_run(client, experiment(client, "theirs"), "theirs", {})
    link(teams)
    before = newest(teams).id
    filled = {key: text.format(run=teams.run, foreign=foreign) for key, text in form.items()}
    answer = make(teams.browser("lin"), **filled)
    assert answer.status_code >= 400
    assert sentence in answer.text
    assert newest(teams).id == before


# The command ------------------------------------------------------------------------------------


@pytest.fixture
def command(teams: Teams, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`ulab` on this base."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ULAB_SERVER__STATE_DIR", str(teams.site.settings.server.state_dir))


def ulab(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["--language", "en", "team", *arguments])


def said(*arguments: str) -> Any:
    shown = ulab(*arguments, "--json")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.output)


@pytest.mark.usefixtures("command")
def test_an_operator_shares_lists_and_withdraws(teams: Teams) -> None:
    made = said("share", TEAM, "--run", teams.run, "--with", AUDIENCE)
    assert made["by"] == "lin", "the team's owner answers for it"
    assert teams.browser("gina").see(f"shared/{made['share']}").status_code == 200
    assert teams.browser("stranger").see(f"shared/{made['share']}").status_code == 404
    public = said("share", TEAM, "--model", f"day-ahead/{teams.number}", "--by", "wang")
    assert teams.browser("stranger").see(f"shared/{public['share']}").status_code == 200
    rows = {row["share"]: row for row in said("shares", TEAM)}
    assert rows[made["share"]]["with"] == AUDIENCE
    assert rows[public["share"]] | {"at": ""} == {
        "share": public["share"],
        "kind": "model_version",
        "name": "day-ahead",
        "version": teams.number,
        "with": None,
        "by": "wang",
        "at": "",
    }
    assert f"day-ahead/{teams.number}" in ulab("shares", TEAM).output
    for share_id in (made["share"], public["share"]):
        assert said("unshare", share_id) == {"team": TEAM, "share": share_id}
        assert teams.browser("gina").see(f"shared/{share_id}").status_code == 404
    assert not {made["share"], public["share"]} & {row["share"] for row in said("shares", TEAM)}
    assert "shares nothing" in ulab("shares", THIRD).output


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("share", TEAM), "Name one run"),
        (("share", TEAM, "--run", "0" * 32), "is not in the team"),
        (("share", TEAM, "--model", "day-ahead"), "with its version"),
        (("share", TEAM, "--model", "day-ahead/"), "with its version"),
        (("share", TEAM, "--model", "day-ahead/99"), "is not in the team"),
        (("share", "nobody", "--run", "0" * 32), "There is no team nobody."),
        (("share", TEAM, "--run", "{run}", "--by", "prof"), "Only owners and members"),
        (("share", TEAM, "--run", "{run}", "--with", "nobody"), "There is no team nobody."),
        (("shares", "nobody"), "There is no team nobody."),
        (("unshare", "0" * 32), "There is no such link"),
    ],
)
def test_mistakes_on_the_command_line_are_sentences(
    teams: Teams, arguments: tuple[str, ...], sentence: str
) -> None:
    shown = ulab(*(one.format(run=teams.run) for one in arguments))
    assert shown.exit_code == 2
    assert sentence in shown.output
