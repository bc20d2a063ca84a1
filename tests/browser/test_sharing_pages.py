"""A model's card and a link for another team, in a real browser on a real hub and MLflow."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import httpx
import pytest
from browser.browser_support import Person
from integration.hub_support import PASSWORD, Base, start_base
from integration.team_support import (
    AUDIENCE,
    CARD,
    PEOPLE,
    TEAM,
    experiment,
    fill_teams,
    log_run,
    register,
)
from integration.test_mlflow_hub import wait_until_served
from playwright.sync_api import Browser, Page, expect

from ulab_mlflow.names import PREFIX, WORKSPACE_HEADER

PORTAL = "/services/ulab"


@dataclass
class Hub:
    """What `Person` needs of a base, and a run that can be shared."""

    base: Base
    run: str

    @property
    def url(self) -> str:
        return self.base.url

    def password(self, name: str) -> str:
        return PASSWORD


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    base = start_base(tmp_path_factory.mktemp("base"), services=["ulab", "mlflow", "mlflow-server"])
    try:
        fill_teams(SimpleNamespace(database=base.database))
        for name in PEOPLE:
            base.create_user(name)
        wait_until_served(base.client("lin"))
        headers = {
            "authorization": f"Bearer {base.api_token('lin')}",
            WORKSPACE_HEADER: TEAM,
        }
        with httpx.Client(base_url=base.url + PREFIX, headers=headers, timeout=60) as client:
            files = {"notes.txt": b"shared notes", "model/weights.pt": bytes(range(256)) * 640}
            run = log_run(client, experiment(client, "day-ahead"), "small network", files, lr="0.1")
            register(client, run, "day-ahead", "model", owner="wang")
        yield Hub(base, run)
    finally:
        base.stop()


def give_alias(page: Page, hub: Hub) -> None:
    """What someone does in MLflow's own page of a version."""
    page.goto("about:blank")
    page.goto(f"{hub.url}{PREFIX}/#/models/day-ahead/versions/1?workspace={TEAM}")
    page.get_by_text("Add", exact=True).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    page.keyboard.type("champion")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Save aliases").click()


@pytest.mark.timeout(600)
def test_mlflows_page_says_what_the_card_lacks_and_the_portal_fills_it_in(
    browser: Browser, hub: Hub
) -> None:
    lin = Person(browser, hub, "lin", "zh")  # type: ignore[arg-type]
    give_alias(lin.page, hub)
    expect(lin.page.get_by_text("模型卡缺少：数据版本、代码哈希、许可证、预期用途")).to_be_visible()

    page = lin.open(f"teams/{TEAM}/models")
    version = page.locator("[data-model=day-ahead] [data-version='1']")
    expect(version).to_contain_text("还缺 4 项")
    version.locator("[name=data_revision]").fill(CARD["data_revision"])
    version.locator("[name=licence]").fill("MulanPSL-2.0")
    version.locator("[name=intended_use]").fill("日前预测")
    version.locator("[name=code_sha256]").fill("main")
    version.get_by_role("button").click()
    expect(page.locator("#notice")).to_contain_text("代码哈希应为 SHA-256")
    version.locator("[name=code_sha256]").fill(CARD["code_sha256"])
    version.get_by_role("button").click()
    expect(version).to_contain_text("模型卡已填全")
    expect(version.locator("[data-field=licence]")).to_have_text("MulanPSL-2.0")

    give_alias(lin.page, hub)
    expect(lin.page.get_by_role("dialog")).to_have_count(0)
    page = lin.open(f"teams/{TEAM}/models")
    expect(page.locator("[data-version='1'] .badge").first).to_have_text("champion")
    lin.leave()


@pytest.mark.timeout(600)
def test_a_link_is_made_followed_and_withdrawn(browser: Browser, hub: Hub) -> None:
    lin = Person(browser, hub, "lin", "en")  # type: ignore[arg-type]
    page = lin.open(f"teams/{TEAM}")
    page.click("#open-shares")
    page.fill("#run", hub.run)
    page.select_option("#audience", AUDIENCE)
    page.locator("#new-share button[type=submit]").click()
    made = page.locator("#mine tr.table-active")
    expect(made).to_contain_text("Grid")
    link = made.get_by_role("link").get_attribute("href")
    assert link is not None

    gina = Person(browser, hub, "gina", "zh", width=390)  # type: ignore[arg-type]
    shown = gina.open(f"teams/{AUDIENCE}/shares")
    shown.locator("#theirs a").click()
    expect(shown.locator("h1")).to_contain_text("small network")
    expect(shown.locator("[data-curve] canvas")).to_have_count(1)
    expect(shown.locator("[data-metric=mae]")).to_contain_text("0.125")
    sideways = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not shown.evaluate(sideways)
    with shown.expect_download() as download:
        shown.get_by_role("link", name="model/weights.pt").click()
    assert download.value.path().read_bytes() == bytes(range(256)) * 640
    stranger = Person(browser, hub, "stranger", "en")  # type: ignore[arg-type]
    assert stranger.status(link) == 404
    stranger.leave()

    page.on("dialog", lambda dialog: dialog.accept())
    made.get_by_role("button").click()
    expect(page.locator("#shares-nothing")).to_be_visible()
    shown.reload()
    expect(shown.locator("main")).to_contain_text("它已被撤回，或者只分享给了你不在的团队")
    lin.leave()
    gina.leave()


@pytest.mark.timeout(600)
def test_a_notebooks_token_fetches_a_shared_file(browser: Browser, hub: Hub) -> None:
    """As the page says it to curl."""
    lin = Person(browser, hub, "lin", "en")  # type: ignore[arg-type]
    page = lin.open(f"teams/{TEAM}/shares")
    page.fill("#run", hub.run)
    page.select_option("#audience", AUDIENCE)
    page.locator("#new-share button[type=submit]").click()
    link = page.locator("#mine tr.table-active").get_by_role("link").get_attribute("href")
    scopes = ["access:services!service=ulab"]
    for person, status in (("gina", 200), ("stranger", 404)):
        token = hub.base.api_token(person, scopes)
        answer = httpx.get(
            f"{hub.url}{link}/files/notes.txt", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == status, answer.text
    assert httpx.get(f"{hub.url}{link}/files/notes.txt").status_code in (302, 401)
    lin.leave()


@pytest.mark.timeout(600)
def test_an_owner_takes_everything_away(browser: Browser, hub: Hub) -> None:
    lin = Person(browser, hub, "lin", "zh")  # type: ignore[arg-type]
    page = lin.open(f"teams/{TEAM}")
    page.locator("#export summary").click()
    with page.expect_download() as download:
        page.locator("#export button").click()
    assert download.value.suggested_filename == f"{TEAM}-mlflow.tar"
    with tarfile.open(download.value.path()) as opened:
        names = opened.getnames()
    assert f"{TEAM}/mlflow.db" in names
    assert any(name.endswith(f"{hub.run}/artifacts/notes.txt") for name in names)
    lin.leave()
