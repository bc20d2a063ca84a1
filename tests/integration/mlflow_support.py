"""A real MLflow server behind the real gateway, with courses and people, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from integration.hub_stub import StubHub, free_port, serve, stub_hub

from ulab_core.database import Database, upgrade
from ulab_core.hub_auth import HubLogin
from ulab_core.layout import Layout
from ulab_core.models import Assignment, Course, Enrolment, Person, Role, utc_now
from ulab_core.settings import Mlflow, Server, Settings
from ulab_mlflow.gateway import LOGIN_SECONDS, Gateway
from ulab_mlflow.names import PREFIX, WORKSPACE_HEADER, socket_of

VISION, ENERGY = "vision-2026", "energy-2026"
PEOPLE = {
    "lin": {VISION: Role.STUDENT},
    "wang": {VISION: Role.STUDENT},
    "prof": {VISION: Role.INSTRUCTOR},
    "ta": {VISION: Role.ASSISTANT},
    "dean": {ENERGY: Role.INSTRUCTOR},
    "stranger": {},
}
ASSIGNMENTS = {"garments": True, "unpublished": False}


class MlflowProcess:
    """The server as the hub runs it.

    Attributes
    ----------
    machines_tmp
        What stands for the machine's folder of temporary files.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.machines_tmp = settings.server.state_dir.parent / "tmp"
        self.machines_tmp.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        state = self._settings.server.state_dir
        with (state / "logs" / "mlflow.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ulab_mlflow.server"],
                env=os.environ
                | {"ULAB_SERVER__STATE_DIR": str(state), "TMPDIR": str(self.machines_tmp)},
                stdout=log,
                stderr=log,
            )
        transport = httpx.HTTPTransport(uds=str(socket_of(self._settings)))
        with httpx.Client(transport=transport, base_url="http://mlflow") as client:
            while not self._healthy(client):
                if self.process.poll() is not None:
                    raise RuntimeError((state / "logs" / "mlflow.log").read_text())
                time.sleep(0.2)

    def _healthy(self, client: httpx.Client) -> bool:
        try:
            return client.get("/health").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


@dataclass
class Site:
    """What a test needs of the running base."""

    settings: Settings
    hub: StubHub
    url: str
    server: MlflowProcess
    database: Database
    gateway: Gateway
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def tracking_uri(self) -> str:
        return self.url + PREFIX

    def token(self, person: str) -> str:
        if person not in self.tokens:
            self.tokens[person] = self.hub.give_token(person, service="mlflow")
        return self.tokens[person]

    def client(self, person: str, workspace: str | None = VISION) -> httpx.Client:
        """A program of this person, in a workspace."""
        headers = {"authorization": f"Bearer {self.token(person)}", "accept-language": "en"}
        if workspace is not None:
            headers[WORKSPACE_HEADER] = workspace
        return httpx.Client(base_url=self.tracking_uri, headers=headers, timeout=60)

    def experiment_of(self, person: str, course: str = VISION) -> str:
        with self.client(person, None) as client:
            answer = client.get(
                "/ulab/experiment", params={"course": course, "assignment": "garments"}
            )
            answer.raise_for_status()
            return str(answer.json()["experiment_id"])

    def new_run(self, person: str, course: str = VISION) -> dict[str, Any]:
        """A run in the person's own experiment."""
        with self.client(person, course) as client:
            answer = client.post(
                "/api/2.0/mlflow/runs/create",
                json={
                    "experiment_id": self.experiment_of(person, course),
                    "start_time": int(time.time() * 1000),
                },
            )
            answer.raise_for_status()
            run: dict[str, Any] = answer.json()["run"]
            return run


def fill(database: Database) -> None:
    """Two courses and their people."""
    with database.write() as session:
        for number, course in enumerate((VISION, ENERGY), start=1):
            session.add(
                Course(
                    id=course,
                    number=number,
                    title_zh=course,
                    title_en=course,
                    focus_area="image-recognition",
                    curriculum="vision-foundations",
                    curriculum_version="1",
                )
            )
            for position, (name, published) in enumerate(ASSIGNMENTS.items()):
                session.add(
                    Assignment(
                        course_id=course,
                        name=name,
                        position=position,
                        title_zh=name,
                        title_en=name,
                        minutes=60,
                        max_score=10,
                        published_at=utc_now() if published else None,
                    )
                )
        session.flush()
        for name, roles in PEOPLE.items():
            person = Person(name=name)
            session.add(person)
            session.flush()
            for course, role in roles.items():
                session.add(Enrolment(course_id=course, person_id=person.id, role=role))


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    port = free_port()
    settings = Settings(
        server=Server(state_dir=folder / "state", port=port), mlflow=Mlflow(max_artifact_mb=64)
    )
    Layout.of(settings).prepare()
    upgrade(settings)
    database = Database.of(settings)
    fill(database)
    server = MlflowProcess(settings)
    with stub_hub(folder) as hub:
        login = HubLogin(
            b"c" * 32, hub.login("mlflow"), default_language="zh", cache_seconds=LOGIN_SECONDS
        )
        server.start()
        try:
            gateway = Gateway(settings, login)
            with serve(gateway.app(), host="127.0.0.1", port=port):
                yield Site(settings, hub, f"http://127.0.0.1:{port}", server, database, gateway)
        finally:
            server.stop()
            database.engine.dispose()
