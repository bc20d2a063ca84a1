"""Servers and kernels forked from warmed parents on a real hub, and what happens without them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.fork_support import wait_until
from integration.hub_support import HubClient, start_base
from integration.kernel_support import open_kernel
from integration.warm_hub_support import (
    NOTICED_S,
    Remains,
    WarmBase,
    more,
    namespaces,
    put_aside,
    refusing,
    start_and_read,
)

from ulab_coursework.courses import ensure_person
from ulab_runtime.lives import command_in_sandbox

SLOWER = {
    "en": "The fast start isn't available right now, so this takes some seconds longer.",
    "zh": "快速启动暂时不可用，这次需要多等几秒。",
}
MANY = [f"student{number}" for number in range(10)]
# Seconds within which a fork server is there again: the hub notices, and it imports everything.
BACK_S = 30
# The parent of a forked kernel is in no namespace of the sandbox's.
IS_FORKED = "import os; print(os.getppid() == 0)"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmBase]:
    base = WarmBase(
        tmp_path_factory.mktemp("warm"),
        limits={"memory_mb": 1200},
        warm={"kernel_modules": ["numpy"]},
    )
    for name in ("ann", "bob", base.settings.accounts.admin, *MANY):
        base.create_user(name)
    base.start()
    yield base
    base.stop()


@pytest.fixture
def ann(base: WarmBase) -> Iterator[HubClient]:
    """Ann, whose server runs and is forked."""
    client = base.client("ann")
    base.start_server(client, "ann")
    assert "server" in base.server_state("ann")
    yield client
    client = base.client("ann")
    if client.api("GET", "users/ann").json()["servers"]:
        base.stop_server(client, "ann")


def answers(base: WarmBase, name: str, token: str) -> bool:
    headers = {"Authorization": f"token {token}"}
    found = httpx.get(f"{base.url}/user/{name}/api/status", headers=headers)
    return found.status_code == 200 and "kernels" in found.json()


async def test_a_server_is_forked_into_its_sandbox_and_so_are_its_kernels(
    base: WarmBase, ann: HubClient
) -> None:
    server = base.server_life("ann")
    status = Path(f"/proc/{server.pid}/status").read_text()
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(said["PPid"]) == base.fork_server("server").pid
    waiting = command_in_sandbox(base.server_state("ann")["pid"])
    assert waiting is not None
    assert namespaces(server.pid) == namespaces(waiting)
    cgroup = Path(f"/proc/{server.pid}/cgroup").read_text()
    assert cgroup == Path(f"/proc/{waiting}/cgroup").read_text()
    with base.database.write() as session:
        number = ensure_person(session, "ann").id
    uid = base.settings.accounts.uid_base + number if os.geteuid() == 0 else os.geteuid()
    assert set(said["Uid"].split()) == {str(uid)}
    assert (int(said["CapEff"], 16), said["NoNewPrivs"]) == (0, "1")

    token = base.api_token("ann")
    assert answers(base, "ann", token)
    assert ann.get("/user/ann/lab").status_code == 200
    kernel = await open_kernel(base.url, "ann", token)
    assert await kernel.text(IS_FORKED) == "True\n"
    assert base.kernel_starts("ann", token) == {("warm", ""): 1}


async def test_a_server_is_stopped_politely_and_nothing_of_it_is_left(
    base: WarmBase, ann: HubClient
) -> None:
    kernel = await open_kernel(base.url, "ann", base.api_token("ann"))
    farewell = base.layout.home("ann") / "farewell"
    await kernel.text(
        "import atexit, subprocess\natexit.register(open('farewell', 'w').close)\n"
        "subprocess.Popen(['sleep', '1000'], start_new_session=True)"
    )
    remains = Remains(base, "ann")
    base.stop_server(ann, "ann")
    remains.wait_until_gone()
    assert farewell.exists(), "the kernel could not end as it wanted to"


def test_what_one_sets_in_jupyterlab_is_kept_and_its_layout_while_the_server_runs(
    base: WarmBase, ann: HubClient
) -> None:
    theme = "lab/api/settings/@jupyterlab/apputils-extension:themes"
    layout = "lab/api/workspaces/default"

    def ask(method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"token {base.api_token('ann')}"}
        return httpx.request(method, f"{base.url}/user/ann/{path}", headers=headers, **more)

    chosen = '{"theme": "JupyterLab Dark"}'
    assert ask("PUT", theme, json={"raw": chosen}).status_code == 204
    kept = {"metadata": {"id": "default"}, "data": {"layout": "mine"}}
    assert ask("PUT", layout, json=kept).status_code == 204
    assert ask("GET", layout).json()["data"] == kept["data"]
    base.stop_server(ann, "ann")
    base.start_server(ann, "ann")
    assert ask("GET", theme).json()["raw"] == chosen
    assert ask("GET", layout).json()["data"] == {}


async def test_a_killed_server_is_noticed_and_its_sandbox_goes(
    base: WarmBase, ann: HubClient
) -> None:
    kernel = await open_kernel(base.url, "ann", base.api_token("ann"))
    await kernel.text("7")
    remains = Remains(base, "ann")
    os.kill(base.server_life("ann").pid, signal.SIGKILL)
    wait_until(
        lambda: not ann.api("GET", "users/ann").json()["servers"], NOTICED_S + 10, "not noticed"
    )
    remains.wait_until_gone()
    base.start_server(ann, "ann")
    assert answers(base, "ann", base.api_token("ann"))


async def test_forked_servers_outlive_a_killed_hub_and_are_found_again(
    base: WarmBase, ann: HubClient
) -> None:
    token = base.api_token("ann")
    kernel = await open_kernel(base.url, "ann", token)
    await kernel.text("kept = 42")
    server, parents = base.server_life("ann"), [base.fork_server(k) for k in ("server", "kernel")]
    base.kill_hub()
    wait_until(lambda: not any(p.lasts() for p in parents), 10, "a fork server outlived its hub")
    assert server.lasts()
    base.start()
    assert server.lasts()
    assert base.server_life("ann") == server
    assert answers(base, "ann", token)
    assert await kernel_of_before(base, token) == "42"
    remains = Remains(base, "ann")
    again = base.client("ann")
    base.stop_server(again, "ann")
    remains.wait_until_gone()
    before = base.server_starts()
    base.start_server(again, "ann")
    assert more(before, base.server_starts()) == {("warm", ""): 1}


async def kernel_of_before(base: WarmBase, token: str) -> str:
    """The value of `kept` in the one kernel that Ann's server has."""
    headers = {"Authorization": f"token {token}"}
    [found] = httpx.get(f"{base.url}/user/ann/api/kernels", headers=headers).json()
    kernel = await open_kernel(base.url, "ann", token, running=found["id"])
    return await kernel.text("kept")


