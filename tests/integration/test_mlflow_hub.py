"""Experiments on a real hub: from a kernel in the sandbox to MLflow's page, and after a kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from integration.hub_support import Base, HubClient, start_base
from integration.kernel_support import open_kernel
from integration.mlflow_support import VISION, fill
from sqlalchemy import select

from ulab_core.models import Enrolment, Person
from ulab_core.process import descendants
from ulab_mlflow.gateway import LOGIN_SECONDS
from ulab_mlflow.links import run_link
from ulab_mlflow.names import PREFIX, WORKSPACE_HEADER

LOG_A_RUN = f"""
import os
folder = os.path.expanduser("~/{VISION}/garments")
os.makedirs(folder, exist_ok=True)
open(folder + "/.ulab.json", "w").write('{{"course": "{VISION}", "assignment": "garments"}}')
os.chdir(folder)
import mlflow
with mlflow.start_run(run_name="from the kernel"):
    mlflow.log_metric("loss", 0.25)
print(mlflow.last_active_run().info.run_id)
"""
LARGE_MB = 200
SEARCH = f"{PREFIX}/ajax-api/2.0/mlflow/experiments/search"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    base = start_base(tmp_path_factory.mktemp("base"), services=["mlflow", "mlflow-server"])
    fill(base.database)
    for name in ("lin", "wang"):
        base.create_user(name)
    yield base
    base.stop()


@pytest.fixture(scope="module")
def lin(base: Base) -> HubClient:
    client = base.client("lin")
    wait_until_served(client)
    base.start_server(client, "lin")
    return client


def wait_until_served(client: httpx.Client) -> httpx.Response:
    """MLflow's page, once the server behind it is there; until then there must be a sentence."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        page = client.get(f"{PREFIX}/", headers={"accept": "text/html"})
        if page.status_code == 200:
            return page
        # The proxy answers 503 by itself while the gateway is away, and the hub shows its page.
        assert page.status_code == 503, page.text
        time.sleep(0.5)
    raise AssertionError(f"MLflow did not come: {page.text}")


def process_of(base: Base, module: str) -> int:
    assert base.process is not None
    for pid in descendants(base.process.pid):
        if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            return pid
    raise AssertionError(f"{module} does not run")


async def test_a_kernels_plain_mlflow_run_appears_on_the_students_page(
    base: Base, lin: HubClient
) -> None:
    kernel = await open_kernel(base.url, "lin", base.api_token("lin"))
    run_id = (await kernel.text(LOG_A_RUN)).strip().splitlines()[-1]
    opened = lin.get(run_link(VISION, "garments"), headers={"accept": "text/html"})
    assert opened.status_code == 200
    assert "<title>MLflow</title>" in opened.text
    found = lin.get(
        f"{PREFIX}/ajax-api/2.0/mlflow/runs/get",
        params={"run_id": run_id},
        headers={
            WORKSPACE_HEADER: VISION,
            "sec-fetch-site": "same-origin",
            "referer": f"{base.url}{PREFIX}/",
        },
    )
    assert found.status_code == 200, found.text
    assert json.loads(found.text)["run"]["data"]["metrics"][0]["value"] == 0.25


TRACK_A_RUN = """
import ulab
with ulab.track("in the sandbox", lr=0.1) as run:
    for step in range(2000):
        run.log(loss=step)
print(run.run_id)
"""


async def test_a_kernel_in_the_sandbox_tracks_a_run(base: Base, lin: HubClient) -> None:
    kernel = await open_kernel(base.url, "lin", base.api_token("lin"))
    await kernel.text(LOG_A_RUN)
    run_id = (await kernel.text(TRACK_A_RUN)).strip().splitlines()[-1]
    headers = {
        WORKSPACE_HEADER: VISION,
        "sec-fetch-site": "same-origin",
        "referer": f"{base.url}{PREFIX}/",
    }
    path = f"{PREFIX}/ajax-api/2.0/mlflow/runs/get"
    run = lin.get(path, params={"run_id": run_id}, headers=headers).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    metrics = {metric["key"]: metric for metric in run["data"]["metrics"]}
    assert metrics["loss"]["step"] == 1999
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert tags["mlflow.user"] == "lin"
    # Cells, this one too, as this kernel ran them.
    assert len(tags["ulab.executed_sha256"]) == 64


async def test_a_killed_gateway_costs_a_run_no_point(base: Base, lin: HubClient) -> None:
    kernel = await open_kernel(base.url, "lin", base.api_token("lin"))
    await kernel.text(LOG_A_RUN)
    slow = TRACK_A_RUN.replace("run.log(loss=step)", "run.log(loss=step); time.sleep(0.005)")
    running = asyncio.create_task(kernel.text(f"import time\n{slow}"))
    await asyncio.sleep(4)
    os.kill(process_of(base, "ulab_mlflow.gateway"), signal.SIGKILL)
    run_id = (await running).strip().splitlines()[-1]
    left = await kernel.text("print(ulab.tracking.flush(120))")
    assert left.strip().splitlines()[-1] == "0"
    wait_until_served(lin)
    found = lin.get(
        f"{PREFIX}/ajax-api/2.0/mlflow/metrics/get-history",
        params={"run_id": run_id, "metric_key": "loss", "max_results": 25_000},
        headers={
            WORKSPACE_HEADER: VISION,
            "sec-fetch-site": "same-origin",
            "referer": f"{base.url}{PREFIX}/",
        },
    )
    assert sorted(point["step"] for point in found.json()["metrics"]) == list(range(2000))


