"""Three tracking servers on stores of their own: bare MLflow, its basic-auth, and ours."""

from __future__ import annotations

import base64
import configparser
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ulab_core.database import Database
from ulab_core.models import Assignment, Course, Enrolment, Person, Role, utc_now
from ulab_core.process import die_with_parent
from ulab_core.settings import Settings
from ulab_deploy.bench import base as bench_base
from ulab_deploy.bench.hub_process import free_ports, wait_until_quiet, without_own_variables
from ulab_deploy.bench.tracking_hub import Known, hub_of, service_variables
from ulab_deploy.bench.tracking_load import API, Connection, Target, failed
from ulab_mlflow.names import PREFIX, WORKSPACE_HEADER

BARE, BASIC_AUTH, ULAB = "bare", "basic_auth", "ulab"
SIDES = (BARE, BASIC_AUTH, ULAB)
USES = ("log", "create", "search")
COURSE, STUDENT = "bench", "student"
START_S, STOP_S, LOOK_S = 180.0, 20.0, 0.2


@dataclass(frozen=True)
class Side:
    """One tracking server.

    Attributes
    ----------
    processes
        Those that serve; what they start is below them.
    """

    target: Target
    processes: Sequence[subprocess.Popen[bytes]]


def _environment(folder: Path) -> dict[str, str]:
    return without_own_variables(os.environ) | {
        "TMPDIR": str(folder),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Ours has none either, and its processes would be counted as memory.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


@contextmanager
def _running(
    folder: Path, commands: Sequence[Sequence[str]], env: Mapping[str, str], target: Target
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run processes until the block ends, and wait until the last of them serves `target`."""
    processes = []
    log = folder / "log"
    try:
        with log.open("ab") as output:
            for command in commands:
                processes.append(
                    subprocess.Popen(
                        [sys.executable, "-P", "-m", *command],
                        cwd=folder,
                        env=dict(env),
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        preexec_fn=die_with_parent,
                    )
                )
        until = time.monotonic() + START_S
        while not _serves(target):
            if time.monotonic() > until or any(one.poll() is not None for one in processes):
                raise failed("/", log.read_text(errors="replace")[-2000:])
            time.sleep(LOOK_S)
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _serves(target: Target) -> bool:
    connection = Connection(target)
    try:
        connection.get("/api/3.0/mlflow/server-info")
    except Exception:
        return False
    finally:
        connection.http.close()
    return True


def _mlflow(folder: Path, port: int, store: str, workers: int, *more: str) -> list[str]:
    return [
        "mlflow", "server", "--host=127.0.0.1", f"--port={port}", f"--workers={workers}",
        f"--backend-store-uri={store or f'sqlite:///{folder}/mlflow.sqlite'}",
        f"--artifacts-destination={(folder / 'artifacts').as_uri()}", *more,
    ]  # fmt: skip


def _experiments(target: Target) -> dict[str, str]:
    connection = Connection(target)
    made = {
        use: str(connection.post(f"{API}/experiments/create", {"name": use})["experiment_id"])
        for use in USES
    }
    connection.http.close()
    return made


@contextmanager
def bare(settings: Settings, folder: Path, store: str) -> Iterator[Side]:
    """MLflow as its own command runs it, which lets everybody do everything."""
    [port] = free_ports(1)
    target = Target(port, "", {}, {})
    command = _mlflow(folder, port, store, settings.mlflow.workers)
    with _running(folder, [command], _environment(folder), target) as processes:
        yield Side(Target(port, "", {}, _experiments(target)), processes)


@contextmanager
def basic_auth(settings: Settings, folder: Path, store: str) -> Iterator[Side]:
    """The same with the accounts that it brings along; a student asks, not the administrator."""
    [port] = free_ports(1)
    password = secrets.token_hex(16)
    config = configparser.ConfigParser(interpolation=None)
    accounts = store or f"sqlite:///{folder}/accounts.sqlite"
    config["mlflow"] = {
        "default_permission": "NO_PERMISSIONS",
        "database_uri": accounts.replace("%", "%%"),
        "admin_username": "admin",
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
    }
    with (folder / "auth.ini").open("w") as stream:
        config.write(stream)
    env = _environment(folder) | {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
    }
    command = _mlflow(folder, port, store, settings.mlflow.workers, "--app-name=basic-auth")
    admin = Target(port, "", _basic("admin", password), {})
    student = Target(port, "", _basic(STUDENT, password), {})
    with _running(folder, [command], env, admin) as processes:
        account = {"username": STUDENT, "password": password}
        Connection(admin).post("/api/2.0/mlflow/users/create", account)
        yield Side(Target(port, "", student.headers, _experiments(student)), processes)


def _basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


@contextmanager
def ulab(settings: Settings, folder: Path, store: str) -> Iterator[Side]:
    """Our server and our gateway, with a course; a student asks with a hub token."""
    base = bench_base.prepare(settings, folder)
    mlflow = base.settings.mlflow.model_copy(update={"database_url": store})
    chosen = base.settings.model_copy(update={"mlflow": mlflow})
    _furnish(Database.of(chosen))
    [port] = free_ports(1)
    try:
        with hub_of(STUDENT) as known:
            env = bench_base.environment_of(chosen, os.environ) | service_variables(known)
            target = Target(port, PREFIX, _bearer(known), {})
            commands = [
                ["ulab_mlflow.server"],
                ["ulab_deploy.bench.tracking_gateway", str(port)],
            ]
            with _running(folder, commands, env | {"TMPDIR": str(folder)}, target) as processes:
                headers = {**target.headers, WORKSPACE_HEADER: COURSE}
                yield Side(Target(port, PREFIX, headers, _own(target)), processes)
    finally:
        bench_base.remove_sockets(base.layout)


def _bearer(known: Known) -> dict[str, str]:
    return {"authorization": f"Bearer {known.token}"}


def _own(target: Target) -> dict[str, str]:
    """The student's experiments, which the platform makes."""
    connection = Connection(target)
    asked = "/ulab/experiment?course=" + COURSE + "&assignment="
    found = {use: str(connection.get(asked + use)["experiment_id"]) for use in USES}
    connection.http.close()
    return found


def _furnish(database: Database) -> None:
    """One student in a course with an assignment for each use."""
    with database.write() as session:
        person = Person(name=STUDENT)
        session.add(person)
        session.add(
            Course(
                id=COURSE,
                number=1,
                title_zh=COURSE,
                title_en=COURSE,
                focus_area=COURSE,
                curriculum=COURSE,
                curriculum_version="1",
            )
        )
        session.flush()
        session.add(Enrolment(course_id=COURSE, person_id=person.id, role=Role.STUDENT))
        for position, use in enumerate(USES):
            session.add(
                Assignment(
                    course_id=COURSE,
                    name=use,
                    position=position,
                    title_zh=use,
                    title_en=use,
                    minutes=60,
                    max_score=10,
                    published_at=utc_now(),
                )
            )
    database.engine.dispose()


STARTERS = {BARE: bare, BASIC_AUTH: basic_auth, ULAB: ulab}


def wait_for_rest(sides: Sequence[Side]) -> None:
    """Wait until no server is still loading libraries."""
    for side in sides:
        for process in side.processes:
            wait_until_quiet(process.pid)
