"""A PostgreSQL server of the test's own, on a Unix socket in its folder."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

ACCOUNT = "postgres"
PATIENCE_S = 60


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


def installed() -> bool:
    return _programs() is not None


class Postgres:
    """A server for the time of a `with` block."""

    def __init__(self, folder: Path) -> None:
        # The path of a socket has room for little more than a hundred bytes.
        self.folder = Path(f"/tmp/ulab-pg-{os.getpid()}-{abs(hash(folder)) % 10_000}")
        self.numbers = itertools.count(1)

    def __enter__(self) -> Postgres:
        self.folder.mkdir(mode=0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, ACCOUNT, ACCOUNT)
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", ACCOUNT, "-N")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off"
        log = str(self.folder / "log")
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start"
        )

    def crash(self) -> None:
        """Kill the server without a word, and start it again."""
        lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.start()
            except subprocess.CalledProcessError:
                # The dead server's children hold its memory until they notice.
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def new_database(self) -> str:
        """Create an empty database; its SQLAlchemy address."""
        name = f"ulab{next(self.numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{ACCOUNT}@/{name}?host={self.folder}"

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the server's owner."""
        with (
            psycopg.connect(host=str(self.folder), user=ACCOUNT, autocommit=True) as connection,
            connection.execute(statement, values or None) as cursor,
        ):
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        programs = _programs()
        assert programs is not None
        user = {"user": ACCOUNT, "group": ACCOUNT} if os.geteuid() == 0 else {}
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            **user,  # type: ignore[arg-type]
        )
