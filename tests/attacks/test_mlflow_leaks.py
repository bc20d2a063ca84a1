"""The leak matrix: everyone asks for all that MLflow serves, and gets what the table says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from attacks.leak_people import (
    AUDIENCE,
    COURSE,
    EVERYBODY,
    INSIDE,
    NOT_LOGGED_IN,
    OTHER_COURSE,
    TEAM,
    headers_of,
)
from attacks.leak_rows import May, Row
from attacks.leak_server import (
    Answer,
    Served,
    answer_to,
    past_the_gateway,
    served,
    told,
)
from attacks.leak_table import GRAPHQL, OPEN, closed
from attacks.leak_things import Address, Things, make_things, snapshot
from integration.mlflow_support import Site

from ulab_mlflow.names import PLATFORM
from ulab_mlflow.paths import EMPTY_ANSWERS

AT_ONCE = 12
REFUSALS = (401, 403, 404)
TARGETS = (COURSE, TEAM)
# From where the strongest of those who are elsewhere ask, besides from inside.
ELSEWHERE = {
    COURSE: (("m-dean", OTHER_COURSE), ("m-left", OTHER_COURSE), ("m-chief", TEAM)),
    TEAM: (("m-dean", OTHER_COURSE), ("m-prof", COURSE), ("m-owner", COURSE)),
}


@pytest.fixture(scope="module")
def site(mlflow_site: Site) -> Site:
    return mlflow_site


@pytest.fixture(scope="module")
def things(site: Site) -> dict[str, Things]:
    return {
        COURSE: make_things(site, COURSE, "m-owner", "garments/m-owner"),
        TEAM: make_things(site, TEAM, "m-chief", "day-ahead"),
    }


@pytest.fixture(scope="module")
def all_served(site: Site) -> Served:
    return served(site)


def spelled(path: str) -> tuple[str, ...]:
    return (path, path.replace("/api/", "/ajax-api/", 1)) if path.startswith("/api/") else (path,)


def plain(rule: str) -> str:
    """A rule of Flask's or FastAPI's in the table's words."""
    rule = re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", rule)
    return re.sub(r"\{(\w+)(?::\w+)?\}", r"<\1>", rule).replace("/ajax-api/", "/api/")


def row_of(method: str, rule: str) -> Row | None:
    shape = re.sub(r"<\w+>", "<>", plain(rule))
    for row in OPEN:
        if row.method == method and re.sub(r"<\w+>", "<>", row.path) == shape:
            return row
    return None


def open_addresses(all_served: Served) -> list[Address]:
    found = {}
    for method, rule in sorted(all_served.routes):
        row = row_of(method, rule)
        if row is not None:
            spelling = rule.split("/", 2)[1]
            path = row.path.replace("/api/", f"/{spelling}/", 1) if "api" in spelling else row.path
            found[method, path] = Address(row, path)
    return list(found.values())


class Cell(NamedTuple):
    """One request of one person."""

    address: Address
    person: str
    workspace: str | None

    def __str__(self) -> str:
        return f"{self.person} in {self.workspace}: {self.address.row.method} {self.address.rule}"


def ask_all(site: Site, cells: Iterable[Cell], things: Things) -> list[tuple[Cell, Answer]]:
    """Ask for all of them, several at once."""

    def one(cell: Cell) -> tuple[Cell, Answer]:
        return cell, ask(site, cell, things)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, cells))


def ask(site: Site, cell: Cell, things: Things) -> Answer:
    row = cell.address.row
    query = urlencode(things.filled(row.query or {}), doseq=True)
    path = cell.address.path(things) + (f"?{query}" if query else "")
    headers = headers_of(site, cell.person, cell.workspace)
    return answer_to(site, row.method, path, headers, things.filled(row.body))


# Every address is decided ----------------------------------------------------------------------


def test_every_address_and_operation_of_the_server_is_decided(all_served: Served) -> None:
    undecided = [
        f"{method} {rule}"
        for method, rule in sorted(all_served.routes)
        if method != "HEAD"
        and row_of(method, rule) is None
        and not closed(method, plain(rule))
        and (method, rule) not in {("GET", "/graphql"), ("POST", "/graphql")}
    ]
    assert undecided == []
    assert all_served.operations == set(GRAPHQL)
    # Whatever else is mounted would be served without being listed.
    assert [kind for _, kind in all_served.mounts] == ["Mount"]


