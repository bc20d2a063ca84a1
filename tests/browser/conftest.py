"""One base and one Chromium for all browser tests, because both are slow to start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.browser_support import CHROMIUM, CHROMIUM_ARGUMENTS, RunningBase
from playwright.sync_api import Browser, sync_playwright


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Last, so that the base of these tests doesn't run beside all the others.
    items.sort(key=_drives_a_browser)
    for item in filter(_drives_a_browser, items):
        item.add_marker(pytest.mark.browser)
        # Where CI runs, a missing browser is a failure like any other.
        if CHROMIUM is None and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason="no Chromium: install the package chromium"))


def _drives_a_browser(item: pytest.Item) -> bool:
    return item.path.parent == Path(__file__).parent


# Not for the whole session: while it runs, no other test can run an event loop of its own.
@pytest.fixture(scope="module")
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
