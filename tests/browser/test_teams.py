"""A team through the pages alone: asked for, approved, joined, used, left."""

from __future__ import annotations

import pytest
from browser.browser_support import SLOW_MS, Person, RunningBase
from playwright.sync_api import Browser, Page, expect

TEAM = "windfarm"
PURPOSE = "通榆风电场的发电量预测"


@pytest.mark.timeout(600)
def test_a_team_from_the_request_to_the_folder(browser: Browser, base: RunningBase) -> None:
    owner = Person(browser, base, "student1", "zh")
    page = owner.open("teams")
    page.fill("#team_id", TEAM)
    page.fill("#title", "风电组")
    page.fill("#purpose", PURPOSE)
    page.locator("#ask button[type=submit]").click()
    expect(page.locator(f"[data-asked={TEAM}] .badge")).to_have_text("等待管理员答复")

    admin = Person(browser, base, "admin", "en")
    page = admin.open("")
    page.get_by_role("link", name="Teams (1 waiting)").click()
    request = page.locator(f"[data-request={TEAM}]")
    expect(request).to_contain_text(PURPOSE)
    request.get_by_role("button", name="Approve").click()
    expect(page.locator("#to-answer")).to_have_count(0)
    admin.leave()

    page = owner.open("teams")
    page.locator(f"[data-team={TEAM}]").click()
    page.fill("#name", "student2")
    page.locator("#invite button[type=submit]").click()
    expect(page.locator("[data-invited=student2]")).to_be_visible()

    member = Person(browser, base, "student2", "en")
    page = member.open("")
    page.get_by_role("link", name="Teams (1 waiting)").click()
    page.locator("[data-accept]").click()
    expect(page.locator("#team-folder")).to_have_text(f"~/teams/{TEAM}")
    _sees_the_folder(member)

    page = owner.open(f"teams/{TEAM}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("[data-person=student2] form[hx-post$='/remove'] button").click()
    expect(page.locator("[data-person=student2]")).to_have_count(0)
    _is_told(member.page, base)
    assert member.status(f"/services/ulab/teams/{TEAM}") == 403
    member.leave()
    owner.leave()


def _sees_the_folder(member: Person) -> None:
    page = member.page
    page.goto(f"{member.base.url}/hub/spawn")
    if page.locator("#spawn_form").count():
        page.locator("#spawn_form button[type=submit]").click()
    page.wait_for_url("**/user/student2/lab**", timeout=2 * SLOW_MS)
    for folder in ("teams", TEAM):
        item = page.locator(".jp-DirListing-item", has_text=folder).first
        expect(item).to_be_visible(timeout=SLOW_MS)
        item.dblclick()
    expect(page.locator(".jp-BreadCrumbs")).to_contain_text(TEAM)


def _is_told(page: Page, base: RunningBase) -> None:
    """That the server ended, and why; what it shows in between is JupyterLab's own."""
    told = page.locator("#why-ended")
    for _ in range(30):
        page.goto(f"{base.url}/hub/home")
        if told.count():
            break
        page.wait_for_timeout(1000)
    expect(told).to_contain_text(f"no longer in the team {TEAM}")
