"""One base and one Chromium for all browser tests, because both are slow to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.browser_support import CHROMIUM, CHROMIUM_ARGUMENTS, RunningBase
from playwright.sync_api import Browser, sync_playwright


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" not in item.path.as_posix():
            continue
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium: install the package chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBase]:
    running = RunningBase(tmp_path_factory.mktemp("base"))
    running.wait_until_ready()
    yield running
    running.stop()
