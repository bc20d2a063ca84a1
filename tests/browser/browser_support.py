"""A base as `ulab up` brings it up, and people who use it through a real browser alone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from integration.hub_stub import free_port
from nbformat import NotebookNode
from playwright.sync_api import Browser, Locator, Page, expect

from ulab_core.process import descendants

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
READY_S = 240
SLOW_MS = 60_000
LOCALES = {"zh": "zh-CN", "en": "en-GB"}


class RunningBase:
    """`ulab up` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.url = f"http://127.0.0.1:{free_port()}"
        settings = folder / "ulab.toml"
        port = self.url.rpartition(":")[2]
        settings.write_text(f'[server]\nport = {port}\nstate_dir = "state"\n')
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ULAB_")
        }
        environment["ULAB_CONFIG"] = str(settings)
        self.log = folder / "up.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("ulab"), "up"],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.process.poll() is None:
            if "Ctrl-C" in self.log.read_text():
                return
            time.sleep(0.3)
        self.stop()
        raise RuntimeError(f"the base did not come up:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def password(self, name: str) -> str:
        """The first password of someone, read where an operator reads it."""
        for line in (self.state / "secrets" / "first-passwords.txt").read_text().splitlines():
            if line.split("\t")[0] == name:
                return line.split("\t")[1]
        raise KeyError(name)

    def _published(self, curriculum: str, lab: str) -> Path:
        [folder] = (self.state / "curricula" / curriculum).glob(f"*/labs/{lab}")
        return folder

    def release(self, curriculum: str, lab: str, language: str) -> NotebookNode:
        """The notebook that students are given."""
        file = self._published(curriculum, lab) / "release" / language / f"{lab}.ipynb"
        return nbformat.read(file, as_version=4)

    def reference(self, curriculum: str, lab: str) -> list[tuple[int, str]]:
        """What a perfect student writes: (place of the cell in the notebook, its content)."""
        source = nbformat.read(
            self._published(curriculum, lab) / "source" / f"{lab}.ipynb", as_version=4
        )
        release = self.release(curriculum, lab, "zh")
        answers = {
            cell.metadata.nbgrader.grade_id: cell.source
            for cell in source.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
        }
        return [
            (place, answers[cell.metadata.nbgrader.grade_id])
            for place, cell in enumerate(release.cells)
            if cell.metadata.get("nbgrader", {}).get("grade_id") in answers
        ]


class Person:
    """Someone at a browser of their own, logged in."""

    def __init__(
        self, browser: Browser, base: RunningBase, name: str, language: str, width: int = 1280
    ) -> None:
        context = browser.new_context(
            locale=LOCALES[language],
            viewport={"width": width, "height": 900},
            accept_downloads=True,
        )
        context.set_default_timeout(SLOW_MS)
        self.name = name
        self.base = base
        self.page = context.new_page()
        self.page.goto(f"{base.url}/")
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", base.password(name))
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/services/ulab/")
        expect(self.page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.base.url}/services/ulab/{path}")
        return self.page

    def status(self, path: str) -> int:
        """What the server says to this person's own browser when it asks for `path`."""
        return self.page.context.request.get(f"{self.base.url}{path}").status

    def leave(self) -> None:
        self.page.context.close()


def fill_and_run(page: Page, answers: Sequence[tuple[int, str]]) -> None:
    """Write the answers into the open notebook, run all of it, and save."""
    cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell")
    for place, content in answers:
        editor = cells.nth(place).locator(".cm-content")
        editor.scroll_into_view_if_needed()
        editor.click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(content)
    menu_command(page, 3, "runmenu:run-all")
    last = cells.locator("visible=true").filter(has=page.locator(".jp-InputPrompt")).last
    expect(_prompt(page)).to_have_text(re.compile(r"\[\d+\]"), timeout=4 * SLOW_MS)
    expect(last).to_be_attached()
    page.keyboard.press("Control+S")
    expect(page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_have_count(0)


def _prompt(page: Page) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt").last


def menu_command(page: Page, menu: int, command: str) -> None:
    """Choose an entry of JupyterLab's menu bar, whatever its language."""
    page.locator(".lm-MenuBar-item").nth(menu).click()
    page.locator(f'.lm-Menu-item[data-command="{command}"]').click()


def process_of(base: RunningBase, module: str) -> int:
    """The process of this base that runs a service."""
    for pid in descendants(base.process.pid):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if module.encode() in command:
            return pid
    raise LookupError(module)
