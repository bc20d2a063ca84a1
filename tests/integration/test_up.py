"""`ulab up` for real: what a newcomer sees, who gets in, what is refused, what is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from integration.fork_support import wait_until
from integration.hub_support import HubClient

from ulab_core.database import Database
from ulab_core.layout import FORK_SERVER_KINDS, Layout
from ulab_core.models import Course
from ulab_core.process import descendants
from ulab_core.settings import Settings
from ulab_curricula import published
from ulab_deploy import listings
from ulab_deploy.base import Base
from ulab_deploy.prepare import has_demonstration, prepare
from ulab_deploy.roster_import import import_roster
from ulab_hub.accounts import Accounts
from ulab_runtime.forkserver.client import greets

START_S = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Up:
    """A running `ulab up`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = folder / "state"
        (folder / "ulab.toml").write_text(f"[server]\nport = {self.port}\n")
        self.said = ""
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ulab_deploy.cli", "up"],
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As in a terminal, where Ctrl-C reaches the whole group.
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                return
        pytest.fail(f"it did not come up:\n{self.said}")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ulab_deploy.cli", *arguments],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def processes_of(self, module: str) -> list[int]:
        return [
            pid
            for pid in descendants(self.process.pid)
            if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        ]

    def student_servers(self) -> set[int]:
        """The processes of people's Jupyter servers, forked or not."""
        return {
            pid
            for pid in descendants(self.process.pid)
            if b"ulab_hub.singleuser.start" in Path(f"/proc/{pid}/cmdline").read_bytes()
        }

    def hub(self) -> int:
        [pid] = self.processes_of("ulab_hub.app")
        return pid

    def passwords(self) -> dict[str, str]:
        text = (self.state / "secrets" / "first-passwords.txt").read_text()
        return dict(line.split("\t")[:2] for line in text.splitlines())

    def lets_in(self, name: str, password: str) -> bool:
        with httpx.Client(base_url=self.url, timeout=30) as browser:
            browser.get("/hub/login")
            form = {"username": name, "password": password, "_xsrf": browser.cookies["_xsrf"]}
            browser.post("/hub/login", data=form)
            return browser.get("/hub/home").status_code == 200

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=120)


def environment() -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ULAB_")}
    return {**plain, "LANG": "C.UTF-8", "LC_ALL": ""}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    # Capitals, blanks and Chinese in a folder's name are no reason not to come up.
    running = Up(tmp_path_factory.mktemp("U Lab 联合"))
    yield running
    if running.process.poll() is None:
        running.interrupt()


def test_the_only_port_is_its_own(up: Up) -> None:
    """No service listens where a student's process could take its place while it is away."""
    listening = [listens_on(pid) for pid in descendants(up.process.pid)]
    assert set().union(*listening) == {up.port}
    sockets = {path.stem for path in (up.state / "run").glob("*.sock")}
    assert {"hub", "proxy-api", "service-ulab", "service-mlflow"} <= sockets
    assert (up.state / "run").stat().st_mode & 0o077 == 0


def listens_on(pid: int) -> set[int]:
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return set()
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}


def serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/hub/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until_serving(url: str) -> None:
    until = time.monotonic() + START_S
    while not serves(url):
        assert time.monotonic() < until, "it does not answer"
        time.sleep(0.2)


@pytest.mark.timeout(START_S)
def test_it_says_where_it_is_and_who_can_log_in(up: Up) -> None:
    assert f"serves on {up.url}" in up.said
    assert httpx.get(f"{up.url}/hub/login").status_code == 200
    page = httpx.get(f"{up.url}/services/ulab/", headers={"Accept": "text/html"})
    assert page.status_code == 302
    passwords = up.passwords()
    assert passwords.keys() == {"admin", "teacher", "student1", "student2"}
    for name, password in passwords.items():
        assert re.search(rf"^  {name} .* {password}$", up.said, re.MULTILINE)
        assert up.lets_in(name, password)
    assert not up.lets_in("teacher", passwords["student1"])


def test_passwords_are_for_their_owner_alone(up: Up) -> None:
    secrets = up.state / "secrets"
    assert stat.S_IMODE((secrets / "first-passwords.txt").stat().st_mode) == 0o600
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE(up.state.stat().st_mode) == 0o700


def test_each_curriculum_runs_as_a_course_with_its_labs_published(up: Up) -> None:
    base = base_in(up.folder, "127.0.0.1")
    listed = listings.courses(base, "zh")
    names = {curriculum.id for curriculum in published(base.layout)}
    assert len(names) >= 3
    assert {course["curriculum"] for course in listed} == names
    for course in listed:
        assert (course["instructors"], course["students"]) == (1, 2)
        assert course["published"] == course["assignments"] > 0


def test_a_second_one_is_refused_with_a_sentence(up: Up) -> None:
    second = up.run("up")
    assert f"This base is running already (process {up.process.pid})." in second.stderr
    assert second.returncode == 3


def test_status_tells_that_it_serves(up: Up) -> None:
    told = up.run("status", "--json")
    assert json.loads(told.stdout)["serves"] is True
    assert told.returncode == 0