def test_another_student_gets_403_in_the_hubs_login(base: Base, lin: HubClient) -> None:
    wang = base.client("wang")
    page = {"accept": "text/html", "accept-language": "zh-CN"}
    refused = wang.get(run_link(VISION, "garments", "lin"), headers=page)
    assert refused.status_code == 403
    assert "这些是其他人的运行记录" in refused.text


def test_who_is_not_logged_in_is_sent_to_the_hubs_login(base: Base) -> None:
    page = base.client().get(f"{PREFIX}/", headers={"accept": "text/html"})
    assert page.url.path == "/hub/login"


def test_a_revoked_token_and_a_student_taken_out_lose_access_within_seconds(
    base: Base, lin: HubClient
) -> None:
    given = base.api_token("lin", ["access:services!service=mlflow"])
    asked = {"authorization": f"Bearer {given}", WORKSPACE_HEADER: VISION}

    def status() -> int:
        with httpx.Client(base_url=base.url, headers=asked) as program:
            return program.post(
                f"{PREFIX}/api/2.0/mlflow/experiments/search", json={"max_results": 1}
            ).status_code

    assert status() == 200
    with base.database.write() as session:
        person = session.scalars(select(Person).where(Person.name == "lin")).one()
        enrolled = session.get_one(Enrolment, (VISION, person.id))
        role = enrolled.role
        session.delete(enrolled)
    # The base's own rows are asked with each request.
    assert status() == 403
    with base.database.write() as session:
        session.add(Enrolment(course_id=VISION, person_id=person.id, role=role))
    assert status() == 200
    listed = lin.api("GET", "users/lin/tokens").json()["api_tokens"]
    newest = max(listed, key=lambda one: one["created"])
    assert lin.api("DELETE", f"users/lin/tokens/{newest['id']}").status_code == 204
    revoked = time.monotonic()
    while status() != 401:
        assert time.monotonic() < revoked + 4 * LOGIN_SECONDS
        time.sleep(0.5)


def peak_mb(pid: int) -> float:
    """The most memory that a process held since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def test_a_large_file_goes_up_and_down_in_little_memory(base: Base, lin: HubClient) -> None:
    wait_until_served(lin)
    token = base.api_token("lin", ["access:services!service=mlflow"])
    headers = {"authorization": f"Bearer {token}", WORKSPACE_HEADER: VISION}
    chunk = os.urandom(1024 * 1024)
    with httpx.Client(base_url=base.url + PREFIX, headers=headers, timeout=300) as client:
        place = client.get("/ulab/experiment", params={"course": VISION, "assignment": "garments"})
        made = client.post(
            "/api/2.0/mlflow/runs/create", json={"experiment_id": place.json()["experiment_id"]}
        )
        uri = made.json()["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:")
        path = f"/api/2.0/mlflow-artifacts/artifacts/{uri.strip('/')}/model.bin"
        watched = [process_of(base, name) for name in ("ulab_mlflow.server", "ulab_mlflow.gateway")]
        for pid in watched:
            forget_peak(pid)
        before = [peak_mb(pid) for pid in watched]
        sent = client.put(path, content=(chunk for _ in range(LARGE_MB)))
        assert sent.status_code == 200, sent.text
        received = 0
        with client.stream("GET", path) as answer:
            for part in answer.iter_raw(1024 * 1024):
                received += len(part)
    assert received == LARGE_MB * len(chunk)
    grown = [peak_mb(pid) - was for pid, was in zip(watched, before, strict=True)]
    assert max(grown) < LARGE_MB / 5


@pytest.mark.parametrize("module", ["ulab_mlflow.server", "ulab_mlflow.gateway"])
def test_a_killed_part_comes_back_by_itself(base: Base, lin: HubClient, module: str) -> None:
    wait_until_served(lin)
    killed = process_of(base, module)
    os.kill(killed, signal.SIGKILL)
    wait_until_served(lin)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            assert process_of(base, module) != killed
            break
        except (AssertionError, FileNotFoundError):
            time.sleep(0.3)
    answer = lin.post(
        SEARCH,
        json={"max_results": 10},
        headers={
            WORKSPACE_HEADER: VISION,
            "sec-fetch-site": "same-origin",
            "referer": f"{base.url}{PREFIX}/",
        },
    )
    assert [e["name"] for e in answer.json()["experiments"]] == ["garments/lin"]
