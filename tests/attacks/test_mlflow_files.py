"""Attacks on experiments by files: their paths, links, and where models say they come from."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from attacks.leak_people import COURSE, TEAM, headers_of
from attacks.leak_server import Answer, answer_to
from attacks.leak_things import Things, make_things
from attacks.mlflow_attack_support import (
    ARTIFACTS,
    V2,
    raw,
    said,
)
from integration.mlflow_support import Site


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


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