def test_the_table_names_nothing_that_is_not_served(all_served: Served) -> None:
    there = [row_of(method, rule) for method, rule in all_served.routes]
    assert [f"{row.method} {row.path}" for row in OPEN if row not in there] == []


def test_what_is_closed_is_closed_to_everyone_whatever_they_are(
    site: Site, all_served: Served, things: dict[str, Things]
) -> None:
    things_of = things[COURSE]
    cells = []
    for method, rule in sorted(all_served.routes):
        if method == "HEAD" or not closed(method, plain(rule)) or row_of(method, rule):
            continue
        path = re.sub(r"<(?:\w+:)?\w+>|\{\w+(?::\w+)?\}", things_of.ids["run"], rule)
        row = Row(method, path, May.ANYONE)
        for person in ("m-owner", "m-prof", "m-chief", "m-outsider", "m-admin", *NOT_LOGGED_IN):
            inside = TEAM if person == "m-chief" else COURSE
            cells.append(Cell(Address(row, path), person, inside))
    wrong = []
    for cell, answer in ask_all(site, cells, things_of):
        if cell.person in NOT_LOGGED_IN:
            right = answer.status == 401
        elif cell.address.row.method == "GET" and answer.status == 200:
            # MLflow's pages ask for these unasked; the gateway says that there are none.
            right = json.loads(answer.text) in EMPTY_ANSWERS.values()
        else:
            right = answer.status == 404 and "not in use here" in answer.text
        if not right:
            wrong.append(f"{cell} {told(answer)}")
    assert len(cells) > 1000
    assert "\n".join(wrong) == ""


# Who may not -----------------------------------------------------------------------------------


def cells_of_the_refused(target: str, addresses: Sequence[Address]) -> list[Cell]:
    cells = []
    for address in addresses:
        may = AUDIENCE[target][address.row.may]
        for number, person in enumerate(EVERYBODY):
            # Whoever is in the workspace asks at both spellings, the others at one of the two.
            mine = address.rule.startswith("/ajax-api/") is (number % 2 == 0)
            if person not in may and (mine or person in INSIDE[target]):
                cells.append(Cell(address, person, target))
        if address.row.may in (May.ANYONE, May.CREATE):
            continue
        cells += [Cell(address, person, workspace) for person, workspace in ELSEWHERE[target]]
        if address.rule.startswith("/ajax-api/"):
            # MLflow then takes its own first workspace.
            cells += [Cell(address, person, None) for person in ("m-left", "m-outsider")]
    return cells


def refused(cell: Cell, answer: Answer, things: Things) -> bool:
    if things.marker in answer.text:
        return False
    row = cell.address.row
    if cell.person in NOT_LOGGED_IN:
        return answer.status == 401
    if answer.status in REFUSALS:
        return True
    searches = row.may in (May.SEARCH, May.SEARCH_MODELS)
    return searches and answer.status == 200 and things.ids["run"] not in answer.text


@pytest.mark.parametrize("target", TARGETS)
def test_who_may_not_learns_and_changes_nothing(
    site: Site, all_served: Served, things: dict[str, Things], target: str
) -> None:
    before = snapshot(site, things[target])
    cells = cells_of_the_refused(target, open_addresses(all_served))
    wrong = [
        f"{cell} {told(answer)}"
        for cell, answer in ask_all(site, cells, things[target])
        if not refused(cell, answer, things[target])
    ]
    assert len(cells) > 1500
    assert "\n".join(wrong) == ""
    assert snapshot(site, things[target]) == before


# Who may ---------------------------------------------------------------------------------------


def served_well(cell: Cell, answer: Answer, things: Things) -> bool:
    row = cell.address.row
    if answer.status != 200:
        return False
    tells = row.tells and row.may in (May.READ, May.SEARCH, May.READ_MODELS, May.SEARCH_MODELS)
    return not tells or things.marker in answer.text