async def test_what_runs_outlives_a_killed_fork_server_which_is_soon_back(
    base: WarmBase, ann: HubClient
) -> None:
    token = base.api_token("ann")
    kernel = await open_kernel(base.url, "ann", token)
    await kernel.text("kept = 42")
    server = base.server_life("ann")
    killed = [base.fork_server(kind) for kind in ("server", "kernel")]
    for life in killed:
        os.kill(life.pid, signal.SIGKILL)
    assert server.lasts()
    assert await kernel.text("kept") == "42"
    wait_until(lambda: not any(life.lasts() for life in killed), 5, "it was not killed")
    before = base.server_starts()

    def is_back() -> bool:
        try:
            base.wait_until_warm()
            return base.fork_server("server").lasts()
        except OSError:
            return False

    wait_until(is_back, BACK_S, "it does not come back")
    assert answers(base, "ann", token)
    another = await open_kernel(base.url, "ann", token)
    assert await another.text(IS_FORKED) == "True\n"
    bob = base.client("bob")
    base.start_server(bob, "bob")
    assert more(before, base.server_starts()) == {("warm", ""): 1}
    base.stop_server(bob, "bob")


@contextmanager
def hanging(base: WarmBase) -> Iterator[None]:
    """Have a fork server that accepts and never answers."""
    life = base.fork_server("server")
    os.kill(life.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(life.pid, signal.SIGCONT)


@contextmanager
def stale(base: WarmBase) -> Iterator[None]:
    base.watched.touch()
    yield
    base.wait_until_warm()


HINDRANCES = {
    "missing": lambda base: put_aside(base.layout.fork_for_base("server")),
    "hanging": hanging,
    "stale": stale,
    "too-many": lambda base: refusing(base.layout.fork_for_base("server"), "too-many"),
}


@pytest.mark.parametrize(
    ("hindrance", "language"),
    [("missing", "en"), ("hanging", "zh"), ("stale", "zh"), ("too-many", "en")],
)
def test_without_the_fork_server_a_start_is_slower_and_says_so(
    base: WarmBase, hindrance: str, language: str
) -> None:
    base.wait_until_warm()
    bob, before = base.client("bob"), base.server_starts()
    hindering: AbstractContextManager[None] = HINDRANCES[hindrance](base)
    with hindering:
        said = start_and_read(base, bob, "bob", language)
        assert SLOWER[language] in said
        reason = "missing" if hindrance == "hanging" else hindrance
        assert more(before, base.server_starts()) == {("cold", reason): 1}
        assert "server" not in base.server_state("bob")
        assert answers(base, "bob", base.api_token("bob"))
        remains = Remains(base, "bob")
        base.stop_server(bob, "bob")
        remains.wait_until_gone()


def test_a_warm_start_says_nothing_of_being_slow(base: WarmBase) -> None:
    bob = base.client("bob")
    said = start_and_read(base, bob, "bob", "en")
    assert SLOWER["en"] not in said
    base.stop_server(bob, "bob")


async def test_a_kernel_that_can_not_be_forked_starts_all_the_same(
    base: WarmBase, ann: HubClient
) -> None:
    token = base.api_token("ann")
    with put_aside(base.kernel_socket):
        kernel = await open_kernel(base.url, "ann", token)
        assert await kernel.text(IS_FORKED) == "False\n"
    with refusing(base.kernel_socket, "too-many"):
        kernel = await open_kernel(base.url, "ann", token)
        assert await kernel.text(IS_FORKED) == "False\n"
    counted = base.kernel_starts("ann", token)
    assert counted == {("cold", "missing"): 1, ("cold", "too-many"): 1}


def test_ten_at_once_are_all_forked(base: WarmBase) -> None:
    before = base.server_starts()
    clients = {name: base.client(name) for name in MANY}
    with ThreadPoolExecutor(len(MANY)) as pool:
        list(pool.map(lambda name: base.start_server(clients[name], name), MANY))
        assert more(before, base.server_starts()) == {("warm", ""): len(MANY)}
        remains = [Remains(base, name) for name in MANY]
        list(pool.map(lambda name: base.stop_server(clients[name], name), MANY))
    for each in remains:
        each.wait_until_gone()


def test_turned_off_every_start_is_a_stock_one_and_nobody_is_told_of_another(
    tmp_path: Path,
) -> None:
    base = start_base(tmp_path, services=[], warm={"enabled": False})
    try:
        base.create_user("ann")
        ann = base.client("ann")
        assert SLOWER["en"] not in start_and_read(base, ann, "ann", "en")
        assert "server" not in base.server_state("ann")
        assert "starts cold" not in base.log_text()
    finally:
        base.stop()
