"""The comparison of a class's runs in a real browser, over a real MLflow."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.hub_stub import free_port, serve
from integration.mlflow_support import VISION, running_site
from integration.portal_support import KnownPeople
from integration.test_class_runs import log
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from ulab_portal.app import create_app

DRAWN = "name => echarts.getInstanceByDom(document.getElementById(name)).getOption()"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_site(tmp_path_factory.mktemp("class")) as site:
        for number, rate in enumerate(("0.001", "0.01", "0.1")):
            params = {"lr": rate, "optimizer": "adam" if number else "sgd"}
            log(site, "lin", f"try {number}", "FINISHED", params, accuracy=number / 4, loss=1.0)
        log(site, "wang", "a" * 80, "FINISHED", {"lr": "0.1"}, accuracy=0.625, loss=2.0)
        stock = Path(sys.prefix, "share", "jupyterhub", "static")
        app = Starlette(
            routes=[
                Mount("/hub/static", StaticFiles(directory=stock)),
                Mount("/", create_app(site.settings, KnownPeople())),
            ]
        )
        port = free_port()
        with serve(app, host="127.0.0.1", port=port):
            yield f"http://127.0.0.1:{port}"


def look(browser: Browser, address: str, language: str, width: int, scheme: str) -> Page:
    context = browser.new_context(
        locale=language,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.add_cookies([{"name": "person", "value": "prof", "url": address}])
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{address}/services/ulab/courses/{VISION}/teach/labs/garments/runs")
    expect(page.locator("#students")).to_be_visible()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_plots_and_tables_fit_the_screen(
    browser: Browser, address: str, language: str, width: int, scheme: str
) -> None:
    page = look(browser, address, language, width, scheme)
    best, runs = page.evaluate(DRAWN, "best-chart"), page.evaluate(DRAWN, "runs-chart")
    assert [dot["value"] for dot in best["series"][0]["data"]] == [0.625, 0.5]
    assert "wang" in best["series"][0]["data"][0]["said"]
    assert runs["xAxis"][0]["type"] == "log"
    assert len(runs["series"][0]["data"]) == 4
    assert page.locator("#best-chart canvas, #runs-chart canvas").count() == 2
    page.locator("#all-runs summary").click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    page.context.close()


def test_another_metric_asks_anew_which_end_is_good(browser: Browser, address: str) -> None:
    page = look(browser, address, "en-GB", 1280, "light")
    page.select_option("#better", "lower")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**better=lower**")
    expect(page.locator("#best-heading")).to_contain_text("lower is better")
    expect(page.locator("#students tbody tr").first).to_have_attribute("data-student", "lin")
    page.select_option("#better", "higher")
    page.select_option("#metric", "loss")
    page.select_option("#against", "param:optimizer")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(re.compile("metric=loss&better=&against"))
    expect(page.locator("#best-heading")).to_contain_text("lower is better")
    assert page.evaluate(DRAWN, "runs-chart")["xAxis"][0]["type"] == "category"
    page.context.close()