@pytest.mark.parametrize("target", TARGETS)
def test_who_may_is_served(
    site: Site, all_served: Served, things: dict[str, Things], target: str
) -> None:
    addresses = open_addresses(all_served)

    def cells(wanted: Callable[[Row], bool]) -> list[Cell]:
        return [
            Cell(address, person, target)
            for address in addresses
            if wanted(address.row)
            for person in sorted(AUDIENCE[target][address.row.may] & INSIDE[target])
        ]

    answers = ask_all(site, cells(lambda row: row.method == "GET"), things[target])
    done = set()
    for cell in cells(lambda row: row.method != "GET" and not row.last):
        row = cell.address.row
        if row.once and row.path in done:
            continue
        done.add(row.path)
        if row.first is not None:
            again = Cell(Address(row.first, row.first.path), cell.person, target)
            answers.append((again, ask(site, again, things[target])))
        answers.append((cell, ask(site, cell, things[target])))
    wrong = [
        f"{cell} {told(answer)}"
        for cell, answer in answers
        if not served_well(cell, answer, things[target])
    ]
    assert len(answers) > 150
    assert "\n".join(wrong) == ""


# GraphQL ---------------------------------------------------------------------------------------


def graphql(site: Site, person: str, workspace: str | None, operation: str, asked: str) -> Answer:
    kind, name = operation.split(".")
    words = {"query": f"{kind.lower()} Q {{ {name}{asked} }}", "operationName": "Q"}
    return answer_to(site, "POST", "/graphql", headers_of(site, person, workspace), words)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("operation", GRAPHQL)
def test_graphql_tells_who_may_and_nobody_else(
    site: Site, things: dict[str, Things], target: str, operation: str
) -> None:
    spied = things[target]
    arguments, may, tells = GRAPHQL[operation]
    asked, tells = spied.filled(arguments), spied.filled(tells) or spied.marker
    places = [(person, target) for person in EVERYBODY] + list(ELSEWHERE[target])
    for person, workspace in [*places, ("m-left", None), ("m-classmate", None)]:
        answer = graphql(site, person, workspace, operation, asked)
        if may is May.ANYONE:
            continue
        if workspace == target and person in AUDIENCE[target][may]:
            assert answer.status == 200, f"{person}: {told(answer)}"
            assert tells in answer.text, f"{person}: {told(answer)}"
        else:
            assert tells not in answer.text, f"{person} in {workspace}: {told(answer)}"
            assert spied.marker not in answer.text
            assert answer.status == 401 or person not in NOT_LOGGED_IN


# Last, since it destroys -----------------------------------------------------------------------


def test_what_only_the_maker_or_nobody_may_is_a_real_request(
    site: Site, things: dict[str, Things]
) -> None:
    """Else a refusal could mean that the table asks for nonsense."""
    wrong = []
    for target, person in ((COURSE, PLATFORM), (TEAM, "m-chief")):
        for row in OPEN:
            nobody = not AUDIENCE[target][row.may]
            if not row.last and not (nobody and target == COURSE):
                continue
            if row.first is not None:
                ask_as(site, person, row.first, things[target])
            answer = ask_as(site, person, row, things[target])
            if answer.status != 200:
                wrong.append(f"{person}: {row.method} {row.path} {told(answer)}")
    assert "\n".join(wrong) == ""


def ask_as(site: Site, person: str, row: Row, things: Things) -> Answer:
    cell = Cell(Address(row, row.path), person, things.workspace)
    return ask_mlflow(site, cell, things) if person == PLATFORM else ask(site, cell, things)


def ask_mlflow(site: Site, cell: Cell, things: Things) -> Answer:
    """Ask past the gateway, as the platform."""
    row = cell.address.row
    body = things.filled(row.body)
    with past_the_gateway(site, PLATFORM, things.workspace) as client:
        answer = client.request(
            row.method,
            cell.address.path(things),
            params=things.filled(row.query),
            json=body if not isinstance(body, bytes) else None,
            content=body if isinstance(body, bytes) else None,
        )
    return Answer(answer.status_code, answer.text)
