"""A student's kernel that tracks runs: a process of its own, with a home and a lab's folder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.mlflow_support import VISION, Site
from sqlalchemy import select

from ulab.tracking.errand import LOCK
from ulab.tracking.spool import Spool, locked
from ulab_core.models import Person
from ulab_core.team_models import Team, TeamMember, TeamRole

API = "/api/2.0/mlflow"
PROGRESS = re.compile(r"([\r\n]Sending what was logged to the server: \d+%)+\n")


class Kernel:
    """Runs code as a person's kernel would.

    Attributes
    ----------
    home, folder
        The person's home, and the folder the notebook lies in.
    uri
        Where the tracking server is said to be; None says nothing of one.
    """

    def __init__(
        self, site: Site | None, root: Path, person: str = "lin", uri: str | None = None
    ) -> None:
        self.site = site
        self.person = person
        self.home = root / f"home-{person}"
        self.home.mkdir(exist_ok=True)
        self.folder = root / "lab"
        self.folder.mkdir(exist_ok=True)
        self.uri = uri or (site.tracking_uri if site else None)
        self._begun: list[subprocess.Popen[str]] = []

    def mark(self, **more: str) -> None:
        """Make the folder an assignment's, as fetching it does."""
        marker = {"course": VISION, "assignment": "garments", "language": "zh", **more}
        (self.folder / ".ulab.json").write_text(json.dumps(marker))

    def begin(self, code: str, **variables: str) -> subprocess.Popen[str]:
        ours = {
            "HOME": str(self.home),
            "JUPYTERHUB_USER": self.person,
            "ULAB_LANGUAGE": "en",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        }
        if self.uri is not None:
            ours["MLFLOW_TRACKING_URI"] = self.uri
        if self.site is not None:
            ours["MLFLOW_TRACKING_TOKEN"] = self.site.token(self.person)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW_", "ULAB_", "XDG_"))
        }
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=kept | ours | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._begun.append(process)
        return process

    def run(self, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.begin(code, **variables)
        out, err = process.communicate(timeout=180)
        # How long a machine takes is not what tests are about.
        return subprocess.CompletedProcess([], process.returncode, out, PROGRESS.sub("", err))

    def value(self, code: str, **variables: str) -> str:
        """The last line that the code prints."""
        done = self.run(code, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    @property
    def bases(self) -> list[Path]:
        """What is noted for each server."""
        return sorted((self.home / ".cache" / "ulab" / "tracking").glob("*"))

    def spools(self) -> list[Spool]:
        return [spool for base in self.bases for spool in Spool.all(base)]

    def senders(self) -> list[int]:
        locks = [base / LOCK for base in self.bases]
        return [int(lock.read_text()) for lock in locks if locked(lock) and lock.read_text()]

    def kill_senders(self) -> None:
        # A kernel that is still there may start another at once.
        killed = self.senders()
        for process in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        wait_until(lambda: not set(killed) & set(self.senders()))

    def close(self) -> None:
        for process in self._begun:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.kill_senders()

    # What the server has, as this person sees it --------------------------------------------------

    def ask(self, path: str, workspace: str = VISION, **query: str) -> dict[str, Any]:
        assert self.site is not None
        with self.site.client(self.person, workspace) as client:
            answer = client.get(API + path, params=query)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

    def the_run(self, run_id: str, workspace: str = VISION) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("/runs/get", workspace, run_id=run_id)["run"]
        return found

    def tags(self, run_id: str, workspace: str = VISION) -> dict[str, str]:
        return pairs(self.the_run(run_id, workspace)["data"].get("tags", []))

    def params(self, run_id: str, workspace: str = VISION) -> dict[str, str]:
        return pairs(self.the_run(run_id, workspace)["data"].get("params", []))

    def history(self, run_id: str, name: str, workspace: str = VISION) -> list[dict[str, Any]]:
        """Every point of a metric, by step."""
        found: list[dict[str, Any]] = []
        page = {"run_id": run_id, "metric_key": name, "max_results": "1000"}
        while True:
            answer = self.ask("/metrics/get-history", workspace, **page)
            found += answer.get("metrics", [])
            if not answer.get("next_page_token"):
                return sorted(found, key=lambda point: point["step"])
            page["page_token"] = answer["next_page_token"]

    def runs_named(self, name: str, workspace: str = VISION) -> list[dict[str, Any]]:
        """The runs of a name in the person's own experiment, or anywhere in a team."""
        assert self.site is not None
        with self.site.client(self.person, workspace) as client:
            listed = client.post(f"{API}/experiments/search", json={"max_results": 100}).json()
            experiments = [found["experiment_id"] for found in listed.get("experiments", [])]
            answer = client.post(f"{API}/runs/search", json={"experiment_ids": experiments})
            assert answer.status_code == 200, answer.text
            runs = answer.json().get("runs", [])
            return [run for run in runs if run["info"]["run_name"] == name]

    def files(self, run_id: str, workspace: str = VISION, path: str = "") -> list[str]:
        query = {"run_id": run_id} | ({"path": path} if path else {})
        listed = self.ask("/artifacts/list", workspace, **query)
        return [found["path"] for found in listed.get("files", [])]


def pairs(listed: list[dict[str, str]]) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in listed}


def join_team(site: Site, person: str, team: str) -> None:
    """Make someone a member of a team, which is made when there is none."""
    with site.database.write() as session:
        if session.get(Team, team) is None:
            number = len(session.scalars(select(Team)).all()) + 1
            session.add(Team(id=team, number=number, title=team))
            session.flush()
        found = session.scalars(select(Person).where(Person.name == person)).one()
        if session.get(TeamMember, (team, found.id)) is None:
            member = TeamMember(team_id=team, person_id=found.id, role=TeamRole.MEMBER)
            session.add(member)


def leave_team(site: Site, person: str, team: str) -> None:
    with site.database.write() as session:
        found = session.scalars(select(Person).where(Person.name == person)).one()
        session.delete(session.get_one(TeamMember, (team, found.id)))


def wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.1)


@contextlib.contextmanager
def kernel_of(
    site: Site | None, root: Path, person: str = "lin", uri: str | None = None
) -> Iterator[Kernel]:
    kernel = Kernel(site, root, person, uri)
    try:
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def lab(mlflow_site: Site, tmp_path: Path) -> Iterator[Kernel]:
    """lin's kernel in the folder of an assignment."""
    with kernel_of(mlflow_site, tmp_path) as kernel:
        kernel.mark()
        yield kernel