def test_a_roster_lets_people_in_at_once_and_can_be_repeated(up: Up) -> None:
    roster = up.folder / "roster.csv"
    roster.write_bytes("学号,姓名,学院,角色,课程\ns01,张伟,计算机学院,,\n".encode("gbk"))
    first = json.loads(up.run("user", "import", str(roster), "--json").stdout)
    assert first["accounts_created"] == ["s01"]
    written = Path(first["passwords_file"])
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    name, shown, password = written.read_text("utf-8-sig").splitlines()[1].split(",")
    assert (name, shown) == ("s01", "张伟")
    assert up.lets_in("s01", password)

    base = base_in(up.folder, "127.0.0.1")
    with Database.of(base.settings).read() as session:
        course = session.query(Course).first()
        assert course is not None
    roster.write_text(
        f"name,display name,college,role,course\ns01,张伟,计算机学院,student,{course.id}\n"
    )
    changed = import_roster(base, roster)
    assert changed.enrolled == [("s01", course.id, "student")]
    assert changed.accounts_created == changed.people_changed == []
    assert import_roster(base, roster).none
    assert up.lets_in("s01", password)


def test_a_bad_roster_changes_nothing(up: Up) -> None:
    base = base_in(up.folder, "127.0.0.1")
    before = listings.people(base)
    roster = up.folder / "bad.csv"
    roster.write_text(
        "name,display name,college,role,course\ns91,A,,,\ns92,B,,student,nowhere\ns93,C,,boss,\n"
    )
    refused = up.run("user", "import", str(roster))
    assert refused.returncode == 2
    assert "Line 3: there is no course nowhere." in refused.stderr
    assert "Line 4: boss is no role" in refused.stderr
    assert listings.people(base) == before


def test_a_new_password_holds_at_once(up: Up) -> None:
    old = up.passwords()["student2"]
    new = json.loads(up.run("user", "passwd", "student2", "--json").stdout)["password"]
    assert up.lets_in("student2", new)
    assert not up.lets_in("student2", old)


@pytest.mark.timeout(START_S)
def test_fork_servers_get_warm_and_a_server_starts(up: Up) -> None:
    layout = base_in(up.folder, "127.0.0.1").layout
    for kind in FORK_SERVER_KINDS:
        wait_until(partial(greets, layout.fork_for_base(kind)), START_S, f"{kind}s are not warmed")
    with HubClient(base_url=up.url, follow_redirects=True, timeout=60) as browser:
        assert browser.log_in("student1", up.passwords()["student1"]).status_code == 302
        browser.get("/hub/home")
        asked = browser.api("POST", "users/student1/server", json={})
        assert asked.status_code in (201, 202), asked.text
        wait_until(lambda: browser.get("/user/student1/api").status_code == 200, START_S, "none")
    assert up.student_servers()


@pytest.mark.timeout(START_S)
def test_a_killed_hub_comes_back(up: Up) -> None:
    hub, servers = up.hub(), up.student_servers()
    os.kill(hub, signal.SIGKILL)
    until = time.monotonic() + START_S
    while Path(f"/proc/{hub}").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    wait_until_serving(up.url)
    assert up.hub() != hub
    for service in ("ulab_portal", "ulab_mlflow.gateway", "ulab_hub.culler"):
        assert len(up.processes_of(service)) == 1, f"{service} of the killed hub lives on"
    assert up.lets_in("teacher", up.passwords()["teacher"])
    assert servers <= up.student_servers()


@pytest.mark.timeout(2 * START_S)
def test_ctrl_c_leaves_nothing_and_the_next_start_keeps_everything(up: Up) -> None:
    passwords = up.passwords()
    below = descendants(up.process.pid)
    assert len(below) > 3
    up.interrupt()
    assert up.process.returncode == 0
    assert [pid for pid in below if Path(f"/proc/{pid}").exists()] == []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", up.port))
    assert up.run("status").returncode == 1
    up.start()
    assert up.passwords() == passwords
    assert up.lets_in("teacher", passwords["teacher"])


def test_a_taken_port_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "ulab_deploy.cli", "up"],
            cwd=tmp_path,
            env=environment() | {"ULAB_SERVER__PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert f"Port {port} on 127.0.0.1 is taken by another program." in refused.stderr
    assert "server.port in ulab.toml" in refused.stderr
    assert refused.returncode == 1
    assert list(tmp_path.iterdir()) == []


def base_in(folder: Path, host: str) -> Base:
    settings = Settings(server={"state_dir": folder / "state", "host": host})
    return Base(settings, Layout.of(settings))


@pytest.mark.timeout(START_S)
def test_a_base_others_can_reach_has_no_demonstration_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing can be fetched meanwhile: the base must get ready all the same and say so.
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    base = base_in(tmp_path, "0.0.0.0")
    prepared = prepare(base)
    assert prepared.passwords.keys() == {"admin"}
    assert Accounts(base.settings).names() == {"admin"}
    with Database.of(base.settings).read() as session:
        assert session.query(Course).count() == 0
    assert any(
        "garments" in warning and "has no data yet" in warning for warning in prepared.warnings
    )


@pytest.mark.parametrize(
    ("server", "demonstration"),
    [
        ({"host": "127.0.0.1"}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "10.0.0.5"}, False),
        ({"host": "lab.example.edu"}, False),
        ({"host": "127.0.0.1", "public_url": "https://lab.example.edu"}, False),
    ],
)
def test_demonstration_people_are_for_this_machine_alone(
    server: dict[str, str], demonstration: bool
) -> None:
    assert has_demonstration(Settings(server=server)) is demonstration


def test_bad_settings_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ulab.toml").write_text("[server]\nport = 'high'\nhots = ''\n")
    refused = subprocess.run(
        [sys.executable, "-m", "ulab_deploy.cli", "--language", "zh", "up"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "是不是 server.host？" in refused.stderr
    assert "server.port" in refused.stderr
    assert refused.returncode == 2
